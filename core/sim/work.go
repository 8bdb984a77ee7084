package sim

import (
	"strconv"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// How much a step may look at (see core.Ring.Looks): docs/protocol.md, section 29, says
// why. Beyond that is what goes through all that a node knows, which is rare: see walks.
const (
	looksAtMost    = 1024     // of its own accord: a round tries 32 others and dials ten, a probe asks twelve
	looksPerConn   = 32       // and connection
	looksPerGuest  = 16       // and guest, of whom a gateway may be lost
	bytesPerLook   = 2        // of what came in: a record has some forty, and is looked up some twenty times
	bytesPerSent   = 8        // of what goes out
	looksPerItem   = 544      // of a sync, for what is compared: a leaf of the tree, twice, and its children
	looksAnswered  = 15 << 10 // for one answer: 192 KiB at 16 bytes each, and a last item of 3,072 more
	looksAsked     = 32 << 10 // for the next frame of questions: 64 ranges of 512 records
	looksPerDigest = 4        // of what a peer has, or lacks: it is looked for in both sets
	walksOf        = 10       // times all that a node knows, that a walk may look at
	walksAtOnce    = 3        // walks that may follow on one another
)

// worker is an engine whose work can be measured.
type worker interface{ Looks() uint64 }

// looks returns how much a process's engine has looked at so far; 0 if nobody counts.
func (p *process) looks() uint64 {
	if e, ok := p.eng.(worker); ok {
		return e.Looks()
	}
	return 0
}

// walks is how often a process may go through all that it knows, by what has happened:
// once at its start, and when somebody lets it in or comes, since the clocks of both
// are compared then; twice when its clock was set back; once when so much time has passed
// at once that much is over.
type walks struct {
	left       int
	mono, wall int64 // of the step before
	slept      int64 // time in which it was not run, since the last walk for that
}

// earn counts what an input is a reason for.
func (k *walks) earn(in *core.Input) {
	switch {
	case in.Kind == core.Start:
		k.left += walksAtOnce
	case kindOf(in) == wire.KindHello:
		k.left++
	case in.Kind != core.Start && in.Wall < k.wall:
		k.left += 2
	case in.Mono > k.mono+core.Minute || in.Wall > k.wall+core.Minute:
		k.left++
	default:
		if passed := max(in.Wall-k.wall, in.Mono-k.mono); passed > 2*core.Second { // it wakes each period
			k.slept += passed
		}
		if k.slept > core.Minute {
			k.left, k.slept = k.left+1, 0
		}
	}
	k.left = min(k.left, walksAtOnce)
	k.mono, k.wall = in.Mono, in.Wall
}

// kindOf returns the kind of the frame that came in; 0 for none.
func kindOf(in *core.Input) wire.Kind {
	if in.Kind != core.Received || len(in.Frame) < 2 {
		return 0
	}
	return wire.Kind(in.Frame[1])
}

// worked holds what a step has looked at against what came in.
func (p *promises) worked(pr *process, in *core.Input, effects []core.Effect, looks uint64) {
	if p == nil || pr.m.opt.Rogue != nil || pr.m.opt.Guest { // a guest has its gateway's clock, and may go through all whenever that is set
		return
	}
	k := p.walks[pr]
	if k == nil {
		k = new(walks)
		p.walks[pr] = k
	}
	k.earn(in)
	if in.Kind == core.Start {
		p.filed = max(p.filed, pr.m.filed())
	}
	most := looksAtMost + looksPerConn*(len(pr.conns)+1) + looksPerGuest*p.w.guests() + len(in.Frame)/bytesPerLook
	if int(looks) <= most {
		return
	}
	for i := range effects {
		most += len(effects[i].Frame) / bytesPerSent
	}
	all := p.known()
	var f wire.Frame
	if in.Kind == core.Received && f.Decode(in.Frame) == nil {
		most += looksPerItem*len(f.Items) + looksPerDigest*len(f.Digests)
		switch f.Kind {
		case wire.KindSync:
			most += looksAnswered + all.hashed
		case wire.KindSynced:
			most += looksAsked + all.names // of who sent all that it has in a range, all is gone through there
		}
	}
	switch n := int(looks); {
	case n <= most:
	case n > most+walksOf*all.names:
		p.broken(pr.m.name, " looks at ", strconv.Itoa(n), " records in one step, and knows ", strconv.Itoa(all.names), " names: more than ", strconv.Itoa(walksOf), " times")
	case k.left == 0:
		p.broken(pr.m.name, " looks at ", strconv.Itoa(n), " records in one step, more than ", strconv.Itoa(most), ", again, and for no reason")
	default:
		k.left--
	}
}

// guests returns how many guests there are, dead or alive.
func (w *World) guests() (n int) {
	for _, m := range w.machines {
		if m.opt.Guest {
			n++
		}
	}
	return n
}

// census bounds how much there is to know.
type census struct {
	names  int // that anybody may know
	hashed int // of those, that share one hash
}

func (p *promises) known() census {
	c := census{names: len(p.w.machines) + len(p.w.commands), hashed: len(colliding)}
	if p.w.crowd != nil {
		c.names += p.w.crowd.names
		c.hashed += min(p.w.crowd.names, mostHashed)
	}
	c.names = max(c.names, p.filed)
	return c
}

// filed returns how many records the ring file has; 0 if it cannot be read.
func (m *Machine) filed() int {
	b, err := m.Snapshot()
	var s wire.Snapshot
	if err != nil || s.Decode(b) != nil {
		return 0
	}
	return len(s.Records)
}
