package sim

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// Talk has all processes that start from now on hear whatever is said, answer questions,
// and the World hold what they hear against what was said: see docs/protocol.md, 31.
func (w *World) Talk() {
	w.talk = &talk{w: w, rng: rand.New(rand.NewPCG(w.cfg.Seed, 0x74616c6b)), by: make(map[string]*saying), ids: make(map[uint64]*saying), procs: make(map[*process]*ears)}
}

// talk is what is said in a World, and who is to hear it.
type talk struct {
	w     *World
	rng   *rand.Rand
	count int
	by    map[string]*saying // by payload, which is another each time
	ids   map[uint64]*saying // by command
	open  []*saying          // of which it is not known yet whether all have heard
	procs map[*process]*ears
	set   int64 // when a clock was set last: its node may have taken that for sleep
}

// ears are what a process has heard, and whom it is connected with.
type ears struct {
	since int64          // it started
	heard map[string]int // payloads
	last  map[*process]int
	told  map[*process]int
	still int64            // when it did not run last
	gaps  map[string]int64 // when it was told last that something of a node was lost
	group int              // of those that are connected with one another, when that was looked at last
}

// saying is a message, or a question.
type saying struct {
	number  int
	payload string
	op      core.Op
	id      uint64 // of the command
	by      *process
	to      string // of a tell
	at      int64
	apart   map[*process]int64 // who may have to hear it, and when it was last not connected with its sender
	done    int                // of a question
	said    map[string]bool    // who has answered it
}

const (
	heardWithin = (wire.Window + 3000) * core.Millisecond // what was not heard by then is lost
	together    = 18 * core.Second                        // for so long, at the end, who is to hear it was connected
)

// start has a process hear all, and answer what begins with q.
func (t *talk) start(p *process) {
	if t == nil || p.m.opt.Rogue != nil {
		return
	}
	t.procs[p] = &ears{since: t.w.now, heard: make(map[string]int), last: make(map[*process]int), told: make(map[*process]int), gaps: make(map[string]int64)}
	t.w.whisper(p, core.Command{Op: core.Hear, Hear: core.Subscription{Messages: []string{"m.*"}, Questions: []string{"q*"}}}, 0)
}

// whisper gives a process a command that is nobody's business but the talk's, soon.
func (w *World) whisper(p *process, c core.Command, after int64) uint64 {
	c.ID = uint64(len(w.commands) + 1)
	w.commands = append(w.commands, Command{Command: c, Machine: p.m, At: w.now, proc: p})
	w.schedule(w.now+after, event{kind: evCommand, proc: p, arg: int64(c.ID)})
	return c.ID
}

// Say has a random process send, tell or ask something.
func (w *World) Say() {
	t := w.talk
	var all []*process
	for _, m := range w.machines {
		if p := m.proc; p != nil && t.procs[p] != nil && !m.paused {
			all = append(all, p)
		}
	}
	if len(all) == 0 {
		return
	}
	p := all[t.rng.IntN(len(all))]
	for range 1 + t.rng.IntN(4)*t.rng.IntN(2) {
		if p.dead {
			return
		}
		t.say(p, all[t.rng.IntN(len(all))].m.opt.Node)
	}
}

func (t *talk) say(p *process, to string) {
	t.count++
	size := t.rng.IntN(200)
	switch t.rng.IntN(8) {
	case 0:
		size = wire.MaxPayload - 16
	case 1, 2:
		size = 300 + t.rng.IntN(2000)
	}
	s := &saying{number: t.count, by: p, at: t.w.now, apart: make(map[*process]int64), said: make(map[string]bool)}
	s.payload = strconv.Itoa(t.count) + ":" + strings.Repeat("x", size)
	c := core.Command{Op: core.SendMessage, Topic: "m.all", Payload: s.payload}
	switch t.rng.IntN(6) {
	case 0:
		c.Op, c.Topic, c.Timeout = core.Ask, "q.what", int64(1+t.rng.IntN(10))*core.Second
		if t.rng.IntN(3) == 0 {
			c.Limit = 1 + t.rng.IntN(3)
		}
	case 1:
		c.Op, c.Name, s.to = core.Tell, to, to
	}
	s.op = c.Op
	t.by[s.payload] = s
	t.w.note(p.m, map[core.Op]string{core.SendMessage: "sends ", core.Ask: "asks ", core.Tell: "tells "}[c.Op], strconv.Itoa(s.number), ", ", strconv.Itoa(size), " bytes ", s.to)
	for q, l := range t.procs {
		if !q.dead && l.since < t.w.now-5*core.Second && q.m.opt.Ring == p.m.opt.Ring && (s.to == "" || s.to == q.m.opt.Node) {
			s.apart[q] = 0
		}
	}
	t.open = append(t.open, s)
	s.id = t.w.whisper(p, c, 0)
	t.ids[s.id] = s
}

