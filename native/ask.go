package native

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

const (
	usualWait    = 5 * time.Second // the engine's, for answers
	waitsOver    = 2 * time.Second // after which a question that it should have ended is given up
	mostAnswered = 16 << 20        // bytes of answers that wait for who asked
)

var (
	errUnended = unended{}
	errUnread  = fmt.Errorf("there are more than %d MiB of answers that nobody has read", mostAnswered>>20)
)

// unended: the engine does not know a question any more, or is too late to say that it is over. It is
// ErrBroke to programs, as that is what loses questions.
type unended struct{}

func (unended) Error() string {
	return "the question was lost: this node's engine was started again meanwhile, or is far behind on a machine that is busy: ask again"
}

func (unended) Is(target error) bool { return target == ErrBroke }

// Answer is what a node answered.
type Answer struct {
	From    string
	Payload []byte
	Err     error // why it has none: it is busy, or failed (a *CommandError)
}

// Answers are what comes of a question, as it comes.
type Answers struct {
	node   *Node
	id     uint64
	nodes  bool // nodes alone answer: what guests say to a reserved topic is made up
	late   *time.Timer
	unhook func() bool

	mu     sync.Mutex
	queue  []Answer
	bytes  int
	over   bool
	off    bool // it is called off
	silent []string
	err    error
	wake   chan struct{} // has something when there is news
}

// Ask asks all nodes that are up, this one too, and returns what they answer. The question
// is over when all who are asked have answered, or when the time or the number of answers is
// reached that an option sets, or ctx ends. Nodes where nobody answers the topic say
// so by themselves, and are not waited for.
func (n *Node) Ask(ctx context.Context, topic string, payload []byte, options ...Option) (*Answers, error) {
	c := said(core.Ask, topic, payload, options)
	c.ID = n.nextCmd.Add(1)
	a := &Answers{node: n, id: c.ID, nodes: isReserved(topic), wake: make(chan struct{}, 1)}
	if !n.hearing.asks(a) {
		return nil, ErrStopped
	}
	wait := usualWait
	if c.Timeout > 0 {
		wait = time.Duration(c.Timeout) * time.Microsecond
	}
	if _, err := n.do(ctx, c); err != nil {
		n.hearing.asked(a.id)
		if ctx.Err() != nil {
			a.callOff() // it may have been asked all the same
		}
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.over {
		a.late = time.AfterFunc(wait+waitsOver, func() { a.end(nil, errUnended) })
		a.unhook = context.AfterFunc(ctx, func() { a.end(nil, ctx.Err()) })
	}
	return a, nil
}

// All yields the answers as they come, until the question is over. Who breaks off
// calls it off: nobody answers any more.
func (a *Answers) All() iter.Seq[Answer] {
	return func(yield func(Answer) bool) {
		for {
			a.mu.Lock()
			over, next := a.over, Answer{}
			some := len(a.queue) > 0
			if some {
				next = a.queue[0]
				a.queue = a.queue[1:]
				a.bytes -= len(next.Payload)
			}
			a.mu.Unlock()
			switch {
			case some:
				if !yield(next) {
					a.CallOff()
					return
				}
			case over:
				return
			default:
				<-a.wake
			}
		}
	}
}

// Silent returns who was asked and has not answered, sorted, once the question is over.
func (a *Answers) Silent() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.silent
}

// Err says, once the question is over, why it was so before its time: ctx's error, or
// ErrStopped; else nil.
func (a *Answers) Err() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.err
}

// CallOff ends the question: nobody need answer any more. Silent tells who had not.
func (a *Answers) CallOff() {
	a.mu.Lock()
	off := !a.over && !a.off
	a.off = a.off || off
	a.mu.Unlock()
	if off {
		a.callOff()
	}
}

func (a *Answers) callOff() {
	a.node.spawn(func() {
		a.node.do(context.Background(), core.Command{Op: core.CallOff, Question: a.id}) // it may be over already
	})
}

// take takes in what the engine says of it.
func (a *Answers) take(e *core.Event) {
	if e.Kind == core.EventDone {
		a.end(slices.DeleteFunc(slices.Clone(e.Names), a.isMadeUp), nil)
		return
	}
	if a.isMadeUp(e.Name) {
		return
	}
	answer := Answer{From: e.Name, Payload: []byte(e.Payload)}
	if e.Code != 0 {
		answer.Payload, answer.Err = nil, noAnswer(e.Code, e.Payload)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.over {
		return
	}
	if a.bytes += len(answer.Payload); a.bytes > mostAnswered { // nobody reads
		a.endLocked(nil, errUnread)
		a.callOff()
		return
	}
	a.queue = append(a.queue, answer)
	a.news()
}

// isMadeUp says whether an answer of a name, or that it has none, is to be ignored.
func (a *Answers) isMadeUp(name string) bool {
	is, member := a.node.Get(name)
	return a.nodes && (!member || is.Ephemeral)
}

// noAnswer says why a node has no answer.
func noAnswer(code wire.Code, text string) error {
	if text == "" && code == wire.CodeBusy {
		text = "it has too many questions to answer"
	}
	return &CommandError{Code: code, Text: text}
}

func (a *Answers) end(silent []string, err error) {
	a.mu.Lock()
	ended := a.endLocked(silent, err)
	a.mu.Unlock()
	if ended && err != nil && err != ErrStopped {
		a.callOff()
	}
}

func (a *Answers) endLocked(silent []string, err error) bool {
	if a.over {
		return false
	}
	a.over, a.silent, a.err = true, silent, err
	a.node.hearing.asked(a.id)
	if a.late != nil {
		a.late.Stop()
		a.unhook()
	}
	a.news()
	return true
}

func (a *Answers) news() {
	select {
	case a.wake <- struct{}{}:
	default:
	}
}
