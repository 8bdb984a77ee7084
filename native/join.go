package native

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

const (
	joinSaid    = 2500 * time.Millisecond // after so long it is said that nobody has let this node in: an address has 2 s to answer
	joinPartial = 15 * time.Second        // and after so long that it was let in, and its ring does not come through
	mostTried   = 32                      // addresses that are named
)

// JoinStatus is how far a node is with joining.
type JoinStatus struct {
	State   string    `json:"state"` // alone (there is nothing to join), joining, or joined
	Since   time.Time `json:"since"` // of joined and of joining
	Sources []string  `json:"sources"`
	// LetInBy is who let a joining node in: its ring has not come through yet.
	LetInBy string `json:"let_in_by"`
	// Tried is what came of each address, and each source without one, while joining: the first 32.
	Tried []Tried `json:"tried"`
}

// Tried is an address that a node is to join, or a source that has none, and why it has not.
type Tried struct {
	Address string `json:"address"` // "" of a source without one
	Source  string `json:"source"`
	Why     string `json:"why"`
}

// String says it in a few words.
func (t Tried) String() string {
	what := t.Source
	if t.Address != "" {
		what = t.Address
		if t.Source != t.Address {
			what += " (" + t.Source + ")"
		}
	}
	return what + ": " + t.Why
}

// joining is what is known of how far a node is with joining, and the sources of addresses.
type joining struct {
	again chan struct{} // the engine is to be given the addresses again
	anew  chan struct{} // there are other addresses to join than before

	remembers bool // others that are up, from before it started

	mu      sync.Mutex
	began   time.Time // or was told to join others, before it had joined
	asked   []*asking
	given   []string          // to the engine
	missed  map[string]string // why an address could not be dialled,
	refused map[string]string // or did not let this node in
	own     map[string]bool   // addresses that are this node's
	letIn   string            // who did it, while it is connected
	letInAt time.Time         // since when somebody has, now and again
	left    string            // who was the last that did,
	leftAt  time.Time         // and is connected no more
	joined  time.Time         // zero: not yet
	warned  bool              // of a loopback address
}

func newJoining() joining {
	return joining{
		began: time.Now(), again: make(chan struct{}, 1), anew: make(chan struct{}, 1),
		missed: make(map[string]string), refused: make(map[string]string), own: make(map[string]bool),
	}
}

// Joined waits until the node has joined its ring: it knows then who is there. It returns nil at
// once if there is nothing to join, and when the node has found nobody for as long as ReadyAlone says.
func (n *Node) Joined(ctx context.Context) error {
	for {
		if n.joinReady() {
			return nil
		}
		select {
		case <-time.After(50 * time.Millisecond): // that all others are down is no event
		case <-n.halted:
			return ErrStopped
		case <-ctx.Done():
			joining, partly, _ := n.joinFacts()
			return fmt.Errorf("the node has not joined: %s: %w", joining+partly, context.Cause(ctx))
		}
	}
}

// joinReady says whether nobody has to wait for the node to join.
func (n *Node) joinReady() bool {
	joining, partly, _ := n.joinFacts()
	return joining == "" && partly == ""
}

// joinFacts says in one of its results, if at all, why a node has not joined: for now; because the records of
// who let it in do not come through; or without anybody having to wait for that, as ReadyAlone says.
func (n *Node) joinFacts() (joining, partly, alone string) {
	s := n.joinStatus()
	n.joins.mu.Lock()
	letIn, by := n.joins.letInAt, n.joins.letIn
	if by == "" && time.Since(n.joins.leftAt) < joinPartial {
		by = n.joins.left // what stalls a connection breaks it, too, and it comes again
	}
	n.joins.mu.Unlock()
	switch {
	case s.State != "joining":
		return "", "", ""
	case by != "" && time.Since(letIn) >= joinPartial:
		return "", by + " did so at " + stamp(letIn), ""
	case s.LetInBy != "":
		return s.LetInBy + " has let it in, and tells it what the ring knows", "", ""
	case n.cfg.ReadyAlone > 0 && time.Since(s.Since) >= n.cfg.ReadyAlone:
		return "", "", notJoined(s.Tried, 1)
	}
	return notJoined(s.Tried, 1), "", ""
}

// joinStatus returns how far the node is.
func (n *Node) joinStatus() JoinStatus {
	others := n.othersUp()
	j := &n.joins
	j.mu.Lock()
	defer j.mu.Unlock()
	s := JoinStatus{State: "alone", Sources: []string{}, Tried: []Tried{}}
	for _, a := range j.asked {
		s.Sources = append(s.Sources, a.source.String())
	}
	switch {
	case !j.joined.IsZero():
		s.State, s.Since = "joined", j.joined.UTC()
		return s
	case len(j.asked) == 0 && !(j.remembers && others):
		return s
	}
	s.State, s.Since, s.LetInBy, s.Tried = "joining", j.began.UTC(), j.letIn, j.tried()
	return s
}

