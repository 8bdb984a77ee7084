package sim_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/sim"
)

// story is a world with the words that stories are told in.
type story struct {
	*sim.World
	t *testing.T
}

// newStory returns a world in which machines of the given names make a ring.
func newStory(t *testing.T, names ...string) story {
	t.Helper()
	return newStoryOf(t, sim.Options{}, names...)
}

func newStoryOf(t *testing.T, o sim.Options, names ...string) story {
	t.Helper()
	return storyOf(t, sim.New(sim.Config{Seed: 1, Trace: traceOf()}), o, names...)
}

func storyIn(t *testing.T, w *sim.World, names ...string) story {
	t.Helper()
	return storyOf(t, w, sim.Options{}, names...)
}

func storyOf(t *testing.T, w *sim.World, o sim.Options, names ...string) story {
	t.Helper()
	s := story{w, t}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(replay(t, ""))
		}
	})
	for i, name := range names {
		s.Add(name, o)
		if i == 0 {
			s.start(name)
		} else {
			s.start(name, names[0])
		}
	}
	s.settle(10 * core.Minute)
	return s
}

// start starts a machine that joins by way of others.
func (s story) start(name string, join ...string) {
	s.t.Helper()
	var addrs []string
	for _, j := range join {
		addrs = append(addrs, s.Machine(j).Addr())
	}
	if err := s.Machine(name).Start(addrs...); err != nil {
		s.t.Fatal(err)
	}
}

// settle expects all to be well within d.
func (s story) settle(d int64) {
	s.t.Helper()
	if err := s.Settle(d); err != nil {
		s.t.Fatalf("all was not well after %s:\n%v", duration(d), err)
	}
	s.Settled()
}

// wait expects cond within d.
func (s story) wait(d int64, what string, cond func() bool) {
	s.t.Helper()
	if !s.RunUntil(d, cond) {
		s.t.Fatalf("%s: not within %s\n%v", what, duration(d), s.Check())
	}
}

// ack does a command and expects it to be acknowledged.
func (s story) ack(name string, c core.Command) {
	s.t.Helper()
	id := s.Machine(name).Do(c)
	s.wait(core.Minute, "the command at "+name, func() bool { return s.Command(id).Done && (s.Command(id).Acked || s.Command(id).Code != 0) })
	if c := s.Command(id); c.Code != 0 {
		s.t.Fatalf("the command at %s failed: %v, %s", name, c.Code, c.Text)
	}
}

func (s story) del(at, name string) { s.ack(at, core.Command{Op: core.Del, Name: name}) }

func (s story) addTo(at, name string) {
	s.ack(at, core.Command{Op: core.Add, Name: name, Addr: name + ":7946"})
}

// state returns how a machine shows a node.
func (s story) state(at, name string) core.State {
	n, ok := s.Machine(at).View().Get(name)
	if !ok {
		return core.Removed
	}
	return n.State
}

func (s story) halted(name string, why core.Reason) func() bool {
	return func() bool {
		got, _ := s.Machine(name).Halted()
		return !s.Machine(name).Running() && got == why
	}
}

func duration(d int64) string { return fmt.Sprintf("%g s", float64(d)/1e6) }

// Deleted while down, and back when even the tombstone has left the
// fingerprints: the others still know better.
func TestDeletedWhileDownFor25Hours(t *testing.T) {
	t.Parallel()
	s := newStory(t, "a", "b", "c")
	s.Machine("c").Crash()
	s.wait(core.Minute, "c is down", func() bool { return s.state("a", "c") == core.Down && s.state("b", "c") == core.Down })
	s.del("a", "c")
	s.Run(25 * core.Hour)
	s.start("c")
	s.wait(core.Minute, "c learns that it was removed", s.halted("c", core.HaltRemoved))
	if !s.Machine("c").Disk().Removed || s.Machine("c").Disk().Ring != nil {
		t.Error("c's ring file is still there, or its marker is not")
	}
	if s.Machine("c").Start(s.Machine("a").Addr()) == nil {
		t.Error("c joined again without rejoin")
	}
	s.settle(core.Minute)
}

