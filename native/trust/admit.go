package trust

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// A SignedError is why a token is not good that a secret of this ring has signed: whoever has
// it may be told.
type SignedError struct {
	OtherRing string // the ring that it is for; "" if it is for this one
	Err       error
}

func (e *SignedError) Error() string { return e.Err.Error() }

// Unwrap returns what is wrong with it.
func (e *SignedError) Unwrap() error { return e.Err }

// Admit takes a JWT for what it claims, if it is by one of the secrets, of the ring
// and valid now. The error is for the log: it has nothing of the token but its kid,
// and nothing of it is for who sent it, unless it is a *SignedError. The key is the id
// of the secret.
func (t *Trust) Admit(signed, ring string, now time.Time) (token Token, key string, err error) {
	if len(signed) > maxToken {
		return token, "", fmt.Errorf("a token of %d bytes: there are %d at most", len(signed), maxToken)
	}
	var c claims
	var unknown error
	parser := jwt.NewParser(
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}),
		jwt.WithExpirationRequired(),
		jwt.WithLeeway(Leeway),
		jwt.WithTimeFunc(func() time.Time { return now }),
		jwt.WithStrictDecoding(),
	)
	_, err = parser.ParseWithClaims(signed, &c, func(j *jwt.Token) (any, error) {
		if _, critical := j.Header["crit"]; critical { // RFC 7515, 4.1.11
			unknown = errors.New("the token has a header crit, and says by it that something has to be understood that no node does")
			return nil, unknown
		}
		kid, _ := j.Header["kid"].(string)
		for i := range t.secrets {
			s := &t.secrets[i]
			if have, k := s.TokenKey(c.Role); have == kid {
				key = s.id
				return k, nil
			}
		}
		unknown = fmt.Errorf("the token of role %.20q is signed by the key %.40q, which this node does not have: it has the secrets %v", c.Role, kid, t.IDs())
		return nil, unknown
	})
	switch {
	case unknown != nil:
		return Token{}, "", unknown
	case errors.Is(err, jwt.ErrTokenExpired):
		return Token{}, "", &SignedError{Err: fmt.Errorf("the token expired at %s: another is needed", c.ExpiresAt.UTC().Format(time.RFC3339))}
	case errors.Is(err, jwt.ErrTokenNotValidYet):
		return Token{}, "", &SignedError{Err: errors.New("the token is not valid yet: is the clock of who signed it right?")}
	case errors.Is(err, jwt.ErrTokenSignatureInvalid):
		return Token{}, "", errors.New("the token's signature is not by its key, or not HS256")
	case err != nil:
		return Token{}, "", errors.New("the token is no JWT of a ring, with an exp") // what else is in it is anybody's
	}
	if late(signed) {
		return Token{}, "", &SignedError{Err: errTimes}
	}
	token = Token{Ring: c.Ring, Role: c.Role, Name: c.Name, Tags: c.Tags, Own: c.Own, Send: c.Send, Hear: c.Hear, Expires: c.ExpiresAt.Time}
	if err := token.check(); err != nil {
		return Token{}, "", &SignedError{Err: fmt.Errorf("the token is signed, but %w", err)}
	}
	if token.Ring != ring {
		return Token{}, "", &SignedError{OtherRing: token.Ring, Err: fmt.Errorf("the token is for the ring %.40q, not for %q", token.Ring, ring)}
	}
	return token, key, nil
}

// endOfTime is when the year 9999 is over, in seconds since 1970: what is later would wrap around.
const endOfTime = 253_402_300_800

var errTimes = errors.New("the token claims a time after the year 9999: seconds since 1970 are meant, not milliseconds")

// late says whether a token whose signature was looked at claims a time that there is not.
func late(signed string) bool {
	var times struct{ Exp, Nbf json.Number }
	_, body, _ := strings.Cut(signed, ".")
	body, _, _ = strings.Cut(body, ".")
	b, err := base64.RawURLEncoding.DecodeString(body)
	if err == nil {
		err = json.Unmarshal(b, &times)
	}
	for _, t := range []json.Number{times.Exp, times.Nbf} {
		if t == "" { // there is none
			continue
		}
		if seconds, no := t.Float64(); no != nil || seconds >= endOfTime {
			return true
		}
	}
	return err != nil
}
