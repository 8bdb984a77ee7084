package sim

import (
	"github.com/nanoring/nanoring/core/lww"
	"github.com/nanoring/nanoring/core/wire"
)

// Copies counts the records that frames carried from node to node.
type Copies struct {
	Rumors uint64 // in rumors,
	Rounds uint64 // in gossip and acks,
	Syncs  uint64 // and in reconciliations;
	First  uint64 // of all of these: those that the node to which they went had not been sent before, nor sent itself
}

// Each is how many copies of a record a node got that got one; 0 if there was none.
func (c *Copies) Each() float64 {
	if c.First == 0 {
		return 0
	}
	return float64(c.Rumors+c.Rounds+c.Syncs) / float64(c.First)
}

func (c *Copies) since(m Copies) Copies {
	return Copies{c.Rumors - m.Rumors, c.Rounds - m.Rounds, c.Syncs - m.Syncs, c.First - m.First}
}

// copier counts copies. What a process has is one bit for each record that there was.
type copier struct {
	Copies
	number map[uint64]int // of each record, by its hash
	frame  wire.Frame
}

// sent takes in a frame that goes to a process; nil of one that is gone.
func (c *copier) sent(from, to *process, frame []byte) {
	var in *uint64
	switch kind := wire.Peek(frame).Kind; kind {
	case wire.KindRumor:
		in = &c.Rumors
	case wire.KindGossip, wire.KindAck:
		in = &c.Rounds
	case wire.KindSync, wire.KindSynced:
		in = &c.Syncs
	default:
		return
	}
	f := &c.frame
	if frame[len(frame)-1] == 0x90 || f.Decode(frame) != nil { // mostly there is no record in it
		return
	}
	c.count(from, to, f.Records, in)
	for i := range f.Items {
		c.count(from, to, f.Items[i].Records, in)
	}
}

func (c *copier) count(from, to *process, records []wire.Record, in *uint64) {
	for i := range records {
		w := &records[i]
		sum := lww.New(w.Name, w.Stamp, w.Rank, w.Value).Sum() + uint64(w.Set)
		n, ok := c.number[sum]
		if !ok {
			n = len(c.number)
			c.number[sum] = n
		}
		*in++
		if !from.standsIn() {
			from.has.take(n)
		}
		if to != nil && to.has.take(n) {
			c.First++
		}
	}
}

// numbers is a set of small numbers.
type numbers []uint64

// take puts a number in, and says whether it was not there.
func (b *numbers) take(n int) bool {
	for len(*b) <= n/64 {
		*b = append(*b, make([]uint64, max(8, len(*b)/2))...)
	}
	word, bit := &(*b)[n/64], uint64(1)<<(n%64)
	was := *word&bit != 0
	*word |= bit
	return !was
}

// CountCopies counts copies from now on.
func (w *World) CountCopies() {
	if w.copies == nil {
		w.copies = &copier{number: make(map[uint64]int)}
	}
}

// Copies returns what was counted.
func (w *World) Copies() Copies { return w.copies.Copies }