// The same when the others were restarted meanwhile, and 40 days went by: the
// tombstone is gone altogether, but c is stale, and nobody knows it.
func TestDeletedWhileDownForFortyDays(t *testing.T) {
	t.Parallel()
	s := newStory(t, "a", "b", "c")
	s.Machine("c").Crash()
	s.Run(core.Minute)
	s.del("a", "c")
	s.Run(core.Minute)
	for _, name := range []string{"a", "b"} {
		s.Machine(name).Stop()
	}
	s.Run(40 * core.Day)
	s.start("a")
	s.start("b")
	s.settle(core.Minute)
	s.Run(core.Hour)
	s.start("c")
	s.wait(core.Minute, "c learns that it was removed", s.halted("c", core.HaltRemoved))
	s.settle(core.Minute)
}

// A ring that was off for a week comes back whole, though every node in it is stale.
func TestWholeRingOffForAWeek(t *testing.T) {
	t.Parallel()
	s := newStory(t, "a", "b", "c", "d")
	s.del("a", "d")
	s.wait(core.Minute, "d halts", s.halted("d", core.HaltRemoved))
	for _, name := range []string{"a", "b", "c"} {
		s.Machine(name).PowerOff()
	}
	s.Run(7 * core.Day)
	for _, name := range []string{"c", "a", "b"} {
		s.start(name)
		s.Run(20 * core.Second)
	}
	s.settle(2 * core.Minute)
	if s.state("b", "c") != core.Alive || s.state("b", "d") != core.Removed {
		t.Errorf("b shows c %v and d %v", s.state("b", "c"), s.state("b", "d"))
	}
}

// A clock that goes an hour wrong is told so; nobody else is disturbed, and all
// is well when it is right again.
func TestClockAnHourWrong(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		off  int64
	}{{"ahead", core.Hour}, {"behind", -core.Hour}} {
		for _, restarted := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s,restarted=%v", test.name, restarted), func(t *testing.T) {
				s := newStory(t, "a", "b", "c")
				told := false
				s.OnEvent(func(m *sim.Machine, e *core.Event) {
					told = told || m.Name() == "c" && e.Kind == core.EventSkew
				})
				c := s.Machine("c")
				if restarted {
					c.Stop()
				}
				c.StepClock(test.off)
				if restarted {
					s.start("c")
				}
				s.wait(2*core.Minute, "c is told", func() bool { return told })
				s.Run(10 * core.Minute)
				if s.state("a", "b") != core.Alive || s.state("b", "a") != core.Alive {
					t.Errorf("a shows b %v, b shows a %v", s.state("a", "b"), s.state("b", "a"))
				}
				s.addTo("a", "d")
				s.wait(core.Second, "b knows d", func() bool { return s.state("b", "d") != core.Removed })
				c.StepClock(-test.off)
				s.settle(core.Minute)
			})
		}
	}
}

// Half a ring file does not crash-loop a node: it takes the generation before,
// and the ring tells it the rest.
func TestHalfFileLost(t *testing.T) {
	t.Parallel()
	s := newStory(t, "a", "b", "c")
	s.addTo("a", "d")
	s.addTo("a", "e")
	s.Run(core.Second)
	s.Machine("c").Crash()
	s.Machine("c").HalveFile()
	s.start("c")
	s.settle(core.Minute)
	if s.state("c", "e") != core.Unknown && s.state("c", "e") != core.Down {
		t.Errorf("c shows e %v", s.state("c", "e"))
	}
}

