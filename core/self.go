package core

import "math/rand/v2"

// incomparable in a struct keeps out of the module what would compare two of them,
// which nobody does.
type incomparable [0]func()

// self is this node as the owners of its state share it: who it is, what time it
// is for it, and its way to act.
type self struct {
	cfg  Config
	rand *rand.Rand
	clock
	timers
	output
	halted bool
}

func newSelf(cfg Config) self {
	return self{
		cfg:    cfg,
		rand:   rand.New(rand.NewPCG(cfg.Seed, uint64(cfg.Instance.Start))),
		output: output{joiners: make(map[string]*Event), told: make(map[string]int64)},
	}
}

// after arms a timer d microseconds from now, for what name and id say.
//
//go:noinline
func (s *self) after(d int64, kind timerKind, name string, id uint64) *timer {
	return s.timers.arm(s.now+d, kind, name, id)
}

// every arms the next of a row of timers, d microseconds from now, jittered by a
// tenth so that nodes started together spread.
func (s *self) every(d int64, kind timerKind) {
	s.after(d-d/10+s.rand.Int64N(d/5+1), kind, "", 0)
}

//go:noinline
func (s *self) shuffle(conns []*conn) {
	s.rand.Shuffle(len(conns), func(i, j int) { conns[i], conns[j] = conns[j], conns[i] })
}

//go:noinline
func (s *self) halt(why Reason, text string) {
	s.halted = true
	e := s.effect(Halt)
	e.Reason, e.Text = why, text
}

// refusedAll says whether nothing more is taken of the frame under way: this node
// halted by it, or a guest was refused for it.
func (s *self) refusedAll(c *conn) bool { return s.halted || c.guest && c.state == connOver }
