package native

import (
	"errors"
	"time"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// Why a node ended, or did not start.
var (
	// ErrRemoved: the ring deleted this node. Its ring file is gone. See RemovedError.
	ErrRemoved = errors.New("this node was removed from its ring")
	// ErrLeft: this node left for good, by Leave. Its ring file is gone.
	ErrLeft = errors.New("this node left its ring")
	// ErrNameTaken: a living node has this node's name; see NameTakenError.
	ErrNameTaken = errors.New("the name is taken")
)

// Why a request to a node failed.
var (
	// ErrStopped: the node has ended, or did before it could answer.
	ErrStopped = errors.New("the node has stopped")
	// ErrNotWritten: the change was made, but could not be written to the ring
	// file: a crash may undo it on this node. Writing is tried again and again.
	ErrNotWritten = errors.New("the change could not be written to the ring file")

	// ErrNoSockets: a node's data folder is no way to it, since the system has no Unix sockets,
	// as older Windows has none. Its address is.
	ErrNoSockets = errors.New("this system has no Unix sockets")
	// ErrBroke: the engine broke on the command, and was started again.
	ErrBroke = errors.New("the engine broke on it and was started again: nothing is changed")
	// ErrUncordoned: an operator has called off a Drain.
	ErrUncordoned = errors.New("the node was uncordoned meanwhile: it is not drained, and runs on")
	// ErrSlow: a watcher did not keep up and has lost events.
	ErrSlow = errors.New("the watcher was too slow and has lost events: watch again for the present state")
)

// A ConfigError says which field of a Config cannot be meant. No file was touched.
type ConfigError struct {
	Field   string
	Missing bool // Field has to be set; else what it is cannot be used
	Err     error
}

func (e *ConfigError) Error() string { return e.Say(e.Field) }

// Say is Error for people who know the field by another name, a flag's perhaps.
func (e *ConfigError) Say(field string) string {
	if e.Missing {
		return e.Err.Error() + ": set " + field
	}
	return "cannot use " + field + ": " + e.Err.Error()
}

// Unwrap returns what is wrong with it.
func (e *ConfigError) Unwrap() error { return e.Err }

// A RemovedError refuses to start a node that was removed from its ring, or left it, and is
// to join it again. It is ErrRemoved.
type RemovedError struct {
	Learnt time.Time // when the node learnt of it, by its own clock; zero if that is not known
	Left   bool      // it left by itself
}

func (e *RemovedError) Error() string {
	why := ErrRemoved
	if e.Left {
		why = ErrLeft
	}
	return why.Error() + ": set Rejoin to bring it back; without Join it starts as a new ring of itself"
}

// Is says that it is ErrRemoved.
func (e *RemovedError) Is(target error) bool { return target == ErrRemoved }

// A NameTakenError says where the living node of the same name is. It is ErrNameTaken.
type NameTakenError struct {
	Name string
	Text string // the engine's: where it is, and what to do
}

func (e *NameTakenError) Error() string {
	return e.Text
}

// Is says that it is ErrNameTaken.
func (e *NameTakenError) Is(target error) bool { return target == ErrNameTaken }

// A CommandError is the ring's no to a command, a message or a question.
type CommandError struct {
	Code wire.Code
	Text string
}

func (e *CommandError) Error() string {
	if e.Text == "" {
		return e.Code.String()
	}
	return e.Text
}

// errHalted says why a node ended, nil when it was stopped.
func errHalted(why core.Reason, name, text string) error {
	switch why {
	case core.HaltLeft:
		return ErrLeft
	case core.HaltRemoved:
		return ErrRemoved
	case core.HaltNameTaken:
		return &NameTakenError{Name: name, Text: text}
	}
	return nil
}