// Both halves of a ring that was cut for hours live on, and are one again
// within a few rounds.
func TestPartitionOfHours(t *testing.T) {
	t.Parallel()
	s := newStory(t, "a", "b", "c", "d", "e")
	s.Partition([]*sim.Machine{s.Machine("a"), s.Machine("b")})
	s.wait(core.Minute, "the halves see each other down", func() bool {
		return s.state("a", "c") == core.Down && s.state("d", "b") == core.Down && len(s.Machine("a").View().Up()) == 2 && len(s.Machine("e").View().Up()) == 3
	})
	s.addTo("a", "f")
	s.addTo("c", "g")
	s.Run(5 * core.Hour)
	s.Heal()
	s.settle(30 * core.Second)
}

// A hundred names come and go: the state does not grow with the operations, and
// a month later nothing is left of them.
func TestAddDelChurn(t *testing.T) {
	t.Parallel()
	slowly := func(c *core.Config) { c.Period = core.Minute } // a month has many seconds
	s := newStoryOf(t, sim.Options{Tune: slowly}, "a", "b", "c")
	for i := range 100 {
		name := fmt.Sprintf("x%d", i%10)
		s.addTo([]string{"a", "b", "c"}[i%3], name)
		s.del([]string{"b", "c", "a"}[i%3], name)
	}
	s.settle(core.Minute)
	if nodes, up := records(t, s.Machine("a")); nodes != 13 || up > 13 {
		t.Errorf("a holds %d records of nodes and %d presences, and there are 13 names", nodes, up)
	}
	s.Run(32 * core.Day)
	if nodes, up := records(t, s.Machine("a")); nodes != 3 || up != 3 {
		t.Errorf("a month later a holds %d records of nodes and %d presences, and there are 3 nodes", nodes, up)
	}
}

// A hundred restarts of one node, crashes and stops, leave one record of it.
func TestHundredRestarts(t *testing.T) {
	t.Parallel()
	s := newStory(t, "a", "b", "c")
	for i := range 100 {
		if i%2 == 0 {
			s.Machine("c").Crash()
		} else {
			s.Machine("c").Stop()
		}
		s.Run(int64(i) * 50 * core.Millisecond)
		s.start("c")
		s.Run(int64(i) * 20 * core.Millisecond)
	}
	s.settle(core.Minute)
	if nodes, up := records(t, s.Machine("a")); nodes != 3 || up != 3 {
		t.Errorf("a holds %d records of nodes and %d presences, and there are 3 nodes", nodes, up)
	}
}

// The whole ring killed at once, mid-write, comes back from its files.
func TestWholeRingKilled(t *testing.T) {
	t.Parallel()
	s := newStory(t, "a", "b", "c", "d")
	s.addTo("a", "e")
	for _, name := range []string{"a", "b", "c", "d"} {
		s.Machine(name).Crash()
	}
	s.Run(core.Minute)
	for _, name := range []string{"a", "b", "c", "d"} {
		s.start(name)
	}
	s.settle(30 * core.Second)
}

// A tab that was open for hours and is killed is reaped once, and stays reaped
// though a node restarts meanwhile.
func TestTabOpenForHours(t *testing.T) {
	t.Parallel()
	s := newStory(t, "a", "b")
	s.Add("tab", sim.Options{Guest: true})
	s.start("tab", "a", "b")
	s.settle(core.Minute)
	s.Run(5 * core.Hour)
	s.Machine("tab").Crash()
	s.Run(core.Minute)
	s.Machine("b").Crash()
	s.start("b")
	s.wait(5*core.Minute, "the tab is reaped", func() bool {
		return s.state("a", "tab") == core.Removed && s.state("b", "tab") == core.Removed
	})
	back := 0
	s.OnEvent(func(m *sim.Machine, e *core.Event) {
		if e.Kind == core.EventNode && e.Node.Name == "tab" && e.Node.State != core.Removed {
			back++
		}
	})
	s.Run(3 * core.Hour)
	if back > 0 {
		t.Errorf("the tab came back %d times", back)
	}
	s.settle(core.Minute)
}

