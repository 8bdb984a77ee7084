package native

import (
	"fmt"
	"strings"
	"time"
)

// Severity says how bad a condition is.
type Severity string

// The severities.
const (
	Info    Severity = "info"    // as an operator wanted it
	Warning Severity = "warning" // the ring copes; look after it
	Fault   Severity = "error"   // this node cannot do what it is there for
)

// Condition is something about a node that an operator should know.
type Condition struct {
	Code     string   `json:"code"`
	Severity Severity `json:"severity"`
	Text     string   `json:"text"` // what is so
	Do       string   `json:"do"`   // what to do
}

const (
	hangsAfter  = 5 * time.Second // that a write of the ring file may take
	trapsLately = time.Hour
	lostLately  = 10 * time.Minute
	syncLately  = 3 * time.Minute // a reconciliation that fails again and again is tried every 70 s at the least
	longPackets = "see whether long packets get through between the two hosts: a smaller MTU on both helps if not"
)

// facts are what conditions are found by.
type facts struct {
	now                         time.Time
	member, leaving, stale      bool
	cordoned, draining          bool
	writeError                  string
	writing, trapped, ownClock  time.Time // since when a write is under way; when the engine broke last; Status.OwnClockSince
	clocks, others, connections int       // others: durable nodes, but for this one, that are no strangers and have not said bye
	guests, maxGuests           int
	joining, partly, alone      string // see Node.joinFacts
	otherRings                  []OtherRing
	unsynced                    []string  // with whom reconciliations fail
	logLost                     uint64    // lines of the log
	logLostAt                   time.Time // when the last of them was
	losing                      bool      // and still is
}

// condition is what a node can be in. Its text is empty if the node is not.
type condition struct {
	code     string
	severity Severity
	unready  bool // give the node nothing to do
	means    string
	do       string
	text     func(*facts) string
}

// conditions is the one list of them: status, /readyz, the metrics and docs/operations.md
// have what is here, the worst first.
var conditions = []condition{
	{"not-written", Fault, true, "the ring file cannot be written", "free some space, or make the data folder writable: it is tried again and again", func(f *facts) string {
		return f.writeError
	}},
	{"disk-hangs", Fault, true, "a write of the ring file does not end", "look at the disk, or at the network that it is on: the node can write nothing until it answers", func(f *facts) string {
		if f.writing.IsZero() || f.now.Sub(f.writing) < hangsAfter {
			return ""
		}
		return "the ring file is being written since " + stamp(f.writing)
	}},
	{"own-clock", Fault, false, "this node's clock is wrong, probably: no other lets it in", "run NTP on this host", func(f *facts) string {
		if f.ownClock.IsZero() {
			return ""
		}
		return "no other node that is up has this node's time, since " + stamp(f.ownClock)
	}},
	{"removed", Fault, true, "this node was removed from its ring, and ends soon", "add it again if it is to stay: nanoring add", func(f *facts) string {
		return when(f.leaving, "it ends when the time is over in which it can be added again")
	}},
	{"partial-join", Fault, true, "a node has let this one in, but what the ring knows does not come through", longPackets, func(f *facts) string {
		return f.partly
	}},
	{"joining", Warning, true, "this node was told to join its ring, and has not yet", "see why: nanoring status; it tries on", func(f *facts) string {
		return f.joining
	}},
	{"ready-alone", Warning, false, "this node was told to join its ring, found nobody, and is ready all the same", "nothing, if it is the first of its ring: else see why, nanoring status; it tries on", func(f *facts) string {
		return f.alone
	}},
	{"leave-pending", Warning, true, "this node was told to leave, and no other node has confirmed it yet", "start another node of the ring, or see why none is reached: it leaves as soon as one knows", func(f *facts) string {
		return when(!f.member && !f.leaving, "it belongs to its ring no more, and waits for another node to know that")
	}},
	{"stale", Warning, false, "this node was apart from its ring for too long to be believed, and asks others first", "have it reach the nodes that stayed: see nanoring all", func(f *facts) string {
		return when(f.stale, "it has not heard yet from nodes that stayed what holds now")
	}},
	{"no-connection", Warning, false, "there are other nodes, and none is connected", "see whether they run, and whether this host reaches their addresses: nanoring all", func(f *facts) string {
		if f.others == 0 || f.connections > 0 {
			return ""
		}
		return count(f.others, "other node belongs", "other nodes belong") + " to the ring and did not say bye"
	}},
	{"sync-lost", Warning, false, "what another node knows does not come through, or not in time", longPackets, func(f *facts) string {
		if len(f.unsynced) == 0 || f.partly != "" {
			return ""
		}
		return "reconciliations fail with " + few(f.unsynced)
	}},
	{"clock", Warning, false, "the clock of another node is wrong: it and this one do not let each other in", "run NTP on its host: nanoring status has which", func(f *facts) string {
		if f.clocks == 0 || !f.ownClock.IsZero() {
			return ""
		}
		return count(f.clocks, "node's clock is", "nodes' clocks are") + " over a minute from this node's"
	}},
	{"wrong-ring", Warning, false, "nodes of another ring are met here: they and this one do not let each other in", "take the address that is wrong out of --join, here or there, or delete who had it: nanoring del; if the two are to be one ring, and have one name: nanoring add a node of the other", func(f *facts) string {
		return othersMet(f.otherRings)
	}},
	{"log-lost", Warning, false, "lines of this node's log are lost: what reads it is too slow, or gone", "look at what reads the log, or say less: --log-level", func(f *facts) string {
		if !f.losing && (f.logLostAt.IsZero() || f.now.Sub(f.logLostAt) > lostLately) {
			return ""
		}
		return fmt.Sprintf("%d since the process began, the last at %s", f.logLost, stamp(f.logLostAt))
	}},
	{"traps", Warning, false, "the engine broke within the last hour, and was started again", "look at LAST TRAP in nanoring engine, and at DATA/traps; nanoring engine swap native if it goes on", func(f *facts) string {
		if f.trapped.IsZero() || f.now.Sub(f.trapped) > trapsLately {
			return ""
		}
		return "it broke last at " + stamp(f.trapped)
	}},
	{"guests-full", Warning, false, "this node has as many guests as it may: more go to other gateways, or wait", "start another gateway, or let this one have more: --max-guests", func(f *facts) string {
		if f.maxGuests == 0 || f.guests < f.maxGuests {
			return ""
		}
		return fmt.Sprintf("there are %d, of %d", f.guests, f.maxGuests)
	}},
	{"draining", Info, true, "this node drains, and will stop", "nothing; to call it off: nanoring uncordon", func(f *facts) string {
		return when(f.draining, "guests, and whoever needs a node, take another one")
	}},
	{"cordoned", Info, false, "this node is up, and is given nothing new", "nanoring uncordon, when it may have work again", func(f *facts) string {
		return when(f.cordoned, "it owns no keys, and takes no new guests, until it is uncordoned")
	}},
}

