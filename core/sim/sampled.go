package sim

import (
	"errors"
	"fmt"

	"github.com/nanoring/nanoring/core"
)

// How a sample comes to the ring that is there: nine of ten take over from processes that
// were, in a few seconds of which nobody takes note, and then the others join, one after the other.
const (
	newOf        = 10
	startsWithin = 6 * core.Second // which a dial waits for
	joinEvery    = 500 * core.Millisecond
)

// validateSample says what of a plan cannot be lived of a sample.
func (p *Plan) validateSample() error {
	switch {
	case p.Sample < newOf || p.Sample > p.Nodes/2:
		return fmt.Errorf("a sample of %d of %d nodes: it is %d nodes at least, and half of all at most", p.Sample, p.Nodes, newOf)
	case p.Guests > 0 || p.Others > 0:
		return errors.New("a sample has no guests, and no nodes on another engine")
	case p.Loss > 0 || p.Skew > 0:
		return errors.New("the nodes that are not of the sample know no loss, and clocks that are right")
	case p.ChurnEvery > 0 || p.ResetEvery > 0 || p.Speech != Speech{}:
		return errors.New("of a sample only joins and deaths are lived: no churn, nothing that is said")
	}
	dead := 0
	for _, a := range p.Acts {
		if dead += a.Nodes; a.Kind != Kill || dead > p.Nodes/10 {
			return errors.New("of a sample only joins and deaths are lived: a tenth of the nodes is killed at most, and nothing else happens")
		}
	}
	return nil
}

// joinSample starts the sample in the ring that is there.
func (l *life) joinSample() error {
	w, r := l.w, l.w.rest
	for i, m := range w.machines {
		if i < r.old || i >= r.first {
			r.member(m)
			l.watch.absent(m, r.instance(i))
		}
	}
	connect := w.cfg.ConnectWithin
	w.cfg.ConnectWithin = w.cfg.DialWithin
	for i, m := range w.machines[:r.old] {
		w.advance(startsWithin * int64(i) / int64(r.old))
		r.takesOver(m)
		if _, err := l.watch.launch(m, nil); err != nil {
			return err
		}
		r.dial(m)
		l.started++
		l.tell()
	}
	w.cfg.ConnectWithin, r.all = connect, nil
	w.Run(2 * startsWithin) // to the last of those who waited
	for _, m := range w.machines[r.old:r.first] {
		var join []string
		for _, j := range l.pickOf(r.old, 2) {
			join = append(join, w.machines[j].addr)
		}
		if err := l.watch.start(m, ChangeJoin, join); err != nil {
			return err
		}
		l.started++
		w.Run(joinEvery)
		l.tell()
	}
	return nil
}

// lives tells whether a machine's node is one of the rest, and not dead.
func (r *rest) lives(m *Machine) bool {
	i, is := r.at(m)
	return is && !r.nodes[i].dead
}
