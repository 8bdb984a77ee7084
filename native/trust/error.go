package trust

import (
	"crypto/tls"
	"errors"
	"net/http"
)

// An Error says why the other end of a connection is not believed to be a node
// of the ring. It names ids of secrets, never secrets.
type Error struct {
	Lacks string // the id of the secret that this node lacks, if that is why
	Text  string
	Err   error
}

func (e *Error) Error() string {
	if e.Err != nil {
		return e.Text + ": " + e.Err.Error()
	}
	return e.Text
}

// Unwrap returns what was wrong, if it is known so well.
func (e *Error) Unwrap() error { return e.Err }

// HandshakeError makes of a failed dial what a person can do something about; nil
// if it is not about trust.
func HandshakeError(err error) *Error {
	var no *Error
	var alert tls.AlertError
	var record tls.RecordHeaderError
	switch {
	case errors.As(err, &no):
		return no
	case errors.As(err, &alert):
		return &Error{Text: "it refuses this node's certificate, and its log says why", Err: alert}
	case errors.As(err, &record), errors.Is(err, http.ErrSchemeMismatch): // by what it read
		return &Error{Text: "it speaks no TLS: start it with the ring's secret, too"}
	}
	return nil
}

// A ConfigError says which field of a Config cannot be used.
type ConfigError struct {
	Field string
	Err   error
}

func (e *ConfigError) Error() string { return "cannot use " + e.Field + ": " + e.Err.Error() }

// Unwrap returns what is wrong with it.
func (e *ConfigError) Unwrap() error { return e.Err }

func wrong(field string, err error) error { return &ConfigError{field, err} }