func when(is bool, text string) string {
	if !is {
		return ""
	}
	return text
}

func count(n int, one, many string) string {
	if n != 1 {
		one = many
	}
	return fmt.Sprintf("%d %s", n, one)
}

// few names nodes, or so many of them that they can be read.
func few(names []string) string {
	const most = 5
	if more := len(names) - most; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), more)
	}
	return strings.Join(names, ", ")
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// of returns the condition if the facts are so.
func (c *condition) of(f *facts) (Condition, bool) {
	text := c.text(f)
	return Condition{Code: c.code, Severity: c.severity, Text: c.means + ": " + text, Do: c.do}, text != ""
}

// conditionsOf returns what holds, the worst first, and which of it keeps the node from being ready.
func conditionsOf(f *facts) (all []Condition, unready *condition) {
	all = []Condition{}
	for i := range conditions {
		if is, ok := conditions[i].of(f); ok {
			all = append(all, is)
			if conditions[i].unready && unready == nil {
				unready = &conditions[i]
			}
		}
	}
	return all, unready
}

// health finds out what conditions are found by.
func (n *Node) health() (f facts) {
	f.now = time.Now()
	var clocks []Clock
	clocks, f.ownClock = n.clocks.status()
	f.clocks, f.draining = len(clocks), n.draining.Load() > 0
	f.guests, f.maxGuests = n.costs.held(costGuests), n.cfg.MaxGuests
	f.joining, f.partly, f.alone = n.joinFacts()
	f.unsynced = n.evidence.unsynced(f.now.Add(-syncLately))
	f.otherRings = n.rings.list(n.cfg.Clock())
	f.logLost = n.logs.Lost()
	f.logLostAt, f.losing = n.logs.losing()
	n.board.mu.Lock()
	own, member := n.board.view.Get(n.cfg.Name)
	f.member, f.cordoned = member || n.board.view.Len() == 0, own.Cordoned
	f.others = n.board.others(n.cfg.Name)
	n.board.mu.Unlock()
	n.status.Lock()
	defer n.status.Unlock()
	f.stale, f.leaving, f.writing, f.trapped = n.status.stale, n.status.leaving, n.status.writing, n.status.trapped
	f.connections = n.status.connections - n.status.guests
	if n.status.writeError != nil {
		f.writeError = n.status.writeError.Error()
	}
	return f
}

// unready returns what keeps the node from being ready; nil if it is.
func (n *Node) unready() *condition {
	f := n.health()
	_, why := conditionsOf(&f)
	return why
}
