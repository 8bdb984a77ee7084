package native

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/nanoring/nanoring/core/wire"
)

// tellTimeout is for a node to confirm a tell: the ring gives that up before.
const tellTimeout = answerTimeout + 3*time.Second

// MessageJSON is what is heard in the HTTP API.
type MessageJSON struct {
	Kind  string    `json:"kind"`         // message; gap; ready
	ID    string    `json:"id,omitempty"` // of the process and the message
	Seq   uint64    `json:"seq,omitempty"`
	At    time.Time `json:"at,omitzero"`
	From  string    `json:"from,omitempty"`
	Topic string    `json:"topic,omitempty"`
	PayloadJSON
	Told  bool      `json:"told,omitempty"`
	Until time.Time `json:"until,omitzero"` // of a question
}

func (s *stream) message(m *Message) {
	j := MessageJSON{Kind: "gap", ID: s.id(m.Seq), Seq: m.Seq, At: m.At.UTC(), From: m.From}
	if !m.Gap {
		j.Kind, j.Topic, j.PayloadJSON, j.Told, j.Until = "message", m.Topic, payloadJSON(m.Payload), m.Told, m.Until.UTC()
	}
	s.write(j.ID, j.Kind, j)
}

// getMessages streams what is heard. A client that does not keep up loses some, and is
// told so.
func (n *Node) getMessages(w http.ResponseWriter, r *http.Request) {
	q, ok := queryFor(w, r, []string{"topic", "since"})
	if !ok {
		return
	}
	if len(q.topics) == 0 {
		q.topics = []string{"*"}
	}
	sub, err := newSubscriber(q.topics)
	if err == nil {
		var ours bool
		if sub.since, sub.back, ours = n.sinceOf(r, q); sub.back && !ours {
			sub.since, sub.lost = 0, true
		}
		err = n.subscribe(r.Context(), sub)
	}
	if err != nil {
		failed(w, err)
		return
	}
	defer n.remove(sub, true)
	s := n.newStream(w)
	last, over := n.pour(sub, s)
	last = max(last, sub.from)
	ready := MessageJSON{Kind: "ready", ID: s.name(last), Seq: last} // there may be none yet
	s.write(ready.ID, ready.Kind, ready)
	s.flush()
	beat := time.NewTimer(heartbeat)
	defer beat.Stop()
	for s.err == nil && !over {
		beat.Reset(heartbeat)
		select {
		case <-r.Context().Done():
			return
		case <-beat.C:
			s.beat()
		case <-sub.wake:
			s.extend()
			_, over = n.pour(sub, s)
		}
		s.flush()
	}
}

// pour writes what waits for a subscriber, and says which was the last, and whether
// that is all for ever.
func (n *Node) pour(sub *subscriber, s *stream) (last uint64, over bool) {
	for s.err == nil {
		m, ok, ended := n.hearing.next(sub)
		if !ok {
			return last, ended
		}
		s.message(&m)
		last = max(last, m.Seq)
	}
	return last, false
}

// postMessage sends to all, or to those that a filter picks, or tells one.
func (n *Node) postMessage(w http.ResponseWriter, r *http.Request) {
	var body struct {
		To    string `json:"to"`
		Topic string `json:"topic"`
		PayloadJSON
	}
	q, ok := queryOf(w, r)
	if !ok || !readBody(w, r, &body) {
		return
	}
	payload, ok := body.bytes(w)
	if !ok {
		return
	}
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(tellTimeout + time.Second))
	ctx, cancel := context.WithTimeout(r.Context(), tellTimeout)
	defer cancel()
	if body.To == "" {
		if err := n.Send(ctx, body.Topic, payload, q.among()...); err != nil {
			notSaid(w, err)
			return
		}
		w.WriteHeader(http.StatusAccepted)
		return
	}
	if len(q.filters) > 0 {
		problem(w, http.StatusBadRequest, "bad-request", "who is told is one node, and no filter is needed: say to, or a filter")
		return
	}
	if err := n.Tell(ctx, body.To, body.Topic, payload); err != nil {
		notSaid(w, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// among is the filter of what is sent, as an option.
func (q *query) among() (all []Option) {
	for _, f := range q.filters {
		all = append(all, Among(f))
	}
	return all
}

// notSaid answers with why something was not sent, or asked.
func notSaid(w http.ResponseWriter, err error) {
	var no *CommandError
	if errors.As(err, &no) && no.Code == wire.CodeBusy {
		w.Header().Set("Retry-After", "1")
		problem(w, http.StatusTooManyRequests, no.Code.String(), no.Error())
		return
	}
	failed(w, err)
}
