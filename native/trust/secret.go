package trust

import (
	"bytes"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"strings"
)

const (
	secretPrefix = "nanoring-secret-" // so that scanners of leaked keys can know it
	secretBytes  = 32
	maxSecrets   = 8 // in a file; a rotation needs two
)

// A Secret is what the nodes of a ring share: whoever has it is trusted with the
// whole ring. All keys are derived from it (HKDF, RFC 5869). It prints as its id.
type Secret struct {
	id  string
	key [secretBytes]byte
}

// NewSecret makes a secret, as a line of a secret file without its end.
func NewSecret() string {
	var key [secretBytes]byte
	rand.Read(key[:]) // never fails
	return secretPrefix + base64.RawURLEncoding.EncodeToString(key[:])
}

// ParseSecrets reads a secret file: one secret a line, the one that issues first.
// Empty lines and those that begin with # are skipped. An error names the line,
// and nothing of what is in it.
func ParseSecrets(file []byte) ([]Secret, error) {
	var secrets []Secret
	for i, line := range bytes.Split(file, []byte("\n")) {
		text := strings.TrimSpace(string(line))
		if text == "" || text[0] == '#' {
			continue
		}
		coded, ok := strings.CutPrefix(text, secretPrefix)
		key, err := base64.RawURLEncoding.Strict().DecodeString(coded)
		if !ok || err != nil || len(key) != secretBytes {
			return nil, fmt.Errorf("line %d is no secret: each is a line that nanoring keygen has printed", i+1)
		}
		s := Secret{key: [secretBytes]byte(key)}
		s.id = hex.EncodeToString(s.derive("id", 4))
		for _, other := range secrets {
			if other.id == s.id {
				return nil, fmt.Errorf("line %d is the secret %s again", i+1, s.id)
			}
		}
		secrets = append(secrets, s)
	}
	switch {
	case len(secrets) == 0:
		return nil, errors.New("there is no secret in it: nanoring keygen prints one")
	case len(secrets) > maxSecrets:
		return nil, fmt.Errorf("it has %d secrets: %d are as many as a rotation may need", len(secrets), maxSecrets)
	}
	return secrets, nil
}

// ID names the secret, and tells nothing about it: 8 hex digits.
func (s *Secret) ID() string { return s.id }

// derive returns the key of so many bytes that the secret has for a purpose.
func (s *Secret) derive(purpose string, size int) []byte {
	key, err := hkdf.Key(sha256.New, s.key[:], nil, "nanoring v1 "+purpose, size)
	if err != nil {
		panic(err) // the sizes are ours, and short
	}
	return key
}

// String returns the id, so that no log has the secret.
func (s Secret) String() string { return "secret " + s.id }

// GoString is String.
func (s Secret) GoString() string { return s.String() }

// LogValue is String.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// ids lists what secrets are called.
func ids(secrets []Secret) []string {
	list := make([]string, len(secrets))
	for i := range secrets {
		list[i] = secrets[i].id
	}
	return list
}
