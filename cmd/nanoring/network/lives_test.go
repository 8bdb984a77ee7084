//go:build linux

package network

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// fault is something that happens to a ring, lasts, and ends. However it is, nobody
// is held for dead who is not, all come to know what was added and deleted
// meanwhile, no node halts, and afterwards all is as it was.
type fault struct {
	begin func()
	lasts time.Duration
	end   func() // heal, if there is none

	lost []view  // who has to be shown down, by whom, while it lasts
	may  []view  // and who may be
	tell []*host // who add and delete meanwhile: those that keep somebody to tell
	loud int     // lines that each node may log of each; 2, if not said
}

// view is observers and whom they observe.
type view struct{ by, of []*host }

// each is the views of two sides that cannot see each other.
func each(a, b []*host) []view { return []view{{a, b}, {b, a}} }

// lives has a ring that is well live through a fault, and holds that it does well.
func (n *network) lives(f fault) {
	n.t.Helper()
	if f.end == nil {
		f.end = n.heal
	}
	for _, h := range f.tell {
		n.add(h, "goes-by-"+h.name)
		n.known("goes-by-" + h.name)
	}
	before, began := n.lines(), time.Now()
	f.begin()
	for _, v := range f.lost {
		n.until(fmt.Sprintf("%s show %s down", names(v.by), names(v.of)), func() string { return n.wrongAmong(v.by, v.of, "down") })
	}
	var found time.Duration
	for _, v := range f.lost {
		found = max(found, n.came(began, v.by, v.of, "down"))
	}
	var added, deleted []string
	for _, h := range f.tell {
		n.add(h, "comes-by-"+h.name)
		n.del(h, "goes-by-"+h.name)
		added, deleted = append(added, "comes-by-"+h.name), append(deleted, "goes-by-"+h.name)
	}
	time.Sleep(f.lasts - time.Since(began))
	if len(f.lost) == 0 && len(f.tell) > 0 {
		n.until("all show all up while it lasts", n.wrong)
	}

	healed := time.Now()
	f.end()
	n.until("all show all up", n.wrong)
	right := time.Now()
	took := max(0, n.came(healed, n.hosts, n.hosts, "up"))
	if len(f.lost) > 0 && found > time.Second && 2*took > found { // one that was killed is found at once, and has to start
		n.fails(began)("it took %s to be right again, more than half of the %s to find the fault", took, found)
	}
	n.known(added...)
	n.unknown(deleted...)
	n.calm()
	for _, h := range n.hosts {
		select {
		case <-h.node.ended:
			n.t.Errorf("%s ended: %s\n%s", h.name, h.node.cmd.ProcessState, n.logOf(h))
		default:
		}
	}
	down, doubts := n.accused(began, append(f.lost, f.may...))
	again, _ := n.accused(right, nil)
	lines, most := n.lines()-before, max(2, f.loud)*len(n.hosts)*len(n.hosts)
	if lines > most {
		n.fails(began)("the nodes logged %d lines, more than %d", lines, most)
	}
	n.row(found, took, down+again, doubts, lines)
}

// accused returns how often who lives was shown down, and suspect, by those who
// can reach it, since a time. None may be shown down; all may be doubted once.
func (n *network) accused(from time.Time, justly []view) (down, doubts int) {
	n.t.Helper()
	fail := n.fails(from)
	for _, s := range n.witness.since(from) {
		if !has(n.hosts, s.of) || slices.ContainsFunc(justly, func(v view) bool { return has(v.by, s.by) && has(v.of, s.of) }) {
			continue
		}
		switch s.state {
		case "down":
			down++
			fail("%.2f s after it began %s showed %s down, which lives and can be reached", s.at.Sub(from).Seconds(), s.by, s.of)
		case "suspect":
			doubts++
		}
	}
	if doubts > len(n.hosts)*len(n.hosts) {
		fail("nodes that live and can be reached were doubted %d times", doubts)
	}
	return down, doubts
}

// fails returns what fails the test. Who was kept from running for seconds by others
// on this machine was as good as dead, though: then it only says so.
func (n *network) fails(from time.Time) func(string, ...any) {
	n.t.Helper()
	late := n.idle.longest(from)
	if late < time.Second {
		return n.t.Errorf
	}
	n.note("for %s this machine ran other things: what follows is not held against the ring", late)
	return n.note
}

// table is the file for the rows of all tests, in the environment of those inside.
const table = "NANORING_NETWORK_TABLE"

const columns = "| what happens | hosts | found after | right again after | in parts of that | held for dead | doubted | lines logged, of each node |\n| --- | --- | --- | --- | --- | --- | --- | --- |\n"

// row puts what a test measured into the table that is printed at the end.
func (n *network) row(found, took time.Duration, down, doubts, lines int) {
	n.t.Helper()
	ratio, after := "", ""
	if found > 0 {
		ratio, after = fmt.Sprintf("%.2f", took.Seconds()/found.Seconds()), fmt.Sprintf("%.1f s", found.Seconds())
	}
	name := strings.TrimPrefix(n.t.Name(), "Test")
	s := fmt.Sprintf("| %s | %d | %s | %.2f s | %s | %d | %d | %.1f |\n", name, len(n.hosts), after, took.Seconds(), ratio, down, doubts, float64(lines)/float64(len(n.hosts)))
	n.note("%s", strings.TrimSpace(s))
	f, err := os.OpenFile(os.Getenv(table), os.O_APPEND|os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		n.t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(s); err != nil {
		n.t.Fatal(err)
	}
}

// came returns how long after from it was that the observers came to show the others so, if they do.
func (n *network) came(from time.Time, observers, others []*host, state string) time.Duration {
	var last time.Time
	for _, s := range n.witness.since(from) {
		if has(observers, s.by) && has(others, s.of) && s.state == state {
			last = s.at
		}
	}
	return last.Sub(from)
}

// lines counts the lines of all logs, but those about what was added and deleted.
func (n *network) lines() int {
	count := 0
	for _, h := range n.hosts {
		for line := range strings.Lines(n.logOf(h)) {
			if !strings.Contains(line, "comes-by-") && !strings.Contains(line, "goes-by-") {
				count++
			}
		}
	}
	return count
}
