package sim

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/nanoring/nanoring/core"
)

// life is a plan being lived.
type life struct {
	*Plan
	w       *World
	rng     *rand.Rand // the plan's own: it does not change with the network's
	watch   *watch
	began   int64 // virtual time at which the ring stood
	mark    mark  // and what was sent until then
	sampled mark  // up to the newest sample
	started int
	back    []*Machine // who churned and is away, by the time of return
	returns []int64
	churned int
	dead    []*Machine // by an act, in the order of their ends
	away    int        // so many of them had a ring file kept, to return
	moves   int        // to other addresses, so far
	starved []*Machine // who run for a tenth of the time
	slice   int64      // when they go on, or stop, the next time; 0 if there are none
	speech  *speech    // nil if nothing is said
}

// Run lives the plan. An error is the plan's, or an engine's that failed.
func (p *Plan) Run() (*Report, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	others := make(map[string]bool)
	w := New(Config{Seed: p.Seed, LatencyMin: p.LatencyMin, LatencyMax: p.LatencyMax, Loss: p.Loss, ConnectWithin: p.connectWithin(), DialWithin: p.dialWithin(), New: func(cfg core.Config) (core.Engine, error) {
		if others[cfg.Name] {
			return p.Other(cfg)
		}
		return newRing(cfg)
	}})
	defer w.Close()
	w.beLean(p.workers)
	w.copies = &copier{number: make(map[uint64]int)}
	l := &life{Plan: p, w: w, rng: rand.New(rand.NewPCG(p.Seed, 0x706c616e))}
	w.batch.taken = p.taken
	l.watch = newWatch(w, p.Nodes+p.Guests)
	if p.Speech != (Speech{}) {
		l.speech = &speech{life: l, plan: p.Speech, asked: make(map[uint64]int)}
		w.OnEvent(func(m *Machine, e *core.Event) {
			l.watch.event(m, e)
			l.speech.event(m, e)
		})
	}
	r := &Report{}
	l.machines()
	for i, m := range w.machines {
		if all := int64(len(w.machines)); int64(i+1)*int64(p.Others)/all > int64(i)*int64(p.Others)/all {
			others[m.opt.Node] = true
		}
	}
	join := l.join
	if p.Sample > 0 {
		join = l.joinSample
	}
	if err := join(); err != nil {
		return nil, err
	}
	l.stand(r)
	if err := l.live(r); err != nil {
		return nil, err
	}
	if w.Err() != nil {
		return nil, w.Err()
	}
	return r, nil
}

// machines makes all the machines: n1, n2, …, then tab1, tab2, …
func (l *life) machines() {
	share := func(c *core.Config) {
		c.Period, c.AckTimeout, c.Patience = l.Period, l.AckTimeout, l.Patience
		c.RemovalGrace, c.ReapAfter = l.RemovalGrace, l.ReapAfter
	}
	if l.Sample > 0 {
		l.w.rest = newRest(l.w, l.Plan)
	}
	for i := range l.Nodes + l.Guests {
		o := Options{Tune: share, Guest: i >= l.Nodes, Clock: l.between(-l.Skew, l.Skew)}
		name := fmt.Sprintf("n%d", i+1)
		if o.Guest {
			name = fmt.Sprintf("tab%d", i-l.Nodes+1)
		}
		if l.Sample > 0 && i >= l.Sample {
			l.w.rest.standsIn(&o)
		}
		l.w.Add(name, o)
	}
}

func (l *life) between(lo, hi int64) int64 { return lo + l.rng.Int64N(hi-lo+1) }

// join starts all nodes, in waves that double.
func (l *life) join() error {
	if err := l.start(l.w.machines[0]); err != nil {
		return err
	}
	for l.started < len(l.w.machines) {
		wave := min(l.started, waveMost, len(l.w.machines)-l.started)
		at := make([]int64, wave)
		for i := range at {
			at[i] = l.w.now + l.rng.Int64N(waveEvery)
		}
		slices.Sort(at)
		end := l.w.now + waveEvery
		for _, t := range at {
			l.w.advance(t)
			if err := l.start(l.w.machines[l.started]); err != nil {
				return err
			}
			l.tell()
		}
		l.w.advance(end)
	}
	l.tell()
	return nil
}

