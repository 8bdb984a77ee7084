package native

import (
	"bytes"
	"context"
	"iter"
)

// Listen hears from now on what is sent to all, or told this node, on the topics of
// some patterns, in which '*' stands for any characters; none stand for all. What it
// returns yields it until ctx or the node ends, for one loop. Somebody who does not read
// holds nobody up: beyond 256 the oldest are lost, and a Message with Gap comes first.
func (n *Node) Listen(ctx context.Context, patterns ...string) (iter.Seq[Message], error) {
	if len(patterns) == 0 {
		patterns = []string{"*"}
	}
	s, err := newSubscriber(patterns)
	if err != nil {
		return nil, err
	}
	if err := n.subscribe(ctx, s); err != nil {
		return nil, err
	}
	unhook := context.AfterFunc(ctx, func() { n.remove(s, false) })
	return func(yield func(Message) bool) {
		defer unhook()
		defer n.remove(s, false)
		for ctx.Err() == nil {
			m, ok, over := n.hearing.next(s)
			switch {
			case ok:
				m.Payload = bytes.Clone(m.Payload) // others have it, too
				if !yield(m) {
					return
				}
			case over:
				return
			default:
				<-s.wake
			}
		}
	}, nil
}