// A tab whose gateway dies comes back through another, and is never shown down.
func TestGatewayLost(t *testing.T) {
	t.Parallel()
	s := newStory(t, "a", "b", "c")
	s.Add("tab", sim.Options{Guest: true, Clock: 40 * core.Day})
	s.start("tab", "a", "b")
	s.settle(core.Minute)
	down := false
	s.OnEvent(func(m *sim.Machine, e *core.Event) {
		down = down || e.Kind == core.EventNode && e.Node.Name == "tab" && e.Node.State == core.Down
	})
	s.Machine("a").Crash()
	s.settle(core.Minute)
	if down {
		t.Error("the tab was shown down")
	}
	if n, _ := s.Machine("c").View().Get("tab"); n.Via != "b" {
		t.Errorf("c shows the tab via %q", n.Via)
	}
}

// A node that can only dial out, and dies behind its gateway's back, is found out.
func TestDialOnlyNodeDies(t *testing.T) {
	t.Parallel()
	s := newStory(t, "a", "b", "c")
	s.Add("nat", sim.Options{DialOnly: true})
	s.start("nat", "a")
	s.settle(core.Minute)
	for _, name := range []string{"nat", "a", "b", "c"} {
		s.Machine(name).PowerOff()
	}
	for _, name := range []string{"a", "b", "c"} {
		s.start(name)
	}
	s.settle(2 * core.Minute)
	if s.state("b", "nat") != core.Down {
		t.Errorf("b shows nat %v", s.state("b", "nat"))
	}
	s.start("nat", "a")
	s.settle(core.Minute)
}

// A node that has no address, and does not dial, is dialled all the same: it is behind
// an address that others have been told of. It has a gateway, too, and when it dies
// with all who were connected with it that is found out by it.
func TestAddresslessNodeDies(t *testing.T) {
	t.Parallel()
	s := newStory(t)
	nat := s.Add("nat", sim.Options{DialOnly: true})
	s.Resolve("front:7946", nat)
	s.start("nat")
	for _, name := range []string{"c", "d"} { // who has no address dials neither
		if err := s.Add(name, sim.Options{}).Start("front:7946"); err != nil {
			t.Fatal(err)
		}
	}
	s.settle(core.Minute)
	for _, name := range []string{"nat", "c", "d"} {
		s.Machine(name).PowerOff()
	}
	s.Resolve("front:7946", nil)
	s.start("c")
	s.start("d")
	s.settle(2 * core.Minute)
	if s.state("c", "nat") != core.Down {
		t.Errorf("c shows nat %v", s.state("c", "nat"))
	}
}

// A node has the address of another one that is dead, as machines come by addresses:
// nobody goes on looking for the dead one there, and who has no address says no more
// of itself for that. When the address is free again it is looked for.
func TestAddressOfTheDead(t *testing.T) {
	t.Parallel()
	s := newStory(t, "a", "gone")
	s.Machine("gone").PowerOff()
	s.settle(core.Minute)
	heir := s.Add("heir", sim.Options{})
	heir.Move("gone:7946")
	s.start("heir", "a")
	s.settle(core.Minute)
	s.del("heir", "a")
	s.wait(core.Minute, "a learns that it was removed", s.halted("a", core.HaltRemoved))
	s.Add("nat", sim.Options{DialOnly: true}) // it has no gateway but the heir
	s.start("nat", "heir")
	s.settle(core.Minute)
	dials := 0
	s.OnTrace(func(line string) {
		if strings.Contains(line, "dial gone:7946") {
			dials++
		}
	})
	n, _ := heir.View().Get("nat")
	s.Run(3 * core.Minute)
	if now, _ := heir.View().Get("nat"); dials > 2*2 || now.Incarnation != n.Incarnation {
		t.Errorf("in 3 minutes %d dials, and nat is at %d, which was at %d", dials, now.Incarnation, n.Incarnation)
	}
	heir.PowerOff()
	s.settle(core.Minute)
	dials = 0
	s.Run(core.Minute)
	if dials < 10 {
		t.Errorf("%d dials of the free address in a minute", dials)
	}
}

