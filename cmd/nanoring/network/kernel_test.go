//go:build linux

package network

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/sim"
)

// stage is where two hosts talk over one connection, 0 having been dialled by 1:
// the kernel's, or the simulator's.
type stage interface {
	do(disturbance)
	say(by, size int)
	dial() // by 1, once more
	read() // 0 does, again
}

type disturbance string

const (
	cutBoth   disturbance = "cut"
	cutTo1    disturbance = "the way to 1 cut"
	loudly    disturbance = "forgotten with a reset"
	noNew     disturbance = "new ones dropped"
	refuseNew disturbance = "new ones refused"
	narrow    disturbance = "no segment over 700 bytes"
	unread    disturbance = "0 does not read"
	heal      disturbance = ""
)

// act is what is done on both stages.
type act struct {
	at time.Duration
	do func(stage)
}

func does(f disturbance) func(stage) { return func(s stage) { s.do(f) } }
func says(by, size int) func(stage)  { return func(s stage) { s.say(by, size) } }

// heldUp is a frame that is sent into a cut, which heals at a time.
func heldUp(heals time.Duration) []act {
	return []act{{0, does(cutBoth)}, {0, says(0, 20)}, {0, says(1, 20)}, {heals, does(heal)}}
}

const second = time.Second

// scenarios are healed soon after the kernel has sent again, when it waits longest.
var scenarios = map[string][]act{
	"cut for 1.8 s":          heldUp(1800 * time.Millisecond),
	"cut for 3.6 s":          heldUp(3600 * time.Millisecond),
	"cut for 7 s":            heldUp(7 * second),
	"the way to 1 is cut":    {{0, does(cutTo1)}, {0, says(1, 20)}, {second, says(0, 20)}, {second, says(1, 30)}, {4800 * time.Millisecond, does(heal)}},
	"forgotten with a reset": {{0, does(loudly)}, {second, says(1, 20)}, {2 * second, (stage).dial}, {3 * second, says(0, 20)}},
	"new ones are dropped":   {{0, does(noNew)}, {0, says(0, 20)}, {0, says(1, 20)}, {0, (stage).dial}},
	"new ones are refused":   {{0, does(refuseNew)}, {0, says(0, 20)}, {0, says(1, 20)}, {0, (stage).dial}},
	"a narrow path": {{0, does(narrow)}, {0, says(0, 400)}, {second, says(0, 2000)}, {second, says(0, 20)},
		{2 * second, says(1, 20)}, {4800 * time.Millisecond, does(heal)}},
	"0 does not read": {{0, does(unread)}, {0, says(1, 2000)}, {3 * second, (stage).read}},
}

// TestKernel plays scenarios on the kernel's TCP and on the simulator's, at once.
// What happens in the one has to happen in the other, and not sooner in the simulator,
// whose network would be kinder than there is: the kernel's timers are late by up to
// an eighth, and the rest is for a machine that is busy. Where the kernel sends again,
// that is much less than what is between healing and the next time.
func TestKernel(t *testing.T) {
	if !enter(t) {
		return
	}
	n := newNetwork(t, 2*len(scenarios)+2)
	lasts := 14 * second
	names := slices.Sorted(maps.Keys(scenarios))
	kernels := make([]*kernel, len(names))
	var wg sync.WaitGroup
	for i := range names {
		kernels[i] = n.kernel(2*i, scenarios[names[i]])
		wg.Go(func() { kernels[i].play(lasts) })
	}
	taken := n.kernel(2*len(names), nil).taken()
	wg.Wait()
	for i, name := range names {
		n.note("%s:", name)
		real, simulated := kernels[i].log.soFar(), simulate(t, scenarios[name], lasts)
		for _, what := range slices.Sorted(maps.Keys(real)) {
			k, s := real[what], simulated[what]
			n.note("  %-12s kernel %6.2f s, simulated %6.2f s", what, k.Seconds(), s.Seconds())
			switch {
			case s == 0:
				t.Errorf("%s: %s on the kernel's network, and never on the simulated one", name, what)
			case k > s+s/8+200*time.Millisecond:
				t.Errorf("%s: %s %s after its begin on the simulated network, and only after %s on the kernel's", name, what, s, k)
			}
		}
		for what, at := range simulated {
			if real[what] == 0 {
				t.Errorf("%s: %s after %s on the simulated network, and never on the kernel's", name, what, at)
			}
		}
	}
	n.note("the kernels take %d KiB that nobody reads", taken>>10)
	if least, most := sim.KernelBuffers/4, sim.KernelBuffers*16; taken < least || taken > most {
		t.Errorf("the kernels take %d bytes that nobody reads, and the simulated ones %d", taken, sim.KernelBuffers)
	}
}