// spoken takes down when a process was given a command: it may not have run before.
func (t *talk) spoken(id int) {
	if t == nil {
		return
	}
	if s := t.ids[uint64(id)]; s != nil {
		s.at = t.w.now
	}
}

// event takes in what a process is told of messages.
func (t *talk) event(p *process, e *core.Event) {
	if t == nil || t.procs[p] == nil {
		return
	}
	l := t.procs[p]
	switch e.Kind {
	case core.EventHeard:
		s := t.by[e.Payload]
		if s == nil {
			t.broken(p, "hears what nobody said")
			return
		}
		what := "hears " + strconv.Itoa(s.number) + " of " + s.by.m.name
		order := l.last
		if e.Told {
			order = l.told
		}
		switch l.heard[e.Payload]++; {
		case e.Name != s.by.m.opt.Node:
			t.broken(p, what, " as if it were of ", e.Name)
		case l.heard[e.Payload] > 1:
			t.broken(p, what, " again")
		case order[s.by] > s.number:
			t.broken(p, what, " after a later one, ", strconv.Itoa(order[s.by]))
		case e.Told != (s.op == core.Tell) || s.to != "" && s.to != p.m.opt.Node:
			t.broken(p, what, " which is not for it")
		case s.at+10*core.Second < l.since && max(t.w.promises.apart, t.set) < s.at: // nobody can know how long a machine sleeps whose clock is set meanwhile
			t.broken(p, what, " of before it started")
		}
		order[s.by] = s.number
		if e.Question != 0 {
			t.w.whisper(p, core.Command{Op: core.Answer, Question: e.Question, Payload: p.m.opt.Node}, t.rng.Int64N(300*core.Millisecond))
		}
	case core.EventGap:
		l.gaps[e.Name] = t.w.now
	case core.EventRefused:
		if o := t.w.living(p.m.opt.Ring, e.Name); e.Code == wire.CodeForbidden && o != nil && (e.Addr == o.addr || e.Addr == o.name) && t.procs[o.proc] != nil && isOfMessages(e.Text) && !t.w.more(o) {
			t.broken(p, "and ", e.Name, ": ", e.Text)
		}
	case core.EventAnswer:
		for _, s := range t.open {
			if s.id == e.ID {
				if s.said[e.Name] || s.done > 0 || e.Payload != e.Name && e.Code == 0 {
					t.broken(p, "takes an answer of ", e.Name, " to ", strconv.Itoa(s.number), " that is not one")
				}
				s.said[e.Name] = true
			}
		}
	case core.EventDone:
		for _, s := range t.open {
			if s.id == e.ID {
				if s.done++; s.done > 1 {
					t.broken(p, "ends its question ", strconv.Itoa(s.number), " again")
				}
				for _, name := range e.Names {
					if s.said[name] {
						t.broken(p, "says that ", name, " did not answer ", strconv.Itoa(s.number))
					}
				}
			}
		}
	}
}

func (t *talk) broken(p *process, words ...string) {
	if t.w.err == nil {
		var c complaints
		c.add(append([]string{"a promise of messages is broken at ", clock(t.w.now), ": ", p.m.name, " "}, words...)...)
		t.w.err = c.err()
	}
}

// look takes down who is connected with whom, and judges what is old.
func (t *talk) look() {
	if t == nil || len(t.open) == 0 {
		return
	}
	for p, l := range t.procs {
		if p.m.paused {
			l.still = t.w.now
		}
	}
	var left []*saying
	young := -1 // processes that the groups are without
	for _, s := range t.open {
		since := s.at - 5*core.Second
		if n := t.younger(since); n != young {
			young = n
			t.group(since)
		}
		sender := t.procs[s.by]
		for q := range s.apart {
			if l := t.procs[q]; l.group == 0 || l.group != sender.group {
				s.apart[q] = t.w.now
			}
		}
		if t.w.now-s.at < heardWithin {
			left = append(left, s)
			continue
		}
		t.judge(s)
		delete(t.by, s.payload)
		t.by[s.payload] = s // what comes later is found out
	}
	t.open = left
}

