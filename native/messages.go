package native

import (
	"context"
	"time"

	"github.com/nanoring/nanoring/core"
)

// Message is what somebody sent, and this node heard.
type Message struct {
	From    string // the node that sent it, as its gateway or certificate has it
	Topic   string
	Payload []byte
	Told    bool      // to this node alone
	Until   time.Time // of a question: when it is over; zero of what is none
	Seq     uint64    // its number in this process, from 1 on; 0 of a gap that is the listener's own
	At      time.Time // when this node heard it
	// Gap says that this is no message: something was lost before what comes next. It is
	// of what From sent, or, if From is empty, of what anybody did: the listener did not
	// read, or this node's engine broke.
	Gap bool
}

// Option says more of what is sent or asked.
type Option func(*core.Command)

// Among is an option of Send and Ask: it is for the nodes that a filter picks alone.
func Among(f core.Filter) Option { return func(c *core.Command) { c.Filter = f } }

// Limit is an option of Ask, which is over when so many have answered.
func Limit(answers int) Option { return func(c *core.Command) { c.Limit = answers } }

// Within is an option of Ask, which is over after so long, at most: 1 ms to 10 min; without
// it after 5 s.
func Within(d time.Duration) Option {
	return func(c *core.Command) { c.Timeout = max(d.Microseconds(), 1) }
}

// Send sends a payload, of 8 KiB at most, on a topic, 1 to 64 bytes of a-z A-Z 0-9 . _ -,
// to all nodes that are up, this one too. Whoever listens there hears it once, after
// what this node sent before. It returns when this node has taken it; that it
// has too much to send is a *CommandError of wire.CodeBusy.
func (n *Node) Send(ctx context.Context, topic string, payload []byte, options ...Option) error {
	_, err := n.do(ctx, said(core.SendMessage, topic, payload, options))
	return err
}

// Tell sends a payload on a topic to one node, wherever it hangs. It returns when that
// has heard it. It is a *CommandError of wire.CodeNobody if nobody listens to the topic
// there, and of wire.CodeUnreachable if it has not confirmed in 30 s: it may have heard
// it, or not.
func (n *Node) Tell(ctx context.Context, name, topic string, payload []byte) error {
	c := said(core.Tell, topic, payload, nil)
	c.Name = name
	_, err := n.do(ctx, c)
	return err
}

func said(op core.Op, topic string, payload []byte, options []Option) core.Command {
	c := core.Command{Op: op, Topic: topic, Payload: string(payload)}
	for _, option := range options {
		option(&c)
	}
	return c
}
