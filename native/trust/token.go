package trust

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/golang-jwt/jwt/v5"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// The roles of tokens.
const (
	RoleGuest    = "guest"    // is a node of the ring, ephemeral, under the name that the token allows
	RoleReader   = "reader"   // reads the HTTP API
	RoleOperator = "operator" // reads and changes
)

const (
	maxToken = 4096 // bytes

	// Leeway is for how long a token is forgiven that it has expired, or is not good yet:
	// clocks differ by so much.
	Leeway = time.Duration(core.MaxSkew) * time.Microsecond
)

// A Token is what a JWT (RFC 7519) claims that lets somebody in. It is signed
// with HS256, by a key that its kid names: see Secret.TokenKey.
type Token struct {
	Ring string            // the ring that it is for
	Role string            // RoleGuest, RoleReader or RoleOperator
	Name string            // a guest's: the name that it may have, or how that begins and '*'
	Tags map[string]string // a guest's: the labels that it has to have; nil for none
	Own  []string          // a guest's: patterns, with '*', of the keys of those that it may have; nil for any, or for none if it has to have some
	Send []string          // a guest's: patterns, with '*', of the topics of messages that it may send; nil for none
	Hear []string          // a guest's: likewise, that it may hear

	NotBefore time.Time // zero for at once
	Expires   time.Time
}

// claims are a Token's as they are in a JWT.
type claims struct {
	Ring string            `json:"ring"`
	Role string            `json:"role"`
	Name string            `json:"name,omitempty"`
	Tags map[string]string `json:"tags,omitempty"`
	Own  []string          `json:"own,omitempty"`
	Send []string          `json:"send,omitempty"`
	Hear []string          `json:"hear,omitempty"`
	jwt.RegisteredClaims
}

// TokenKey returns the key that signs tokens of a role, and its kid. That of
// guests is another than that of readers and operators, so that who has it, a
// web server perhaps, can let in guests and nobody else.
func (s *Secret) TokenKey(role string) (kid string, key []byte) {
	use := "api"
	if role == RoleGuest {
		use = RoleGuest
	}
	return s.id + "." + use, s.derive("token "+use, 32)
}

// A JWK is a key for tokens as programs take it (RFC 7517).
type JWK struct {
	Type      string `json:"kty"`
	Algorithm string `json:"alg"`
	ID        string `json:"kid"`
	Key       string `json:"k"`
}

// TokenJWK returns TokenKey as a JWK, for a program that signs tokens of a role.
func (s *Secret) TokenJWK(role string) JWK {
	kid, key := s.TokenKey(role)
	return JWK{"oct", "HS256", kid, base64.RawURLEncoding.EncodeToString(key)}
}

// Sign makes a JWT of a token. It fails if no node would take it.
func (s *Secret) Sign(t Token) (string, error) {
	if err := t.check(); err != nil {
		return "", err
	}
	if max(t.Expires.Unix(), t.NotBefore.Unix()) >= endOfTime {
		return "", errTimes
	}
	c := claims{Ring: t.Ring, Role: t.Role, Name: t.Name, Tags: t.Tags, Own: t.Own, Send: t.Send, Hear: t.Hear}
	c.ExpiresAt = jwt.NewNumericDate(t.Expires)
	if !t.NotBefore.IsZero() {
		c.NotBefore = jwt.NewNumericDate(t.NotBefore)
	}
	kid, key := s.TokenKey(t.Role)
	j := jwt.NewWithClaims(jwt.SigningMethodHS256, c)
	j.Header["kid"] = kid
	signed, err := j.SignedString(key)
	if err == nil && len(signed) > maxToken {
		err = fmt.Errorf("it would have %d bytes, more than the %d that a node takes: use fewer or shorter tags", len(signed), maxToken)
	}
	return signed, err
}

// check says what no token may claim.
func (t *Token) check() error {
	if err := wire.ValidName(t.Ring); err != nil {
		return fmt.Errorf("its ring: %w", err)
	}
	switch {
	case t.Role == RoleGuest:
		name := strings.TrimSuffix(t.Name, "*")
		if name == "" && t.Name != "*" {
			return errors.New("it allows a guest no name")
		}
		if name != "" {
			if err := wire.ValidName(name); err != nil {
				return fmt.Errorf("the name that it allows: %w", err)
			}
		}
		for key, value := range t.Tags {
			if key == "" || !utf8.ValidString(key+value) {
				return fmt.Errorf("its tag %q: a key is not empty, and both are UTF-8", key)
			}
		}
		if i := slices.IndexFunc(t.Own, func(key string) bool { return key == "" || !utf8.ValidString(key) }); i >= 0 {
			return fmt.Errorf("the key %q that it may set: it is not empty, and UTF-8", t.Own[i])
		}
		if err := checkTopics(t.Send); err != nil {
			return fmt.Errorf("what it may send: %w", err)
		}
		if err := checkTopics(t.Hear); err != nil {
			return fmt.Errorf("what it may hear: %w", err)
		}
	case t.Role != RoleReader && t.Role != RoleOperator:
		return fmt.Errorf("its role is %.40q: there are %s, %s and %s", t.Role, RoleGuest, RoleReader, RoleOperator)
	case t.Name != "" || len(t.Tags)+len(t.Own)+len(t.Send)+len(t.Hear) > 0:
		return fmt.Errorf("only a guest's token has a name, tags or topics, not a %s's", t.Role)
	}
	return nil
}

func checkTopics(patterns []string) error {
	if len(patterns) > wire.MaxTopics {
		return fmt.Errorf("%d patterns of topics: there are %d at most", len(patterns), wire.MaxTopics)
	}
	for _, p := range patterns {
		if err := wire.ValidPattern(p); err != nil {
			return err
		}
	}
	return nil
}

// Topics returns what a guest may send, and hear.
func (t *Token) Topics() *core.Topics { return &core.Topics{Send: t.Send, Hear: t.Hear} }

// Demands returns the labels that the token demands; nil for none.
func (t *Token) Demands() []wire.Tag {
	if t.Tags == nil {
		return nil
	}
	list := make([]wire.Tag, 0, len(t.Tags))
	for key, value := range t.Tags {
		list = append(list, wire.Tag{Key: key, Value: value})
	}
	slices.SortFunc(list, func(a, b wire.Tag) int { return strings.Compare(a.Key, b.Key) })
	return list
}
