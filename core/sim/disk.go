package sim

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// Disk is what a machine keeps when its process ends, as native does in its
// data folder: the ring file, the generation before, the marker of a removal.
type Disk struct {
	Ring, Prev []byte
	Removed    bool
	Fault      Fault
}

// Fault is what is wrong with a disk.
type Fault uint8

// The faults.
const (
	NoFault  Fault = iota
	Full           // nothing can be written; what is there can be renamed and deleted
	ReadOnly       // nothing can be changed
	Hanging        // no access comes back
)

func (f Fault) String() string {
	return [...]string{"whole", "full", "read-only", "hanging"}[f]
}

// A failed write is tried again after firstRetry, then after twice as long, up to
// lastRetry; at once if a command waits for it: as native does.
const (
	firstRetry = 100 * core.Millisecond
	lastRetry  = 30 * core.Second
)

// Harm gives the machine's disk a fault, until Mend.
func (m *Machine) Harm(f Fault) {
	m.w.note(m, "its disk is ", f.String())
	m.disk.Fault = f
}

// Mend makes the disk whole: what hung goes on.
func (m *Machine) Mend() {
	if m.disk.Fault == NoFault {
		return
	}
	m.w.note(m, "its disk is whole again")
	m.disk.Fault = NoFault
	if p := m.proc; p != nil && p.hung {
		p.hung = false
		m.w.schedule(m.w.now, event{kind: evWritten, proc: p})
	}
}

// LoseDisk loses the whole data folder of a machine that runs no process.
func (m *Machine) LoseDisk() {
	m.w.note(m, "loses its disk")
	m.disk = Disk{}
	m.w.disowned(m)
}

// HalveFile cuts the ring file of a machine that runs no process in half.
func (m *Machine) HalveFile() {
	m.w.note(m, "loses half of its ring file")
	m.disk.Ring = append([]byte(nil), m.disk.Ring[:len(m.disk.Ring)/2]...)
	m.w.disowned(m)
}

// usable tells whether a process can start with this disk.
func (d *Disk) usable() bool {
	return d.Fault == NoFault || d.Fault == Full && d.Ring != nil
}

// write starts a write of the ring file when there is something new and none is
// under way: the latest state next, nothing for each change.
func (p *process) write(retry bool) {
	if p.writing || p.dirty <= p.taken || p.m.opt.Guest || p.m.w.lean || p.backoff > 0 && !retry && len(p.pending) == 0 {
		return
	}
	if !p.take() {
		return
	}
	p.writing = true
	w := p.m.w
	w.schedule(w.now+w.between(w.cfg.WriteMin, w.cfg.WriteMax), event{kind: evWritten, proc: p})
}

// take takes what is to be written: as native does, all there is first, and then, unless a
// write has failed, what has changed since the last write, which has to make the same of
// what is on the disk.
func (p *process) take() bool {
	b, err := p.eng.Snapshot()
	var change []byte
	if err == nil && p.follows {
		change, err = p.eng.Changes(p.onDisk)
	}
	if err == nil && change != nil {
		b, err = folded(p.m.disk.Ring, change, b)
	}
	if err != nil {
		p.m.w.fail(p.m, err)
		return false
	}
	p.snapshot, p.taken, p.follows = b, p.dirty, true
	p.late = p.m.w.steps != p.changed
	p.m.w.digest.Write(b)
	return true
}

// folded returns a ring file with a change to it, which has to be as the snapshot now.
func folded(file, change, snapshot []byte) ([]byte, error) {
	var s, now wire.Snapshot
	var c wire.Change
	if err := errors.Join(s.Decode(file), now.Decode(snapshot), c.Decode(change)); err != nil {
		return nil, err
	}
	s.Fold([]wire.Change{c})
	b := s.Append(nil)
	ordered(s.Records)
	ordered(now.Records)
	if bytes.Equal(s.Append(nil), now.Append(nil)) {
		return b, nil
	}
	i := 0
	for i < len(s.Records) && i < len(now.Records) && s.Records[i] == now.Records[i] {
		i++
	}
	of := "what is no record"
	for _, all := range [][]wire.Record{now.Records, s.Records} {
		if i < len(all) {
			of = fmt.Sprintf("%+v", all[i])
		}
	}
	return nil, fmt.Errorf("what changed makes another ring file than there is: of %d records, and not %d, by %s", len(s.Records), len(now.Records), of)
}

// written is the end of a write.
func (p *process) written() {
	if p.dead {
		return
	}
	switch p.m.disk.Fault {
	case Hanging:
		p.hung = true
		return
	case NoFault:
		p.writing, p.backoff = false, 0
		p.toDisk()
	default:
		p.writing, p.follows = false, false
		p.fail(p.taken)
		p.taken = p.onDisk
		p.backoff = min(max(2*p.backoff, firstRetry), lastRetry)
		w := p.m.w
		p.retryAt = w.now + p.backoff
		w.schedule(p.retryAt, event{kind: evRetry, proc: p, arg: p.retryAt})
	}
	p.write(false)
}

func (p *process) retry(which int64) {
	if !p.dead && which == p.retryAt {
		p.write(true)
	}
}

func (p *process) toDisk() {
	d := &p.m.disk
	p.m.w.promises.wrote(p, d.Ring, p.snapshot)
	d.Prev, d.Ring = d.Ring, p.snapshot
	p.onDisk = p.taken
	p.acknowledge()
}
