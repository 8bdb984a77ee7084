package native

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
	"github.com/nanoring/nanoring/native/trust"
)

// How a node finds out whom it reaches.
const (
	mostDialled = 64 // nodes at a time
	dialsAtOnce = 8  // of them
)

// ReachJSON is whom a node reaches.
type ReachJSON struct {
	Name   string       `json:"name"`
	Dialed []DialedJSON `json:"dialed"` // those that have an address, from its own name on
	Links  []LinkJSON   `json:"links"`
	More   int          `json:"more,omitempty"` // that were left out
}

// DialedJSON is what came of dialling a node: a request of its own, and no WebSocket.
type DialedJSON struct {
	Name string `json:"name"`
	Took int64  `json:"micros"`          // from the dial to the answer
	Why  string `json:"error,omitempty"` // refused, unreachable, timeout, untrusted
}

// reach is what was found out last: one who asked before that began is told it, too.
type reach struct {
	mu    sync.Mutex
	began time.Time
	last  ReachJSON
}

// answerReach dials all nodes that have an address, or those whose names the payload has, a line each.
func (n *Node) answerReach(ctx context.Context, only string) (any, error) {
	asked := time.Now()
	n.reach.mu.Lock()
	defer n.reach.mu.Unlock()
	if only == "" && n.reach.began.After(asked) {
		return n.reach.last, nil
	}
	began := time.Now()
	j := ReachJSON{Name: n.cfg.Name, Dialed: []DialedJSON{}, Links: []LinkJSON{}}
	var to []core.Node
	to, j.More = toDial(n.All(), n.cfg.Name, only)
	all := make([]DialedJSON, len(to))
	var wg sync.WaitGroup
	slots := make(chan struct{}, dialsAtOnce)
	for i, node := range to {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			all[i] = n.tryDial(ctx, node)
		})
	}
	wg.Wait()
	links, err := n.links(ctx)
	if err != nil {
		return nil, err
	}
	fit := fitting(all, lengthOf(j)+20)
	j.Dialed, j.More = all[:fit], j.More+len(all)-fit
	var few []LinkJSON
	for i := range links {
		few = append(few, links[i].json())
	}
	if fit = fitting(few, lengthOf(j)+20); fit > 0 {
		j.Links = few[:fit]
	}
	j.More += len(few) - fit
	if only == "" {
		n.reach.last, n.reach.began = j, began
	}
	return j, nil
}

// toDial picks the nodes that this one dials, of all, which are sorted by name, or of some, a line each; more are
// left out. It goes around from this node's name on: so each node is dialled by as many as any, in a large ring too.
func toDial(all []core.Node, self, some string) (to []core.Node, more int) {
	wanted := make(map[string]bool)
	for name := range strings.Lines(some) {
		wanted[strings.TrimSuffix(name, "\n")] = true
	}
	at, _ := slices.BinarySearchFunc(all, self, func(n core.Node, name string) int { return strings.Compare(n.Name, name) })
	for _, node := range slices.Concat(all[at:], all[:at]) {
		switch {
		case node.Name == self || node.Address == "" || node.State == core.Left || some != "" && !wanted[node.Name]:
		case len(to) == mostDialled:
			more++
		default:
			to = append(to, node)
		}
	}
	return to, more
}

// tryDial finds out whether a node's address answers.
func (n *Node) tryDial(ctx context.Context, node core.Node) DialedJSON {
	ctx, cancel := context.WithTimeout(ctx, n.cfg.Times.connectWithin())
	defer cancel()
	u := url.URL{Scheme: "http", Host: node.Address, Path: "/healthz"}
	if n.keeper.Now().Secured() {
		u.Scheme = "https"
	}
	d := DialedJSON{Name: node.Name}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	began := time.Now()
	if err == nil {
		var answer *http.Response
		if answer, err = n.client.Do(r); err == nil {
			answer.Body.Close()
		}
	}
	d.Took = time.Since(began).Microseconds()
	switch {
	case err == nil:
	case IsRefused(err):
		d.Why = "refused"
	case trust.HandshakeError(err) != nil:
		d.Why = "untrusted"
	case errors.Is(err, context.DeadlineExceeded):
		d.Why = "timeout"
	default:
		d.Why = "unreachable"
	}
	return d
}

// TripJSON is how long a node needs to reach another, and to be answered.
type TripJSON struct {
	From  string    `json:"from"`
	To    string    `json:"to"`
	Trips []int64   `json:"micros"` // of messages to it, on the way that the ring has
	Link  *LinkJSON `json:"link,omitempty"`
}

const tripsMeasured = 3

// answerTrip measures round trips to a node.
func (n *Node) answerTrip(ctx context.Context, to string) (any, error) {
	if _, ok := n.Get(to); !ok {
		return nil, errors.New("no node of this ring is called " + to)
	}
	j := TripJSON{From: n.cfg.Name, To: to}
	for range tripsMeasured {
		ctx, cancel := context.WithTimeout(ctx, n.cfg.Times.connectWithin())
		began := time.Now()
		err := n.Tell(ctx, to, pingTopic, nil)
		cancel()
		var no *CommandError
		switch {
		case err == nil || errors.As(err, &no) && no.Code == wire.CodeNobody:
		case errors.Is(err, context.DeadlineExceeded):
			return nil, fmt.Errorf("%s does not answer: nothing came back in %s", to, n.cfg.Times.connectWithin())
		default:
			return nil, errors.New(to + " does not answer: " + firstLine(err))
		}
		j.Trips = append(j.Trips, time.Since(began).Microseconds())
	}
	if why := n.Why(to); why.Link != nil {
		link := why.Link.json()
		j.Link = &link
	}
	return j, nil
}
