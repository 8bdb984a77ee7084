package native

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/nanoring/nanoring/core"
)

const (
	heartbeat    = 15 * time.Second
	eventTimeout = 10 * time.Second // for a client to take what is written
)

// EventJSON is an event in the HTTP API.
type EventJSON struct {
	Kind        string    `json:"kind"`
	Node        *NodeJSON `json:"node,omitempty"`
	Name        string    `json:"name,omitempty"`
	Address     string    `json:"address,omitempty"`
	Code        string    `json:"code,omitempty"`
	Text        string    `json:"text,omitempty"`
	AheadMicros int64     `json:"ahead_micros,omitempty"`
}

func eventJSON(e core.Event) EventJSON {
	j := EventJSON{Kind: e.Kind.String()}
	switch e.Kind {
	case core.EventNode:
		node := nodeJSON(e.Node)
		j.Node = &node
	case core.EventRefused:
		j.Name, j.Address, j.Code, j.Text = e.Name, e.Addr, e.Code.String(), e.Text
	case core.EventSkew:
		j.Name, j.Address, j.AheadMicros = e.Name, e.Addr, e.Skew
		if e.Code != 0 {
			j.Code = e.Code.String()
		}
	}
	return j
}

// eventJSON adds to an event what the node knows beside it.
func (n *Node) eventJSON(e core.Event) EventJSON {
	j := eventJSON(e)
	if j.Node != nil {
		*j.Node = n.clocks.explain(*j.Node)[0]
	}
	return j
}

// getEvents streams what happens. It is a watcher like any other: a client that
// does not keep up is told so and dropped.
func (n *Node) getEvents(w http.ResponseWriter, r *http.Request) {
	present, watcher := n.board.watch()
	defer n.board.unwatch(watcher)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	s := &stream{w: w, rc: http.NewResponseController(w)}
	_ = s.rc.SetReadDeadline(time.Time{}) // the server's is for the request
	s.extend()
	fmt.Fprint(w, "retry: 1000\n\n")
	for _, node := range present {
		s.event(n.eventJSON(core.Event{Kind: core.EventNode, Node: node}))
	}
	s.event(EventJSON{Kind: "ready"})
	s.flush()
	beat := time.NewTimer(heartbeat)
	defer beat.Stop()
	for s.err == nil {
		beat.Reset(heartbeat)
		select {
		case <-r.Context().Done():
			return
		case <-beat.C:
			s.extend()
			fmt.Fprint(w, ": still there\n\n")
		case e, ok := <-watcher.events:
			s.extend()
			if !ok {
				if watcher.slow {
					s.event(EventJSON{Kind: "lost"})
				}
				s.flush()
				return
			}
			s.event(n.eventJSON(e))
			for len(watcher.events) > 0 && s.err == nil {
				s.event(n.eventJSON(<-watcher.events))
			}
		}
		s.flush()
	}
}

// stream writes server-sent events until one cannot be written.
type stream struct {
	w   http.ResponseWriter
	rc  *http.ResponseController
	err error
}

// extend gives the client time for what comes next. A server without deadlines,
// of somebody else's, is none of our business.
func (s *stream) extend() { _ = s.rc.SetWriteDeadline(time.Now().Add(eventTimeout)) }

func (s *stream) event(e EventJSON) {
	if s.err != nil {
		return
	}
	b, err := json.Marshal(e)
	if err == nil {
		_, err = fmt.Fprintf(s.w, "event: %s\ndata: %s\n\n", e.Kind, b)
	}
	s.err = err
}

func (s *stream) flush() {
	if s.err == nil {
		s.err = s.rc.Flush()
	}
}
