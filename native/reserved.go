package native

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// reserved are the topics of questions that each native node answers by itself, with JSON:
// docs/api.md has what they ask. What else begins like them is anybody's, as topics are.
var reserved = map[string]bool{
	"nanoring.why": true, "nanoring.node": true, "nanoring.reach": true, "nanoring.rtt": true, "nanoring.records": true,
}

func (n *Node) answerReserved(ctx context.Context, q Question) (any, error) {
	switch payload := string(q.Payload); q.Topic {
	case "nanoring.why":
		return n.answerWhy(payload), nil
	case "nanoring.node":
		return n.answerNode(ctx)
	case "nanoring.reach":
		return n.answerReach(ctx, payload)
	case "nanoring.rtt":
		return n.answerTrip(ctx, payload)
	default:
		return n.answerRecords(ctx, payload)
	}
}

// reservedPattern has the engine hand questions of them over.
const reservedPattern = "nanoring.*"

// pingTopic is told to a node so that it says that nobody listens.
const pingTopic = "nanoring.ping"

func isReserved(topic string) bool { return reserved[topic] || topic == pingTopic }

func (n *Node) answersReserved() *answerer {
	a := &answerer{pattern: reservedPattern, answer: func(ctx context.Context, q Question) ([]byte, error) {
		answer, err := n.answerReserved(ctx, q)
		if err != nil {
			return nil, err
		}
		b, err := json.Marshal(answer)
		if err == nil && len(b) > wire.MaxPayload {
			err = fmt.Errorf("the answer has %d bytes, and may have %d", len(b), wire.MaxPayload)
		}
		return b, err
	}}
	a.ctx, a.cancel = context.WithCancel(context.Background())
	return a
}

// hearFirst has the engine hand over the questions that this node answers by itself.
func (l *loop) hearFirst() {
	h := &l.hearing
	h.mu.Lock()
	h.told = h.subscription()
	h.mu.Unlock()
	h.known = true
	l.step(core.Input{Kind: core.Do, Command: core.Command{Op: core.Hear, Hear: h.told}})
}

// fitting is how many of some things fit an answer that has size bytes without them.
func fitting[T any](all []T, size int) int {
	for i := range all {
		if size += lengthOf(all[i]) + len(","); size > wire.MaxPayload {
			return i
		}
	}
	return len(all)
}

// firstLine is what an error says first.
func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return truncate(line, 200)
}
