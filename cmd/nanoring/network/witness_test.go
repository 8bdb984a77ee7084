//go:build linux

package network

import (
	"bufio"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// witness writes down what each node shows of each other, from its events.
type witness struct {
	floods bool // more happens at once than it is told of
	n      *network

	mu   sync.Mutex
	seen []sight
	now  map[[2]string]string // observer and observed: the state
	said map[string][]said    // of each observer, what is not about states
}

// sight is that one node shows another in a state from a time on.
type sight struct {
	at     time.Time
	by, of string
	state  string
}

// said is an event of another kind.
type said struct{ kind, name string }

func newWitness(n *network) *witness {
	return &witness{n: n, now: make(map[[2]string]string), said: make(map[string][]said)}
}

// watch follows a node's events until it ends.
func (w *witness) watch(h *host) {
	w.n.t.Helper()
	resp, err := h.node.client.Get("http://localhost/v1/events")
	if err != nil {
		w.n.t.Fatal(err)
	}
	unseen := make(chan struct{})
	h.node.unseen = unseen
	go func() {
		defer close(unseen)
		defer resp.Body.Close()
		for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
			data, ok := strings.CutPrefix(lines.Text(), "data: ")
			if !ok {
				continue
			}
			var e struct {
				Kind, Name string
				Node       struct{ Name, State string }
			}
			if err := json.Unmarshal([]byte(data), &e); err != nil {
				panic(err)
			}
			if e.Kind == "lost" && !w.floods {
				w.n.t.Errorf("events of %s were lost: the machine is too busy for this test", h.name)
			}
			w.write(h.name, e.Kind, e.Name, e.Node.Name, e.Node.State)
		}
	}()
}

func (w *witness) write(by, kind, name, of, state string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if of == "" {
		w.said[by] = append(w.said[by], said{kind, name})
		return
	}
	pair := [2]string{by, of}
	if was := w.now[pair]; was != state {
		w.seen = append(w.seen, sight{at: time.Now(), by: by, of: of, state: state})
		w.now[pair] = state
	}
}

// forget forgets what a node shows, which has ended.
func (w *witness) forget(h *host) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for pair := range w.now {
		if pair[0] == h.name {
			delete(w.now, pair)
		}
	}
}

// since returns what was seen since a time.
func (w *witness) since(at time.Time) []sight {
	w.mu.Lock()
	defer w.mu.Unlock()
	i := slices.IndexFunc(w.seen, func(s sight) bool { return !s.at.Before(at) })
	if i < 0 {
		return nil
	}
	return slices.Clone(w.seen[i:])
}

// shows returns the state in which a node shows another.
func (w *witness) shows(by, of *host) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now[[2]string{by.name, of.name}]
}

// wrong says who does not show whom up, of all hosts.
func (n *network) wrong() string { return n.wrongAmong(n.hosts, n.hosts, "up") }

// wrongAmong says which of the observers does not show which of the others so.
func (n *network) wrongAmong(observers, others []*host, state string) string {
	var s []string
	for _, by := range observers {
		for _, of := range others {
			if got := n.witness.shows(by, of); got != state {
				s = append(s, fmt.Sprintf("%s shows %s %q", by.name, of.name, got))
			}
		}
	}
	if len(s) > 4 {
		s = append(s[:4], fmt.Sprintf("and %d more", len(s)-4))
	}
	return strings.Join(s, ", ")
}

// innocent fails the test if the observers held the others for dead since a time,
// or doubted them on and on; all of them live, and can be reached.
func (n *network) innocent(from time.Time, observers, others []*host) {
	n.t.Helper()
	var down, doubts []sight
	for _, s := range n.witness.since(from) {
		switch {
		case !has(observers, s.by) || !has(others, s.of):
		case s.state == "down":
			down = append(down, s)
		case s.state == "suspect":
			doubts = append(doubts, s)
		}
	}
	for _, accused := range []struct {
		what string
		by   []sight
		most int // a busy machine may make a node late, once for each who looks
	}{{"down", down, 0}, {"suspect", doubts, len(n.hosts) * len(n.hosts)}} {
		if len(accused.by) == 0 {
			continue
		}
		last := accused.by[len(accused.by)-1]
		n.note("at %s, %s were shown %s %d times in %.2f s, the last time %s by %s", names(observers), names(others), accused.what, len(accused.by), last.at.Sub(from).Seconds(), last.of, last.by)
		if len(accused.by) > accused.most {
			n.t.Errorf("nodes that live and can be reached were shown %s %d times", accused.what, len(accused.by))
		}
	}
}

func has(hosts []*host, name string) bool {
	return slices.ContainsFunc(hosts, func(h *host) bool { return h.name == name })
}