// start starts the next machine, which joins through random running nodes.
func (l *life) start(m *Machine) error {
	var join []string
	if n := min(l.started, l.Nodes); n > 0 {
		most := 2
		if m.opt.Guest {
			most = gateways
			if l.Gateways > 0 {
				n, most = min(n, l.Gateways), l.Gateways
			}
		}
		for _, i := range l.pickOf(n, min(n, most)) {
			join = append(join, l.w.machines[i].addr)
		}
	}
	l.started++
	kind := ChangeJoin
	if m.opt.Guest {
		kind = ChangeGuest
	}
	err := l.watch.start(m, kind, join)
	l.speech.listen(m)
	return err
}

// pickOf draws k different numbers below n.
func (l *life) pickOf(n, k int) []int {
	var picked []int
	for len(picked) < k {
		if i := l.rng.IntN(n); !slices.Contains(picked, i) {
			picked = append(picked, i)
		}
	}
	return picked
}

// stand waits until the ring stands: everybody shows everybody.
func (l *life) stand(r *Report) {
	last := l.w.now
	r.Stood = l.w.RunUntil(standWithin, func() bool {
		l.tell()
		return l.watch.off == 0
	})
	r.JoinedIn, r.StoodIn = last, l.w.now
	r.JoinTraffic = l.trafficSince(mark{})
	r.JoinChanges = l.watch.takeChanges()
	l.mark = l.newMark()
	l.sampled = l.mark
}

func (l *life) tell() {
	if l.Progress == nil {
		return
	}
	p := Progress{Started: l.started, Right: l.watch.right()}
	if l.began > 0 {
		p.At, p.For = l.w.now-l.began, l.For
	}
	l.Progress(p)
}

// live lets the plan happen, and takes samples of it.
func (l *life) live(r *Report) error {
	w := l.w
	l.began = w.now
	end := w.now + l.For
	every := max(sampleEvery, l.For/mostSamples)
	acts := l.sorted()
	heal, churn, reset := int64(0), int64(0), int64(0)
	if l.ResetEvery > 0 {
		reset = w.now + resetEvery
	}
	if l.speech != nil {
		w.onSend = l.speech.sent
	}
	if l.ChurnEvery > 0 {
		churn = w.now + l.between(1, 2*l.ChurnEvery-1)
	}
	for sample := w.now; ; {
		next := min(end, sample)
		if len(acts) > 0 {
			next = min(next, l.began+acts[0].At)
		}
		if heal > 0 {
			next = min(next, heal)
		}
		if churn > 0 {
			next = min(next, churn)
		}
		if len(l.returns) > 0 {
			next = min(next, l.returns[0])
		}
		if reset > 0 {
			next = min(next, reset)
		}
		if l.slice > 0 {
			next = min(next, l.slice)
		}
		if at := l.speech.next(); at > 0 {
			next = min(next, at)
		}
		w.advance(next)
		if l.slice > 0 && l.slice <= w.now {
			l.ration()
		}
		if reset > 0 && reset <= w.now {
			l.breakSome(l.ResetEvery)
			reset += resetEvery
		}
		for at := l.speech.next(); at > 0 && at <= w.now; at = l.speech.next() {
			l.speech.say()
		}
		if w.now == sample {
			r.Samples = append(r.Samples, l.sample())
			sample += every
			l.tell()
		}
		for len(l.returns) > 0 && l.returns[0] <= w.now {
			m := l.back[0]
			l.back, l.returns = l.back[1:], l.returns[1:]
			if err := l.again(m, m.join); err != nil {
				return err
			}
		}
		if heal > 0 && heal <= w.now {
			heal = 0
			w.Heal()
			l.watch.cut(ChangeHeal)
		}
		for len(acts) > 0 && l.began+acts[0].At <= w.now && w.now < end {
			if acts[0].Kind == Cut {
				heal = w.now + acts[0].For
			}
			if err := l.act(acts[0]); err != nil {
				return err
			}
			acts = acts[1:]
		}
		if churn > 0 && churn <= w.now && w.now < end {
			l.churn()
			churn += l.between(1, 2*l.ChurnEvery-1)
		}
		if w.now >= end {
			break
		}
	}
	return l.finish(r)
}