// judge holds what became of a message against who should have heard it.
func (t *talk) judge(s *saying) {
	c := t.w.commands[s.id-1]
	if t.procs[s.by].still > s.at || t.set > s.at-core.Minute {
		return
	}
	if !c.Done && !s.by.dead {
		t.broken(s.by, "was not answered what became of ", strconv.Itoa(s.number))
	}
	if c.Code != 0 || !c.Done || s.by.dead {
		return
	}
	if s.op == core.Ask && s.done == 0 {
		t.broken(s.by, "does not end its question ", strconv.Itoa(s.number))
	}
	if s.op == core.Ask {
		return // it may be over before a connection is there again
	}
	var names []string
	for q := range s.apart {
		if s.to != "" && t.procs[q].heard[s.payload] > 0 {
			return // of two processes of that name one is told
		}
	}
	for q, apart := range s.apart {
		told := apart > s.at && t.procs[q].gaps[s.by.m.opt.Node] > s.at // who was not connected for a while
		if !q.dead && t.procs[q].heard[s.payload] == 0 && apart <= s.at+heardWithin-together && !told {
			names = append(names, q.m.name)
		}
	}
	if len(names) > 0 {
		slices.Sort(names)
		t.broken(s.by, "said ", strconv.Itoa(s.number), " at ", clock(s.at), ", and ", strings.Join(names, ", "), " did not hear it")
	}
}

// younger counts the processes that started after a time.
func (t *talk) younger(since int64) (n int) {
	for p, l := range t.procs {
		if !p.dead && l.since > since {
			n++
		}
	}
	return n
}

// group finds out who is connected with whom, directly or through others that were up
// at a time: who started later does not pass on what was sent before. Who is connected
// with nobody is in none.
func (t *talk) group(since int64) {
	for p, l := range t.procs {
		if l.group = 0; p.dead || l.since > since {
			l.group = -1
		}
	}
	n := 0
	for _, m := range t.w.machines {
		if p := m.proc; p != nil && !m.opt.Guest && t.procs[p] != nil && t.procs[p].group == 0 && t.takesPart(p) {
			n++
			t.flood(p, n)
		}
	}
	for p, l := range t.procs {
		if l.group == -1 || !t.takesPart(p) {
			l.group = 0
		}
	}
}

func (t *talk) flood(p *process, n int) {
	t.procs[p].group = n
	for _, s := range p.conns {
		other := &s.end[1-s.of]
		q := other.proc
		if q == nil || t.procs[q] == nil || t.procs[q].group != 0 || !t.takesPart(q) || !t.w.carries(s.conn) {
			continue
		}
		if q.m.opt.Guest {
			t.procs[q].group = n
			continue
		}
		t.flood(q, n)
	}
}

// takesPart tells whether a process runs, and is one of its ring.
func (t *talk) takesPart(p *process) bool {
	if p.dead || p.m.paused || p.m.off || t.w.more(p.m) {
		return false
	}
	_, in := p.view.Get(p.m.opt.Node)
	return in
}

// carries tells whether frames get through on a connection, both ways.
func (w *World) carries(c *conn) bool {
	a, b := &c.end[0], &c.end[1]
	for _, e := range []*end{a, b} {
		if e.state != open || e.proc == nil || !e.greeted || e.lost || e.foreign || e.broken || e.held || e.stuck != 0 {
			return false
		}
	}
	return a.m.group == b.m.group && !w.ways[way(a.m, b.m)] && !w.ways[way(b.m, a.m)] && w.narrow[link(a.m, b.m)] == 0
}

// isOfMessages tells whether a guest was refused for what it said, and not for records.
func isOfMessages(text string) bool {
	for _, begin := range []string{"a guest sends", "a guest answers", "a guest compares", "between a guest"} {
		if strings.HasPrefix(text, begin) {
			return true
		}
	}
	return false
}
