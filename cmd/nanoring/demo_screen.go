package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// row is what the demo shows of a node.
type row struct {
	name, state, address string
	sees                 string // how many nodes it sees up
	process              string
}

// sight is what the demo sees of its ring at one moment.
type sight struct {
	rows    []row
	members int // by who has answered; 0 if nobody has
	running int // processes of the demo's own
}

// title says how many are up, by whoever has answered.
func (s *sight) title() string {
	if s.members == 0 {
		return "No node has answered within a second. Ctrl-C stops them."
	}
	return fmt.Sprintf("%d of %d nodes are up. Ctrl-C stops them.", s.up(), s.members)
}

func (s *sight) up() int {
	n := 0
	for _, r := range s.rows {
		if r.state == "up" {
			n++
		}
	}
	return n
}

// look asks every node how many it sees, and the first that answers for the ring.
func (d *demo) look(ctx context.Context, children []*child) sight {
	// A node that is stopped in its tracks holds up nobody for longer.
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	views := make([][]member, len(children))
	var asking sync.WaitGroup
	for i, c := range children {
		asking.Go(func() { views[i], _ = c.client.members(ctx, pathNodes) })
	}
	asking.Wait()

	var s sight
	missing := "-"
	for _, view := range views {
		if view != nil {
			missing = "removed"
			s.members = len(view)
			for _, m := range view {
				s.rows = append(s.rows, row{m.Name, m.State, m.where(), "-", "-"})
			}
			break
		}
	}
	for i, c := range children {
		if c.running() {
			s.running++
		}
		at := slices.IndexFunc(s.rows, func(r row) bool { return r.name == c.name })
		if at < 0 {
			s.rows = append(s.rows, row{c.name, missing, c.address, "-", "-"})
			at = len(s.rows) - 1
		}
		s.rows[at].sees, s.rows[at].process = sees(views[i]), c.processState(views[i] != nil)
	}
	return s
}

func sees(view []member) string {
	if view == nil {
		return "-"
	}
	n := 0
	for _, m := range view {
		if m.up() {
			n++
		}
	}
	return strconv.Itoa(n)
}

// processState says what has become of the child's process, for people.
func (c *child) processState(answers bool) string {
	switch {
	case c.running():
		return strconv.Itoa(c.process.Pid)
	case answers:
		return "started by you"
	case c.state.ExitCode() == exitRemoved:
		return "ended: removed"
	case c.state.ExitCode() >= 0:
		return "ended: status " + strconv.Itoa(c.state.ExitCode())
	}
	return "ended: " + c.state.Sys().(syscall.WaitStatus).Signal().String()
}

// screen shows a demo: a table that is drawn anew on a terminal, a line for
// every change elsewhere.
type screen struct {
	d       *demo
	hints   string
	redraw  bool
	drawn   string            // what the terminal shows
	states  map[string]string // what the lines have said
	greeted bool              // and that all are up
}

func (d *demo) newScreen(children []*child) *screen {
	s := &screen{d: d, hints: d.hints(children), states: make(map[string]string)}
	s.redraw = d.out.redraws()
	return s
}

func (s *screen) show(now sight) {
	if s.redraw {
		s.table(now)
	} else {
		s.lines(now)
	}
}

func (s *screen) table(now sight) {
	var b strings.Builder
	p := printer{&b}
	p.line(now.title())
	p.line()
	w := p.table("NAME", "STATE", "ADDRESS", "SEES UP", "PROCESS")
	for _, r := range now.rows {
		w.row(r.name, r.state, r.address, r.sees, r.process)
	}
	w.Flush()
	if b.String() == s.drawn {
		return
	}
	if s.drawn == "" { // above the table, since long lines wrap
		s.d.out.lines(s.hints + "\n")
	} else { // back to where it began, and clear from there
		s.d.out.back(strings.Count(s.drawn, "\n"))
	}
	s.drawn = b.String()
	s.d.out.lines(s.drawn)
}

func (s *screen) lines(now sight) {
	if now.members == 0 {
		return // nobody has answered in time: what was said stands until somebody does
	}
	present := make(map[string]bool)
	for _, r := range now.rows {
		present[r.name] = true
		if s.states[r.name] != r.state {
			s.states[r.name] = r.state
			s.d.out.printf("%s is %s (%s)\n", r.name, r.state, r.address)
		}
	}
	for name := range s.states {
		if !present[name] {
			delete(s.states, name)
			s.d.out.printf("%s is removed\n", name)
		}
	}
	if !s.greeted && now.up() >= s.d.nodes {
		s.greeted = true
		s.d.out.line(now.title())
		s.d.out.lines(s.hints)
	}
}

// hints says what to try, as commands to paste.
func (d *demo) hints(children []*child) string {
	first, last := children[0], children[len(children)-1]
	next := "dev" + strconv.Itoa(d.nodes+1)
	var b strings.Builder
	b.WriteString("Try, in another terminal:\n")
	p := printer{&b}
	hint := func(what string, commands ...string) {
		p.printf("  # %s\n", what)
		for _, c := range commands {
			p.printf("  %s\n", c)
		}
	}
	hint("open its page in a browser: the tab is a node of the ring, too",
		"http://"+first.address+"/#tag=page=demo")
	hint("follow what happens, as "+first.name+" sees it",
		d.program+" --data "+first.data+" watch")
	if last != first {
		hint("let "+last.name+" crash, and bring it back",
			"kill -9 "+strconv.Itoa(last.process.Pid),
			d.program+" node --name "+last.name+" --listen "+last.address+" --data "+last.data)
		hint("remove "+last.name+" from the ring: it ends after ten seconds, unless it is added again before",
			d.program+" --data "+first.data+" del "+last.name)
	}
	hint("bring a new node",
		d.program+" node --name "+next+" --listen "+d.address(d.nodes)+" --data "+filepath.Join(d.data, next)+" --join "+first.address)
	return b.String()
}