// A node that was away knows a dead one, at whose address there is another by now, of
// whom it has never heard. It goes on refusing that one, which is not whom it looks for;
// that one knows it, and comes to it.
func TestUnknownHeir(t *testing.T) {
	t.Parallel()
	s := newStory(t, "a", "gone")
	s.Machine("a").PowerOff()
	heir := s.Add("heir", sim.Options{})
	s.start("heir", "gone")
	s.wait(core.Minute, "the heir knows a", func() bool { _, in := heir.View().Get("a"); return in })
	s.Run(core.Minute)
	s.Machine("gone").PowerOff()
	heir.Crash()
	heir.Move("gone:7946")
	s.start("a")
	s.start("heir")
	s.settle(10 * core.Second)
	if s.state("a", "heir") != core.Alive {
		t.Errorf("a shows the heir %v", s.state("a", "heir"))
	}
}

// A process whose name was deleted, and taken by another machine, while it was cut
// off is dialled by that one, which starts anew with an old address to join: the one
// that is over goes, and not the one that belongs there.
func TestReplacementDialsTheReplaced(t *testing.T) {
	t.Parallel()
	s := newStory(t, "a")
	old := s.Add("old", sim.Options{Node: "x"})
	s.start("old", "a")
	s.settle(core.Minute)
	s.Partition([]*sim.Machine{old})
	s.del("a", "x")
	s.Add("new", sim.Options{Node: "x"})
	s.start("new", "a")
	s.wait(core.Minute, "a shows the new one", func() bool {
		n, in := s.Machine("a").View().Get("x")
		return in && n.Address == "new:7946" && n.State == core.Alive
	})
	s.Run(core.Second)
	s.Machine("new").Crash()
	s.Heal()
	s.CutLink(old, s.Machine("a"))
	s.start("new", "old", "a")
	s.Run(core.Minute)
	s.Heal()
	s.wait(core.Minute, "the old one learns that it is over", s.halted("old", core.HaltRemoved))
	if why, text := s.Machine("new").Halted(); why != 0 {
		t.Errorf("the new one halts: %s, %s", why, text)
	}
}

// A partition outlives the tombstones in the fingerprints: what one side deleted
// in its first hour does not come back from the other side thirty hours later.
func TestPartitionOutlivesTombstones(t *testing.T) {
	t.Parallel()
	s := newStory(t, "a", "b", "c", "d", "e")
	s.Partition([]*sim.Machine{s.Machine("a"), s.Machine("b")})
	s.Machine("e").Crash()
	s.Run(core.Minute)
	s.del("a", "e") // dead
	s.del("a", "d") // alive, on the other side
	s.Run(30 * core.Hour)
	s.Heal()
	s.wait(core.Minute, "d learns that it was removed", s.halted("d", core.HaltRemoved))
	s.settle(core.Minute)
	if s.state("c", "e") != core.Removed || s.state("c", "d") != core.Removed {
		t.Errorf("c shows e %v and d %v", s.state("c", "e"), s.state("c", "d"))
	}
}

// When nothing happens, a node sends two frames a second of at most 32 bytes,
// whatever the ring's size.
func TestIdleCost(t *testing.T) {
	t.Parallel()
	for _, n := range []int{3, 60} {
		var names []string
		for i := range n {
			names = append(names, fmt.Sprintf("n%d", i))
		}
		s := newStory(t, names...)
		s.Run(core.Minute)
		frames, bytes := s.Sent()
		s.Run(10 * core.Minute)
		f, b := s.Sent()
		f, b = f-frames, b-bytes
		if perFrame := float64(b) / float64(f); perFrame > 32 {
			t.Errorf("%d nodes: %.1f bytes a frame", n, perFrame)
		}
		if perNode := float64(f) / float64(n) / 600; perNode > 2.5 {
			t.Errorf("%d nodes: %.2f frames a node and second", n, perNode)
		}
	}
}

