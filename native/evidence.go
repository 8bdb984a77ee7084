package native

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// What is kept of evidence: the last pieces of a name, and the names of which something was
// found out last.
const (
	mostPieces  = 32
	mostSubject = 256
)

// Evidence is a piece of what a node found out of another, or heard of it.
type Evidence struct {
	At    time.Time // when
	Until time.Time // when last, if it was so several times in a row
	Times int       // how often in a row
	// What is a state that began (joined, up, restarted, suspect, down, left, removed), or
	// refuted (a suspect, or one held for down, is up as the process that it was),
	// unanswered, unsynced, asked, answered, refused, contested, unreached, lost, closed,
	// turned-away, clock: docs/api.md says what each is.
	What string
	By   []string // who said so, or was asked; this node itself is there by its name
	Code string   // why, of unreached, lost, closed, turned-away and clock
	// Silent is for how long nothing had come from the node on its connection, where that matters.
	Silent time.Duration
}

// dossier is what is kept of a name.
type dossier struct {
	pieces  []Evidence
	last    time.Time
	durable bool // a node of the ring has, or had, the name
}

// evidence owns what this node found out of others lately.
type evidence struct {
	mu sync.Mutex
	of map[string]*dossier
}

// add adds a piece about a name, which is a durable node's or a guest's, or anybody's.
func (e *evidence) add(name string, durable bool, piece Evidence) {
	if name == "" {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	d := e.of[name]
	if d == nil {
		if e.of == nil {
			e.of = make(map[string]*dossier)
		}
		if len(e.of) >= mostSubject {
			e.forgetOne()
		}
		d = new(dossier)
		e.of[name] = d
	}
	piece.At, piece.Times, d.last, d.durable = piece.At.UTC(), 1, piece.At, d.durable || durable
	if n := len(d.pieces); n > 0 {
		if was := &d.pieces[n-1]; was.What == piece.What && was.Code == piece.Code && slices.Equal(was.By, piece.By) {
			was.Until, was.Times, was.Silent = piece.At, was.Times+1, max(was.Silent, piece.Silent)
			return
		}
	}
	if len(d.pieces) >= mostPieces {
		d.pieces = slices.Delete(d.pieces, 0, 1)
	}
	d.pieces = append(d.pieces, piece)
}

// forgetOne lets go of the name of which nothing was found out for longest: one that guests may have
// made up, if there is any.
func (e *evidence) forgetOne() {
	oldest := ""
	for name, d := range e.of {
		if was := e.of[oldest]; was == nil || !d.durable && was.durable || d.durable == was.durable && d.last.Before(was.last) {
			oldest = name
		}
	}
	delete(e.of, oldest)
}

// about returns what is known of a name, the oldest first.
func (e *evidence) about(name string) []Evidence {
	e.mu.Lock()
	defer e.mu.Unlock()
	if d := e.of[name]; d != nil {
		return slices.Clone(d.pieces)
	}
	return nil
}

// unsynced returns, sorted, with whom a reconciliation failed more than once since a time.
func (e *evidence) unsynced(since time.Time) (names []string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for name, d := range e.of {
		times := 0
		for i := range d.pieces {
			if p := &d.pieces[i]; p.What == "unsynced" && (p.At.After(since) || p.Until.After(since)) {
				times += p.Times
			}
		}
		if times > 1 {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// witness takes note of what an event says of another node, once the view has it. It says
// whether the event is of nothing else.
func (l *loop) witness(e *core.Event, before core.Node, known bool) (only bool) {
	piece := Evidence{At: l.cfg.Clock(), What: e.Topic, Silent: time.Duration(e.Wait) * time.Microsecond}
	name := e.Name
	is, member := l.Get(name)
	durable := member && !is.Ephemeral
	switch e.Kind {
	case core.EventEvidence:
		piece.By = slices.Clone(e.Names)
		if e.Text != "" {
			piece.By = []string{e.Text}
		}
		if piece.What == "unreached" && l.failed != 0 {
			piece.Code = word(l.failed)
		}
	case core.EventNode:
		if name = e.Node.Name; name == l.cfg.Name || l.starting || !began(&e.Node, &before, known) {
			return false
		}
		durable = !e.Node.Ephemeral && !before.Ephemeral
		piece.What, piece.By = became(&e.Node, &before, known), []string{l.cfg.Name}
		if e.Text != "" {
			piece.By[0] = e.Text
		}
	case core.EventRefused:
		if durable && l.ofGuest {
			return false // which has said that name
		}
		piece.What, piece.Code = "turned-away", word(e.Code)
	case core.EventSkew:
		if e.Skew == 0 {
			return false
		}
		piece.What, piece.Code = "clock", wire.CodeSkew.String()
	default:
		return false
	}
	l.evidence.add(name, durable, piece)
	return e.Kind == core.EventEvidence
}

// began says whether a state of a node began that somebody may ask about: that one is up
// which joins is nothing to explain.
func began(now, before *core.Node, known bool) bool {
	if !known {
		return now.State != core.Alive && now.State != core.Unknown
	}
	return now.State != before.State || now.Instance != before.Instance && now.State == core.Alive
}

func became(now, before *core.Node, known bool) string {
	switch {
	case now.State != core.Alive || !known:
	case before.Instance != now.Instance && before.Instance != wire.Instance{}:
		return string(core.Restarted)
	case before.State == core.Suspect || before.State == core.Down:
		return "refuted"
	}
	return now.State.String()
}

// parted takes note of a connection that this node did not close.
func (l *loop) parted(c *conn, code wire.Code) {
	what := "closed"
	switch {
	case code == wire.CodeRotated || code == wire.CodeDuplicate:
		return // which says nothing of the node
	case code < wire.CodeBye:
		what = "lost"
	}
	name := c.peer()
	is, member := l.Get(name)
	l.evidence.add(name, member && !is.Ephemeral, Evidence{At: l.cfg.Clock(), What: what, Code: word(code)})
}

// peer is the name that the other end's hello has, "" if there was none.
func (c *conn) peer() string {
	var f wire.Frame
	if f.Decode(c.story.first) != nil || f.Kind != wire.KindHello {
		return ""
	}
	return strings.Clone(f.Hello.Name)
}

// Text says it in words.
func (e Evidence) Text() string {
	by := strings.Join(e.By, ", ")
	text := map[string]string{
		"up": "it is up, says " + by, "suspect": "it is suspect, says " + by, "down": "it is down, says " + by,
		"left": "it said bye, says " + by, "removed": "it was removed, says " + by, "unknown": "nothing is heard of it yet",
		"restarted":   "it is up as another process, says " + by,
		"refuted":     "it refuted that, as " + by + " brought it",
		"unanswered":  "it did not answer a round in time",
		"unsynced":    "what it knows did not come through in time",
		"asked":       "others were asked to probe it: " + by,
		"answered":    "it answered a probe",
		"refused":     "its address refused the dial of " + by + ", too",
		"contested":   "that it is down was not believed: it was told so, to refute it",
		"unreached":   "it could not be dialled (" + e.Code + ")",
		"lost":        "its connection broke (" + e.Code + ")",
		"closed":      "it closed its connection (" + e.Code + ")",
		"turned-away": "a connection between it and this node was turned away (" + e.Code + ")",
		"clock":       "its clock and this node's differ by too much",
	}[e.What]
	switch {
	case text == "":
		text = e.What
	case e.What == "asked" && by == "":
		text = "there was nobody to ask for it"
	}
	if e.Silent >= time.Second {
		text += fmt.Sprintf("; nothing had come from it for %s", e.Silent.Round(100*time.Millisecond))
	}
	if e.Times > 1 {
		text += fmt.Sprintf(" (%d times in a row)", e.Times)
	}
	return text
}
