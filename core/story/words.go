package story

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/sim"
	"github.com/nanoring/nanoring/core/wire"
)

// event puts an event into words, if it says anything new.
func (s *scenario) event(m *sim.Machine, e *core.Event) {
	switch e.Kind {
	case core.EventNode:
		s.node(m, e.Node)
	case core.EventRefused:
		who := e.Name
		if who == "" {
			who = e.Addr
		}
		s.say(m.Name(), "refusal between here and "+who+": "+e.Code.String()+colon(e.Text))
	case core.EventSkew:
		switch {
		case e.Name == m.Node():
		case e.Skew == 0:
			s.say(m.Name(), "the clock of "+e.Name+" is right again")
		default:
			s.say(m.Name(), "the clock of "+e.Name+" is "+off(e.Skew))
		}
	case core.EventLeaving:
		s.say("", m.Name()+" sees that it was removed")
	case core.EventStays:
		s.say("", m.Name()+" was added again in time, and stays")
	case core.EventStale:
		s.say("", m.Name()+" is stale")
	case core.EventFresh:
		s.say("", m.Name()+" is stale no more")
	case core.EventHeard:
		how := " sends "
		switch {
		case e.Told:
			how = " tells "
		case e.Wait > 0:
			how = " asks "
		}
		if e.Question != 0 {
			m.DoSoon(core.Command{Op: core.Answer, Question: e.Question, Payload: "here"})
		}
		s.say(m.Name(), e.Name+how+e.Topic+colon(e.Payload))
	case core.EventGap:
		s.say(m.Name(), "something of "+e.Name+" was lost")
	case core.EventAnswer:
		s.say(m.Name(), e.Name+" answers"+colon(e.Payload))
	case core.EventDone:
		s.say(m.Name(), "it is over"+colon(strings.Join(e.Names, " ")))
	}
}

// node says what is new about a node, as one other sees it.
func (s *scenario) node(m *sim.Machine, n core.Node) {
	if s.shown[m] == nil {
		s.shown[m] = make(map[string]core.Node)
	}
	old, known := s.shown[m][n.Name]
	s.shown[m][n.Name] = n
	place := " at " + n.Address
	if n.Via != "" {
		place = " via " + n.Via
	}
	if n.Address == "" && n.Via == "" {
		place = ""
	}
	switch {
	case n.Name == m.Node() && n.State == core.Alive, n.State == core.Unknown:
	case n.State == core.Removed:
		s.say(m.Name(), n.Name+" is no member")
	case !known || old.State != n.State && n.State == core.Alive && (old.State == core.Unknown || old.State == core.Removed || old.Address != n.Address || old.Via != n.Via):
		if n.State == core.Alive {
			s.say(m.Name(), n.Name+" is up"+place)
		} else {
			s.say(m.Name(), n.Name+" is "+n.State.String())
		}
	case old.State != n.State:
		s.say(m.Name(), n.Name+" is "+n.State.String())
	case old.Address != n.Address || old.Via != n.Via:
		s.say(m.Name(), n.Name+" is now"+place)
	case old.Cordoned != n.Cordoned && n.Cordoned:
		s.say(m.Name(), n.Name+" is cordoned")
	case old.Cordoned != n.Cordoned:
		s.say(m.Name(), n.Name+" is cordoned no more")
	case old.Instance != n.Instance:
		s.say(m.Name(), n.Name+" was restarted")
	}
}

// say notes what a node says, or what happened when by is empty.
func (s *scenario) say(by, what string) {
	i := slices.IndexFunc(s.said, func(old saying) bool { return old.what == what })
	if i < 0 {
		i = len(s.said)
		s.said = append(s.said, saying{what: what})
	}
	if by != "" && !slices.Contains(s.said[i].by, by) {
		s.said[i].by = append(s.said[i].by, by)
	}
}

// heard lists what was said, each thing once with all who say so.
func (s *scenario) heard() string {
	const most = 24
	var b strings.Builder
	for i, said := range s.said {
		if i == most {
			fmt.Fprintf(&b, "… and %d things more\n", len(s.said)-most)
			break
		}
		if len(said.by) > 0 {
			slices.Sort(said.by)
			b.WriteString(strings.Join(said.by, " ") + ": ")
		}
		b.WriteString(said.what + "\n")
	}
	return b.String()
}

