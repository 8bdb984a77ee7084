package sim_test

import (
	"slices"
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/sim"
	"github.com/nanoring/nanoring/core/wire"
)

// talker is an engine that keeps one connection, if it is told whom to dial, and
// says something on all that it has, ten times a second.
type talker struct {
	w     *sim.World
	join  []string
	size  int // of what it says; 0 for nothing
	dial  core.ConnID
	conns []core.ConnID
	heard []int64 // when
	lost  []int64
	code  wire.Code // of the last that was lost
}

func (e *talker) Snapshot() ([]byte, error)      { return nil, nil }
func (e *talker) Changes(uint64) ([]byte, error) { return nil, nil }
func (e *talker) Handover() ([]byte, error)      { return nil, nil }
func (e *talker) Close() error                   { return nil }

func (e *talker) Step(in core.Input) (out []core.Effect, err error) {
	drop := func() { e.conns = slices.DeleteFunc(e.conns, func(id core.ConnID) bool { return id == in.Conn }) }
	switch in.Kind {
	case core.Start:
		if len(e.join) > 0 {
			e.dial = 2
			out = append(out, core.Effect{Kind: core.Dial, Conn: e.dial, Addr: e.join[0]})
		}
	case core.Opened:
		e.conns = append(e.conns, in.Conn)
	case core.Received:
		e.heard = append(e.heard, e.w.Now())
	case core.Closed:
		drop()
		e.lost, e.code = append(e.lost, e.w.Now()), in.Code
		if in.Conn == e.dial {
			e.dial += 2
			out = append(out, core.Effect{Kind: core.Dial, Conn: e.dial, Addr: e.join[0]})
		}
	case core.Tick:
		for _, id := range e.conns {
			if e.size > 0 {
				out = append(out, core.Effect{Kind: core.Send, Conn: id, Frame: make([]byte, e.size)})
			}
		}
	}
	return append(out, core.Effect{Kind: core.Wake, At: in.Mono + 100*core.Millisecond}), nil
}

// talkers returns a world of two machines that talk: b has dialled a.
func talkers(t *testing.T) (w *sim.World, a, b *talker) {
	t.Helper()
	w, all := crowd(t)
	return w, all["a"], all["b"]
}

// crowd returns the engines too of those that come later.
func crowd(t *testing.T) (w *sim.World, all map[string]*talker) {
	t.Helper()
	all = make(map[string]*talker)
	w = sim.New(sim.Config{Seed: 1, LatencyMax: core.Millisecond, Trace: traceOf(), New: func(cfg core.Config) (core.Engine, error) {
		e := &talker{w: w, join: cfg.Join, size: 10}
		all[cfg.Name] = e
		return e, nil
	}})
	for _, err := range []error{w.Add("a", sim.Options{}).Start(), w.Add("b", sim.Options{}).Start("a:7946")} {
		if err != nil {
			t.Fatal(err)
		}
	}
	w.Run(core.Second)
	return w, all
}

// since returns how long after a time the first of some came; -1 if none did.
func since(times []int64, from int64) int64 {
	for _, at := range times {
		if at > from {
			return at - from
		}
	}
	return -1
}

// What is sent into a cut comes when it is sent again, whose waits have doubled:
// the longer the cut, the later after it. The connection stays.
func TestHeldByACut(t *testing.T) {
	t.Parallel()
	for _, lasts := range []int64{core.Second, 10 * core.Second, core.Minute, 10 * core.Minute} {
		w, a, b := talkers(t)
		w.CutLink(w.Machine("a"), w.Machine("b"))
		w.Run(lasts)
		healed := w.Now()
		w.Heal()
		w.Run(3 * core.Minute)
		for _, e := range []*talker{a, b} {
			if late := since(e.heard, healed); late < 0 || late > min(lasts, 2*core.Minute)+core.Second || lasts >= 10*core.Second && late < core.Second {
				t.Errorf("cut for %s: it came %s later", duration(lasts), duration(late))
			}
			if len(e.lost) > 0 {
				t.Errorf("cut for %s: the connection broke", duration(lasts))
			}
		}
	}
}

// A connection that a middlebox has forgotten brings nothing any more, and breaks
// at both ends after a quarter of an hour; a new one is not disturbed.
func TestForgottenConnection(t *testing.T) {
	t.Parallel()
	w, a, b := talkers(t)
	w.ForgetAll()
	forgot := w.Now()
	w.Run(15 * core.Minute)
	for _, e := range []*talker{a, b} {
		if late := since(e.heard, forgot+core.Second); late >= 0 || len(e.lost) > 0 {
			t.Errorf("something came %s later, and the connection broke %d times", duration(late), len(e.lost))
		}
	}
	w.Run(core.Minute)
	for _, e := range []*talker{a, b} {
		if len(e.lost) == 0 || since(e.heard, w.Now()-core.Second) < 0 {
			t.Errorf("the connection broke %d times, and nothing comes on a new one", len(e.lost))
		}
	}
}

// When one direction of a connection dies, the other one, whose acknowledgements
// are lost, falls silent soon, too.
func TestOneDirectionForgotten(t *testing.T) {
	t.Parallel()
	w, a, b := talkers(t)
	w.ForgetWay(w.Machine("a"), w.Machine("b"))
	from := w.Now()
	w.Run(10 * core.Minute)
	if since(b.heard, from+5*core.Millisecond) >= 0 || since(a.heard, from) < 0 || since(a.heard, from+core.Second) >= 0 {
		t.Error("it is not so")
	}
	w.Run(6 * core.Minute)
	if len(a.lost) == 0 || len(b.lost) == 0 {
		t.Errorf("the connection broke %d and %d times", len(a.lost), len(b.lost))
	}
}
