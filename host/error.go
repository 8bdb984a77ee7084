package host

import (
	"errors"
	"fmt"
	"strings"

	"github.com/tetratelabs/wazero/sys"
)

// ErrClosed is what a closed Engine answers.
var ErrClosed = errors.New("the engine is closed")

// A ModuleError says why a module cannot be used at all.
type ModuleError struct{ Err error }

func (e *ModuleError) Error() string {
	return "the module cannot be run: " + e.Err.Error()
}

// Unwrap returns the reason.
func (e *ModuleError) Unwrap() error { return e.Err }

func unusable(format string, args ...any) error {
	return &ModuleError{fmt.Errorf(format, args...)}
}

// A TrapError says how a module ended: it trapped, exited, or did what
// docs/abi.md does not allow. Its Engine is of no use any more; a new one made
// of the last snapshot goes on where it ended.
type TrapError struct {
	Call  string // the export that was called
	Words string // what the module said meanwhile, of a panic above all
	Err   error  // the trap
}

func (e *TrapError) Error() string {
	said := ""
	if first := firstLine(e.Words); first != "" {
		said = ", saying: " + first
	}
	return "the module ended in " + e.Call + ": " + firstLine(e.Err.Error()) + said
}

// Unwrap returns the trap, with all that is known of it.
func (e *TrapError) Unwrap() error { return e.Err }

// Detail returns all that is known of the trap, in many lines.
func (e *TrapError) Detail() string {
	return strings.TrimSpace(e.Words + "\n" + e.Err.Error())
}

// newTrap makes a TrapError of what a call returned.
func newTrap(call string, words []byte, err error) *TrapError {
	var lied violation
	var exit *sys.ExitError
	switch {
	case errors.As(err, &lied):
		err = lied // without wazero's wrapping: it is the host that panicked
	case errors.As(err, &exit):
		err = fmt.Errorf("it exited with status %d", exit.ExitCode())
	}
	return &TrapError{Call: call, Words: strings.ToValidUTF8(string(words), "\ufffd"), Err: err}
}

// violation is what a host function panics with when the module does what it
// must not; wazero makes an error of it, which ends the call.
type violation string

func (v violation) Error() string { return string(v) }

func violate(format string, args ...any) {
	panic(violation(fmt.Sprintf(format, args...)))
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(strings.TrimSpace(s), "\n")
	return s
}