// tried is called with the lock held.
func (j *joining) tried() []Tried {
	all := []Tried{}
	for _, a := range j.asked {
		if len(a.found) == 0 || a.err != nil {
			why := "no answer yet"
			if a.err != nil {
				why = a.err.Error()
			} else if a.answered {
				why = "it has no address"
			}
			all = append(all, Tried{Source: a.source.String(), Why: why})
		}
		for _, addr := range a.found {
			if len(all) >= mostTried {
				return all
			}
			all = append(all, Tried{addr, a.source.String(), j.why(addr)})
		}
	}
	return all
}

func (j *joining) why(addr string) string {
	switch {
	case j.own[addr]:
		return "that is this node itself"
	case j.missed[addr] != "":
		return j.missed[addr]
	case j.refused[addr] != "":
		return j.refused[addr]
	}
	return "no answer yet"
}

// notJoined is what came of the first most addresses, for people.
func notJoined(tried []Tried, most int) string {
	if len(tried) == 0 {
		return "none of the nodes that it knows answers"
	}
	var all []string
	for _, t := range tried[:min(most, len(tried))] {
		all = append(all, t.String())
	}
	if more := len(tried) - len(all); more > 0 {
		all = append(all, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(all, "; ")
}

// othersUp says whether another durable node is up, as far as this one knows.
func (n *Node) othersUp() bool {
	return n.board.othersUp(n.cfg.Name)
}

// watchJoin says in the log, in time and then rarely, that the node has not joined.
func (n *Node) watchJoin() {
	said := remark{at: n.joins.since(), rests: joinSaid}
	for {
		select {
		case <-n.halted:
			return
		case <-n.joins.anew:
			said = remark{at: n.joins.since(), rests: joinSaid}
		case <-time.After(min(joinSaid, said.rests-time.Since(said.at))):
		}
		s := n.joinStatus()
		_, partly, _ := n.joinFacts()
		switch {
		case s.State == "joined":
			return
		case !said.due(time.Now(), n.joins.since(), partly != ""):
			continue
		case partly != "":
			n.log.Warn("this node has joined in part: it was let in, but what the ring knows does not come through; it tries on", "why", partly, "do", longPackets)
		case s.State == "joining" && s.LetInBy == "" && len(s.Sources) > 0:
			n.log.Warn("this node has not joined: nobody has let it in yet; it tries on", "why", notJoined(s.Tried, mostTried))
		}
	}
}

// remark is the last that was said of a node that has not joined.
type remark struct {
	at     time.Time
	rests  time.Duration // until it is said again
	partly bool          // that it has joined in part
}

// due says whether something is to be said now: rarely, but when a node has joined in part that is news.
func (r *remark) due(now, began time.Time, partly bool) bool {
	if now.Sub(r.at) < r.rests && (r.partly || !partly) {
		return false
	}
	switch since := now.Sub(began); {
	case since < joinPartial:
		r.rests = joinPartial
	case since < time.Minute:
		r.rests = time.Minute
	default:
		r.rests = 10 * time.Minute
	}
	r.at, r.partly = now, partly
	return true
}

// noteJoin takes in what an event says of joining.
func (n *Node) noteJoin(e *core.Event) {
	j := &n.joins
	switch e.Kind {
	case core.EventLetIn:
		j.mu.Lock()
		if j.letIn = e.Name; time.Since(j.leftAt) >= joinPartial {
			j.letInAt = time.Now()
		}
		j.mu.Unlock()
	case core.EventJoined:
		j.mu.Lock()
		first, began := j.joined.IsZero(), j.began
		if first {
			j.joined = n.cfg.Clock()
		}
		j.mu.Unlock()
		if first {
			n.log.Info("this node has joined", "through", e.Name, "took", time.Since(began).Round(time.Millisecond))
		}
	case core.EventRefused:
		j.refuse(e.Addr, e.Code, e.Text)
	}
}

// abandoned takes note that a connection is over. If it was with who has let this node in, it is another one
// that is connected who has, or nobody any more.
func (l *loop) abandoned(c *conn) {
	j := &l.joins
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.letIn == "" || !j.joined.IsZero() || c.peer() != j.letIn {
		return
	}
	next := ""
	for _, c := range l.conns {
		name := c.peer()
		if name == j.letIn {
			return
		}
		if c.story.said && c.story.open.role == core.Peer {
			next = max(next, name)
		}
	}
	if next == "" {
		j.left, j.leftAt = j.letIn, time.Now()
	}
	j.letIn = next
}

// since is since when the node tries to join.
func (j *joining) since() time.Time {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.began
}

// beginAnew is called with the lock held, when there are other addresses to join.
func (j *joining) beginAnew() {
	if j.joined.IsZero() {
		j.began = time.Now()
		notify(j.anew)
	}
}

// refuse takes note of why the node at an address and this one do not let each other in.
func (j *joining) refuse(addr string, code wire.Code, text string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if !slices.Contains(j.given, addr) {
		return
	}
	if text == "" {
		text = code.String()
	}
	j.refused[addr] = text
	if code == wire.CodeSelf {
		j.own[addr] = true
		j.signal()
	}
}

// miss takes note of why an address could not be dialled; "": it could.
func (j *joining) miss(addr, why string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if slices.Contains(j.given, addr) {
		j.missed[addr] = why
	}
}

// signal has the engine be given the addresses again.
func (j *joining) signal() { notify(j.again) }

func notify(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
