package native

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// Why is what a node knows of another, and how.
type Why struct {
	By       string    // the node that says so
	Name     string    // of whom
	Node     core.Node // what it holds of it
	Known    bool      // Node belongs to the ring
	Link     *Link     // its connection with it; nil if there is none
	Evidence []Evidence
}

// Link is a connection of a node.
type Link struct {
	Name  string        // the other end
	Guest bool          // a guest of this node
	Trip  time.Duration // the last round trip that was measured; 0 if none was
	Heard time.Time     // when something came on it last
}

// Why returns what this node knows of another and how: the evidence that it had lately, the
// oldest first.
func (n *Node) Why(name string) Why {
	w := Why{By: n.cfg.Name, Name: name, Evidence: n.evidence.about(name)}
	w.Node, w.Known = n.Get(name)
	ctx, cancel := context.WithTimeout(context.Background(), engineTime)
	defer cancel()
	links, _ := n.links(ctx) // without, if the engine has no time
	if i := slices.IndexFunc(links, func(l Link) bool { return l.Name == name }); i >= 0 {
		w.Link = &links[i]
	}
	return w
}

// links are the connections on which a hello came, sorted by name.
func (n *Node) links(ctx context.Context) (all []Link, err error) {
	err = n.aside(ctx, func(l *loop) {
		for _, c := range l.conns {
			if name := c.peer(); name != "" {
				all = append(all, Link{name, c.story.open.role == core.Guest, c.round.trip, c.round.heard})
			}
		}
	})
	slices.SortFunc(all, func(a, b Link) int { return strings.Compare(a.Name, b.Name) })
	return all, err
}

// WhyJSON is a Why in the HTTP API.
type WhyJSON struct {
	By       string         `json:"by"`
	Name     string         `json:"name"`
	State    string         `json:"state"` // "": it does not belong to the ring
	Since    time.Time      `json:"since,omitzero"`
	Link     *LinkJSON      `json:"link,omitempty"`
	Evidence []EvidenceJSON `json:"evidence"`
}

// LinkJSON is a Link in the HTTP API.
type LinkJSON struct {
	Name   string `json:"name"`
	Guest  bool   `json:"guest,omitempty"`
	Trip   int64  `json:"trip_micros,omitempty"`
	Silent int64  `json:"silent_millis"` // since something came on it
}

// EvidenceJSON is a piece of Evidence in the HTTP API.
type EvidenceJSON struct {
	At     time.Time `json:"at"`
	Until  time.Time `json:"until,omitzero"`
	Times  int       `json:"times"`
	What   string    `json:"what"`
	By     []string  `json:"by,omitempty"`
	Code   string    `json:"code,omitempty"`
	Silent int64     `json:"silent_millis,omitempty"`
	Text   string    `json:"text"`
}

func (l *Link) json() LinkJSON {
	return LinkJSON{l.Name, l.Guest, l.Trip.Microseconds(), max(time.Since(l.Heard).Milliseconds(), 0)}
}

func (w *Why) json() WhyJSON {
	j := WhyJSON{By: w.By, Name: w.Name, Evidence: []EvidenceJSON{}}
	if w.Known {
		j.State, j.Since = w.Node.State.String(), microTime(w.Node.Since)
	}
	if w.Link != nil {
		link := w.Link.json()
		j.Link = &link
	}
	for _, e := range w.Evidence {
		j.Evidence = append(j.Evidence, EvidenceJSON{e.At, e.Until.UTC(), e.Times, e.What, e.By, e.Code, e.Silent.Milliseconds(), e.Text()})
	}
	return j
}

func (n *Node) getWhy(w http.ResponseWriter, r *http.Request) {
	q, ok := queryFor(w, r, []string{"name"})
	if !ok {
		return
	}
	if q.name == "" {
		problem(w, http.StatusBadRequest, "bad-request", "of whom is not said: ask for /v1/why?name=NAME")
		return
	}
	why := n.Why(q.name)
	if !why.Known && len(why.Evidence) == 0 {
		unknownNode(w, q.name)
		return
	}
	respond(w, http.StatusOK, why.json())
}

// answerWhy leaves the oldest out of what does not fit an answer.
func (n *Node) answerWhy(name string) WhyJSON {
	why := n.Why(name)
	j := why.json()
	for len(j.Evidence) > 0 && lengthOf(j) > wire.MaxPayload {
		j.Evidence = j.Evidence[1:]
	}
	return j
}

func lengthOf(v any) int {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("it is of this program: %v", err))
	}
	return len(b)
}
