package sim

import (
	"fmt"
	"slices"

	"github.com/nanoring/nanoring/core"
)

// Who is starved runs for the one time, and then not for the other: as a quota of a tenth
// does at its worst, but for its period, which is ten times a kernel's.
const (
	sliceRuns  = 100 * core.Millisecond
	sliceWaits = 900 * core.Millisecond
)

// running returns the durable machines that run.
func (l *life) running() []*Machine {
	var all []*Machine
	for _, m := range l.w.machines[:l.Nodes] {
		if m.Running() || l.w.rest.lives(m) {
			all = append(all, m)
		}
	}
	return all
}

func (l *life) act(a Act) error {
	all := l.running()
	l.rng.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	some := all[:min(a.Nodes, max(0, len(all)-1))]
	switch a.Kind {
	case Kill:
		l.die(some, (*Machine).Crash, ChangeKill)
	case PowerOff:
		l.die(some, (*Machine).PowerOff, ChangePowerOff)
	case Cut:
		for _, m := range l.w.machines[l.Nodes:] {
			if l.rng.IntN(l.Nodes) < a.Nodes {
				some = append(some, m)
			}
		}
		l.w.Partition(some)
		l.watch.cut(ChangeCut)
	case Return:
		n := min(a.Nodes, len(l.dead))
		back := l.dead[:n]
		l.dead, l.away = l.dead[n:], max(0, l.away-n)
		for _, m := range back {
			if err := l.again(m, m.join); err != nil {
				return err
			}
		}
	case Readdress:
		return l.readdress(all[:min(a.Nodes, len(all))])
	case Clock:
		for _, m := range some {
			m.StepClock(a.For)
		}
	case Starve:
		if l.starved = append(l.starved, some...); l.slice == 0 {
			l.slice = l.w.now
		}
	}
	return nil
}

// die ends machines, and keeps the ring files of those that return first.
func (l *life) die(some []*Machine, how func(*Machine), kind ChangeKind) {
	back := 0
	for _, a := range l.Acts {
		if a.Kind == Return {
			back += a.Nodes
		}
	}
	for _, m := range some {
		if l.away < back {
			l.away++
			m.write()
		}
		if l.w.rest.lives(m) {
			l.w.rest.die(m)
		} else {
			how(m)
		}
		l.watch.end(m, kind)
		l.dead = append(l.dead, m)
	}
}

// write has a machine's ring file be as if it had been written just now.
func (m *Machine) write() { m.disk.Ring, _ = m.proc.eng.Snapshot() }

// again starts a machine from its ring file, which is not kept: there are thousands.
func (l *life) again(m *Machine, join []string) error {
	err := l.watch.start(m, ChangeRestart, join)
	m.disk = Disk{}
	return err
}

// readdress has machines start again at other addresses, all at once, each through two
// of the others, as whatever started them would tell it.
func (l *life) readdress(some []*Machine) error {
	for _, m := range some {
		l.moves++
		m.Move(fmt.Sprintf("%s-%d:7946", m.name, l.moves))
	}
	for _, m := range some {
		m.write()
		m.Crash()
		l.watch.gone(&l.watch.nodes[m.index])
		var join []string
		for _, i := range l.pickOf(len(some), min(2, len(some))) {
			join = append(join, some[i].addr)
		}
		if err := l.again(m, join); err != nil {
			return err
		}
	}
	return nil
}

// ration stops those that are starved, or has them go on.
func (l *life) ration() {
	stops := false
	for _, m := range l.starved {
		stops = stops || m.Running() && !m.Paused()
	}
	for _, m := range l.starved {
		if stops {
			m.Pause()
		} else {
			m.Resume()
		}
	}
	if l.slice += sliceRuns; stops {
		l.slice += sliceWaits - sliceRuns
	}
}

// churn takes a random node away for some seconds, stopped and killed in turn.
func (l *life) churn() {
	all := l.running()
	if len(all) < 2 {
		return
	}
	m := all[l.rng.IntN(len(all))]
	if l.churned++; l.churned%2 == 0 {
		m.write()
		m.Crash()
		l.watch.end(m, ChangeKill)
	} else {
		m.Stop()
	}
	at := l.w.now + l.between(backMin, backMax)
	i, _ := slices.BinarySearch(l.returns, at)
	l.back, l.returns = slices.Insert(l.back, i, m), slices.Insert(l.returns, i, at)
}
