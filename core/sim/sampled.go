package sim

import (
	"errors"
	"fmt"

	"github.com/nanoring/nanoring/core"
)

// How a sample comes to the ring that is there: nine of ten start again, one after the other, from ring files
// that know all, and the others are new to it, and join through two of those.
const (
	startEvery = 100 * core.Millisecond
	newOf      = 10
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
	r, all := l.w.rest, l.w.machines
	old := l.Sample - l.Sample/newOf
	for i, m := range all {
		if i < old || i >= l.Sample {
			r.member(m)
		}
		if i >= l.Sample {
			l.watch.absent(m, r.instance(i))
		}
	}
	for i, m := range all[:l.Sample] {
		var join []string
		kind := ChangeRestart
		if i < old {
			m.disk.Ring = r.file(m)
		} else {
			kind = ChangeJoin
			for _, j := range l.pickOf(old, 2) {
				join = append(join, all[j].addr)
			}
		}
		if err := l.watch.start(m, kind, join); err != nil {
			return err
		}
		if m.disk = (Disk{}); i < old {
			r.dial(m)
		}
		l.started++
		l.w.Run(startEvery)
		l.tell()
	}
	return nil
}

// lives tells whether a machine's node is one of the rest, and not dead.
func (r *rest) lives(m *Machine) bool {
	i, is := r.at(m)
	return is && !r.nodes[i].dead
}