// views shows what the named machines show, or all that run: equal ones in one line.
func (s *scenario) views(names []string, upOnly bool) string {
	if len(names) == 0 {
		for _, m := range s.w.Machines() {
			if m.Running() {
				names = append(names, m.Name())
			}
		}
	}
	s.said = nil
	for _, name := range names {
		m := s.machine(name)
		if !m.Running() {
			s.say(name, "does not run")
			continue
		}
		var shown []string
		for _, n := range m.View().All() {
			switch {
			case n.Cordoned:
				shown = append(shown, n.Name+"(cordoned)")
			case n.State == core.Alive:
				shown = append(shown, n.Name)
			case upOnly && n.State == core.Suspect || !upOnly:
				shown = append(shown, n.Name+"("+n.State.String()+")")
			}
		}
		if len(shown) > 20 {
			shown = []string{fmt.Sprintf("%d nodes", len(shown))}
		}
		s.say(name, strings.Join(shown, " "))
	}
	return s.heard()
}

// where says at what address each machine shows a node.
func (s *scenario) where(name string) string {
	s.said = nil
	for _, m := range s.w.Machines() {
		if !m.Running() {
			continue
		}
		n, ok := m.View().Get(name)
		switch {
		case !ok:
			s.say(m.Name(), name+" is no member")
		case n.Via != "":
			s.say(m.Name(), name+" via "+n.Via)
		default:
			s.say(m.Name(), name+" at "+n.Address)
		}
	}
	return s.heard()
}

func (s *scenario) file(m *sim.Machine) string {
	d := m.Disk()
	switch {
	case d.Removed:
		return "no ring file, and the marker of a removal\n"
	case d.Ring == nil:
		return "no ring file\n"
	}
	return "a ring file\n"
}

// records counts what a machine's ring file would hold now.
func (s *scenario) records(m *sim.Machine) string {
	b, err := m.Snapshot()
	if err != nil {
		return err.Error() + "\n"
	}
	var snap wire.Snapshot
	if err := snap.Decode(b); err != nil {
		return err.Error() + "\n"
	}
	var count [2]int
	for i := range snap.Records {
		count[snap.Records[i].Set]++
	}
	return fmt.Sprintf("%d records of nodes, %d presences\n", count[wire.Nodes], count[wire.Up])
}

// traced lists the frames of the trace that contain a word, without their
// numbers, each once.
func (s *scenario) traced(word string) string {
	if word == "" {
		return ""
	}
	s.said = nil
	for _, line := range s.lines {
		if strings.Contains(line, "→ ") && strings.Contains(line, " "+word) {
			fields := slices.DeleteFunc(strings.Fields(line)[1:], func(f string) bool { return strings.HasPrefix(f, "#") || isNumber(f) })
			s.say("", strings.Join(fields, " "))
		}
	}
	return s.heard()
}

func isNumber(f string) bool { return strings.Trim(f, "0123456789") == "" }

// traffic says about how much was sent meanwhile, if that is asked for.
func (s *scenario) traffic(a args, frames, bytes uint64) string {
	if !a.d.HasArg("traffic") {
		return ""
	}
	nowFrames, nowBytes := s.w.Sent()
	return fmt.Sprintf("at most %d frames, at most %d KiB\n", roundUp(nowFrames-frames), roundUp((nowBytes-bytes+1023)/1024))
}

// roundUp returns the next power of two: near enough to notice a change that matters.
func roundUp(n uint64) uint64 {
	p := uint64(1)
	for p < n {
		p *= 2
	}
	return p
}

func colon(text string) string {
	if text == "" {
		return ""
	}
	return ": " + text
}

func off(skew int64) string {
	d := (time.Duration(skew) * time.Microsecond).Round(time.Minute)
	if d < 0 {
		return (-d).String() + " behind"
	}
	return d.String() + " ahead"
}
