package native

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// How much one who answers has to do at a time.
const (
	mostAnswering = 16
	mostWaiting   = 256 // questions; beyond, it is busy
	mostReason    = 1 << 10
)

// ErrBusy is for who answers, and has too much to do: who asked is told so.
var ErrBusy = errors.New("busy")

// Question is what somebody asked.
type Question struct {
	From    string
	Topic   string
	Payload []byte
}

// answerer is somebody who answers.
type answerer struct {
	pattern string
	answer  func(context.Context, Question) ([]byte, error)
	ctx     context.Context
	cancel  context.CancelFunc

	running int // guarded by the hearing's mutex, like waiting
	waiting []unanswered
}

type unanswered struct {
	Question
	number uint64
}

// Answer has answer called for every question that is asked on a topic, or on those of a
// pattern, in which '*' stands for any characters: 16 at a time, and 256 wait, beyond which
// this node is busy. What it returns, of 8 KiB at most, is the answer; who asked is told of an error.
// Its context ends with the node, whose Close waits for it, and with stop, after which
// nothing is answered any more. Of several who answer a topic the first does.
func (n *Node) Answer(pattern string, answer func(context.Context, Question) ([]byte, error)) (stop func(), err error) {
	if err := wire.ValidPattern(pattern); err != nil {
		return nil, &CommandError{Code: wire.CodeInvalid, Text: err.Error()}
	}
	a := &answerer{pattern: pattern, answer: answer}
	a.ctx, a.cancel = context.WithCancel(context.Background())
	if err := n.hearing.answers(a); err != nil {
		a.cancel()
		return nil, err
	}
	stop = func() {
		a.cancel()
		if n.hearing.answersNot(a) {
			n.hearLess()
		}
	}
	if err := n.hear(context.Background()); err != nil {
		stop()
		return nil, err
	}
	return stop, nil
}

func (h *hearing) answers(a *answerer) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.ended:
		return ErrStopped
	case len(h.answerers) >= wire.MaxTopics-2: // one is for messages, one for what the node answers by itself
		return &CommandError{Code: wire.CodeInvalid, Text: tooManyPatterns}
	}
	h.answerers = append(h.answerers, a)
	return nil
}

func (h *hearing) answersNot(a *answerer) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	before := len(h.answerers)
	h.answerers = slices.DeleteFunc(h.answerers, func(o *answerer) bool { return o == a })
	return len(h.answerers) < before
}

// answering is how many questions are being answered here, or wait for it.
func (h *hearing) answering() (count int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, a := range h.answerers {
		count += a.running + len(a.waiting)
	}
	return count
}

// give gives a question to who answers it. If there is nobody, or too much to do, it
// returns why there will be no answer.
func (n *Node) give(e *core.Event) wire.Code {
	h := &n.hearing
	h.mu.Lock()
	defer h.mu.Unlock()
	at := slices.IndexFunc(h.answerers, func(a *answerer) bool { return isLike(a.pattern, e.Topic) })
	a := h.reserved
	if !reserved[e.Topic] {
		if at < 0 {
			return wire.CodeNobody
		}
		a = h.answerers[at]
	}
	q := unanswered{Question{e.Name, e.Topic, []byte(e.Payload)}, e.Question}
	switch {
	case a.running < mostAnswering:
		if !n.spawn(func() { n.answerAll(a, q) }) {
			return wire.CodeNobody
		}
		a.running++
	case len(a.waiting) < mostWaiting:
		a.waiting = append(a.waiting, q)
	default:
		return wire.CodeBusy
	}
	return 0
}

// answerAll answers a question, and then those that wait.
func (n *Node) answerAll(a *answerer, q unanswered) {
	for more := true; more; {
		c := core.Command{Op: core.Answer, Question: q.number}
		if a.ctx.Err() != nil {
			c.Code = wire.CodeNobody
		} else {
			payload, err := a.answer(a.ctx, q.Question)
			c.Code, c.Payload = answered(payload, err)
		}
		n.do(context.Background(), c) // it may be late
		n.hearing.mu.Lock()
		if more = len(a.waiting) > 0; more {
			q, a.waiting = a.waiting[0], a.waiting[1:]
		} else {
			a.running--
		}
		n.hearing.mu.Unlock()
	}
}

// answered is what a question is answered with.
func answered(payload []byte, err error) (wire.Code, string) {
	if err == nil && len(payload) > wire.MaxPayload {
		err = fmt.Errorf("the answer has %d bytes, and may have %d", len(payload), wire.MaxPayload)
	}
	switch {
	case errors.Is(err, ErrBusy):
		return wire.CodeBusy, ""
	case err != nil:
		reason := err.Error()
		return wire.CodeFailed, strings.ToValidUTF8(reason[:min(len(reason), mostReason)], "")
	}
	return 0, string(payload)
}
