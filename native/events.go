package native

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/nanoring/nanoring/core"
)

const (
	heartbeat    = 15 * time.Second
	eventTimeout = 10 * time.Second // for a client to take what is written
)

// KindHasJoined is the kind of an event in the HTTP API: this node knows what another of its ring does.
const KindHasJoined = "has-joined"

// EventJSON is an event in the HTTP API.
type EventJSON struct {
	Kind        string    `json:"kind"`
	ID          string    `json:"id,omitempty"` // of the process and the event
	Seq         uint64    `json:"seq,omitempty"`
	At          time.Time `json:"at,omitzero"`
	Node        *NodeJSON `json:"node,omitempty"`
	Name        string    `json:"name,omitempty"`
	Address     string    `json:"address,omitempty"`
	Code        string    `json:"code,omitempty"`
	Text        string    `json:"text,omitempty"`
	AheadMicros int64     `json:"ahead_micros,omitempty"`
}

func eventJSON(e Event) EventJSON {
	j := EventJSON{Kind: e.Kind.String(), Seq: e.Seq, At: e.At.UTC()}
	switch e.Kind {
	case core.EventNode:
		node := nodeJSON(e.Node)
		j.Node = &node
		if e.What != "" {
			j.Kind = string(e.What)
		}
	case core.EventLetIn:
		j.Name, j.Address = e.Name, e.Addr
	case core.EventJoined: // this node has; a node that has is "joined"
		j.Kind, j.Name = KindHasJoined, e.Name
	case core.EventRefused:
		j.Name, j.Address, j.Code, j.Text = e.Name, e.Addr, e.Code.String(), e.Text
	case core.EventSkew:
		j.Name, j.Address, j.AheadMicros = e.Name, e.Addr, e.Skew
		if e.Code != 0 {
			j.Code = e.Code.String()
		}
	}
	if e.Gap {
		j.Kind = "gap"
	}
	return j
}

// EventJSON is an event as the HTTP API has it.
func (n *Node) EventJSON(e Event) EventJSON {
	j := eventJSON(e)
	if e.Seq > 0 {
		j.ID = nameOf(formatInstance(n.instance), e.Seq)
	}
	if j.Node != nil {
		*j.Node = n.clocks.explain(*j.Node)[0]
	}
	return j
}

// eventsSince returns what a request is to be told first, and what then.
func (n *Node) eventsSince(r *http.Request, q query) ([]Event, *watcher) {
	seq, back, ours := n.sinceOf(r, q)
	switch {
	case !back:
		return n.board.watch(q.filters)
	case !ours:
		seq = math.MaxUint64 // there is none
	}
	return n.board.watchSince(seq, q.filters)
}

// sinceOf returns the number after which a request wants to go on, if it is back. It names
// what was numbered by a process and the number, so that none is taken for one of
// another process, which is not ours.
func (n *Node) sinceOf(r *http.Request, q query) (seq uint64, back, ours bool) {
	since := q.since
	if last := r.Header.Get("Last-Event-ID"); last != "" {
		since = last // a browser's, which has come back
	}
	process, number, _ := strings.Cut(since, "/")
	seq, err := strconv.ParseUint(number, 10, 64)
	return seq, since != "", err == nil && process == formatInstance(n.instance)
}

// getEvents streams what happens. It is a watcher like any other: a client that
// does not keep up is told so and dropped.
func (n *Node) getEvents(w http.ResponseWriter, r *http.Request) {
	q, ok := queryOf(w, r, "since")
	if !ok {
		return
	}
	seen, watcher := n.eventsSince(r, q)
	defer n.board.unwatch(watcher)
	s := n.newStream(w)
	for _, e := range seen {
		s.event(n.EventJSON(e))
	}
	s.event(EventJSON{Kind: "ready", Seq: watcher.from})
	s.flush()
	beat := time.NewTimer(heartbeat)
	defer beat.Stop()
	for s.err == nil {
		beat.Reset(heartbeat)
		select {
		case <-r.Context().Done():
			return
		case <-beat.C:
			s.beat()
		case e, ok := <-watcher.events:
			s.extend()
			if !ok {
				if watcher.slow {
					s.event(EventJSON{Kind: "lost"})
				}
				s.flush()
				return
			}
			s.event(n.EventJSON(e.event(e.seq)))
			for len(watcher.events) > 0 && s.err == nil {
				e := <-watcher.events
				s.event(n.EventJSON(e.event(e.seq)))
			}
		}
		s.flush()
	}
}

// stream writes server-sent events until one cannot be written.
type stream struct {
	w       http.ResponseWriter
	rc      *http.ResponseController
	process string // whose numbers those of the events are
	now     func() time.Time
	err     error
}

func (n *Node) newStream(w http.ResponseWriter) *stream {
	s := &stream{w: w, rc: http.NewResponseController(w), process: formatInstance(n.instance), now: n.cfg.Clock}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Accel-Buffering", "no")
	_ = s.rc.SetReadDeadline(time.Time{}) // the server's is for the request
	s.extend()
	fmt.Fprint(w, "retry: 1000\n\n")
	return s
}

// extend gives the client time for what comes next. A server without deadlines,
// of somebody else's, is none of our business.
func (s *stream) extend() { _ = s.rc.SetWriteDeadline(time.Now().Add(eventTimeout)) }

// beat shows that the stream is alive.
func (s *stream) beat() {
	s.extend()
	fmt.Fprint(s.w, ": still there\n\n")
}

func (s *stream) event(e EventJSON) {
	if e.At.IsZero() && e.Node == nil {
		e.At = s.now().UTC() // it is about the stream
	}
	e.ID = s.id(e.Seq)
	s.write(e.ID, e.Kind, e)
}

// id is that of what has a number; "" of what has none.
func (s *stream) id(seq uint64) string {
	if seq == 0 {
		return ""
	}
	return s.name(seq)
}

func (s *stream) name(seq uint64) string { return nameOf(s.process, seq) }

func nameOf(process string, seq uint64) string { return process + "/" + strconv.FormatUint(seq, 10) }

func (s *stream) write(id, kind string, v any) {
	if s.err != nil {
		return
	}
	if id != "" {
		id = "id: " + id + "\n"
	}
	b, err := json.Marshal(v)
	if err == nil {
		_, err = fmt.Fprintf(s.w, "%sevent: %s\ndata: %s\n\n", id, kind, b)
	}
	s.err = err
}

func (s *stream) flush() {
	if s.err == nil {
		s.err = s.rc.Flush()
	}
}