// diary is when something happened for the first time, from the begin on.
type diary struct {
	mu    sync.Mutex
	first map[string]time.Duration
}

func (d *diary) note(at time.Duration, format string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	what := fmt.Sprintf(format, args...)
	if _, before := d.first[what]; !before {
		d.first[what] = max(at, 1)
	}
}

func (d *diary) soFar() map[string]time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	return maps.Clone(d.first)
}

// simulated is a stage of two machines of the simulator.
type simulated struct {
	w     *sim.World
	hosts [2]*speaker
	log   diary
}

// speaker is an engine that says what it is told to, within 5 ms.
type speaker struct {
	s     *simulated
	host  int
	conn  core.ConnID
	says  []int // sizes
	dials bool
	asked time.Duration
}

func simulate(t *testing.T, acts []act, lasts time.Duration) map[string]time.Duration {
	t.Helper()
	s := &simulated{log: diary{first: make(map[string]time.Duration)}}
	s.w = sim.New(sim.Config{LatencyMin: 50, LatencyMax: 100, New: func(cfg core.Config) (core.Engine, error) {
		host := len(cfg.Join)
		s.hosts[host] = &speaker{s: s, host: host}
		return s.hosts[host], nil
	}})
	for _, err := range []error{s.w.Add("0", sim.Options{}).Start(), s.w.Add("1", sim.Options{}).Start("0:7946")} {
		if err != nil {
			t.Fatal(err)
		}
	}
	s.w.Run(core.Second)
	for _, a := range acts {
		s.w.Run(a.at.Microseconds() - s.since().Microseconds())
		a.do(s)
	}
	s.w.Run(lasts.Microseconds() - s.since().Microseconds())
	return s.log.first
}

func (s *simulated) since() time.Duration {
	return time.Duration(s.w.Now()-core.Second) * time.Microsecond
}

func (s *simulated) say(by, size int) { s.hosts[by].says = append(s.hosts[by].says, size) }
func (s *simulated) dial()            { s.hosts[1].dials = true }
func (s *simulated) read()            { s.w.Machine("0").Resume() }

func (s *simulated) do(f disturbance) {
	m0, m1 := s.w.Machine("0"), s.w.Machine("1")
	switch f {
	case cutBoth:
		s.w.CutLink(m0, m1)
	case cutTo1:
		s.w.CutWay(m0, m1)
	case loudly:
		s.w.ForgetLoudly(m0, m1)
	case noNew:
		s.w.DropNew(m1, m0)
	case refuseNew:
		s.w.RefuseNew(m1, m0)
	case narrow:
		s.w.Narrow(m0, m1, 700)
	case unread:
		m0.Pause()
	case heal:
		s.w.Heal()
	}
}

func (e *speaker) Snapshot() ([]byte, error)      { return nil, nil }
func (e *speaker) Changes(uint64) ([]byte, error) { return nil, nil }
func (e *speaker) Handover() ([]byte, error)      { return nil, nil }
func (e *speaker) Close() error                   { return nil }

func (e *speaker) Step(in core.Input) (out []core.Effect, err error) {
	const first, again = 2, 4 // dials
	now := e.s.since()
	switch in.Kind {
	case core.Start:
		if e.host == 1 {
			out = append(out, core.Effect{Kind: core.Dial, Conn: first, Addr: "0:7946"})
		}
	case core.Opened:
		if in.Conn == again {
			e.s.log.note(now-e.asked, "a dial opens")
		} else if e.conn == 0 {
			e.conn = in.Conn
		}
	case core.Closed:
		if in.Conn == again {
			e.s.log.note(now-e.asked, "a dial fails")
		} else if in.Conn == e.conn {
			e.s.log.note(now, "%d is told", e.host)
		}
	case core.Received:
		e.s.log.note(now, "%d hears %d", e.host, len(in.Frame))
	}
	for _, size := range e.says {
		out = append(out, core.Effect{Kind: core.Send, Conn: e.conn, Frame: make([]byte, size)})
	}
	if e.says = nil; e.dials {
		e.dials, e.asked = false, now
		out = append(out, core.Effect{Kind: core.Dial, Conn: again, Addr: "0:7946"})
	}
	return append(out, core.Effect{Kind: core.Wake, At: in.Mono + 5*core.Millisecond}), nil
}