// A third of a ring that is no full mesh dies at once: the others find out, and
// news still reaches all of them within a second.
func TestAThirdDies(t *testing.T) {
	t.Parallel()
	var names []string
	for i := range 60 {
		names = append(names, fmt.Sprintf("n%d", i))
	}
	s := newStory(t, names...)
	for i := 0; i < 60; i += 3 {
		s.Machine(names[i]).PowerOff()
	}
	s.Run(core.Second)
	s.del("n1", "n2")
	s.wait(core.Second, "all know of a deletion", func() bool {
		for i := range 60 {
			if i%3 != 0 && s.state(names[i], "n2") != core.Removed {
				return false
			}
		}
		return true
	})
	s.settle(core.Minute)
}

// A hundred tabs lose their gateway at once, and come back through another.
func TestManyTabs(t *testing.T) {
	t.Parallel()
	s := newStory(t, "a", "b", "c")
	for i := range 100 {
		tab := fmt.Sprintf("tab%d", i)
		s.Add(tab, sim.Options{Guest: true})
		s.start(tab, "a", "b")
	}
	s.settle(core.Minute)
	s.Machine("a").PowerOff()
	s.settle(core.Minute)
	s.Machine("b").Crash()
	s.start("a")
	s.settle(core.Minute)
	for i := range 100 {
		s.Machine(fmt.Sprintf("tab%d", i)).GoAway()
	}
	s.settle(3 * core.Minute)
	if n := s.Machine("c").View().Len(); n != 3 {
		t.Errorf("c shows %d members", n)
	}
}

// A laptop sleeps for over a day with its node running, and is deleted meanwhile:
// its timers saw no time pass, and yet it knows that it was away for too long.
func TestDeletedWhileAsleep(t *testing.T) {
	t.Parallel()
	s := newStory(t, "a", "b", "c", "d")
	s.Machine("c").Sleep()
	s.wait(core.Minute, "c is down", func() bool { return s.state("a", "c") == core.Down })
	s.del("a", "c")
	s.del("a", "d")
	s.Run(26 * core.Hour)
	s.Machine("c").Resume()
	s.wait(core.Minute, "c learns that it was removed", s.halted("c", core.HaltRemoved))
	s.settle(core.Minute)
	if s.state("a", "d") != core.Removed {
		t.Error("d is back")
	}
}

// A node begins anew at the address of another, which is dead: who dials itself
// there has found out that the other is not there.
func TestAtTheAddressOfAnother(t *testing.T) {
	t.Parallel()
	s := newStory(t, "a", "b")
	a := s.Machine("a")
	a.Crash()
	s.Machine("b").PowerOff()
	a.Move("b:7946")
	s.start("a")
	s.wait(core.Minute, "a shows b down", func() bool { return s.state("a", "b") == core.Down })
}

// A tab whose gateway dies finds another that has slept, and knows less than the tab:
// that it was deleted meanwhile, and that its name was another process's. Nobody but
// the tab knows that any more, and a guest proves nothing.
func TestTabKnowsBetter(t *testing.T) {
	t.Parallel()
	s := newStory(t, "a", "b")
	s.Add("tab", sim.Options{Guest: true})
	s.start("tab", "b", "a")
	s.settle(core.Minute)
	s.Machine("a").Pause()
	s.del("b", "a")
	s.Run(15 * core.Second)
	s.Add("another", sim.Options{Node: "a"})
	s.start("another", "b")
	s.Run(10 * core.Second)
	s.Machine("another").PowerOff()
	s.Machine("b").PowerOff()
	s.Run(10 * core.Second)
	s.Machine("a").Resume()
	s.Run(core.Minute) // what they show is of before
	s.settle(core.Minute)
}
