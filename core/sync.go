package core

import (
	"slices"

	"github.com/nanoring/nanoring/core/lww"
	"github.com/nanoring/nanoring/core/wire"
)

// Reconciliation: two nodes whose fingerprints differ find what differs by
// descending the tree of ranges, from its root. The initiator asks, the other
// answers and keeps no state. d differences in n records cost O(d log n).
const (
	fewRecords  = 32       // a range of so many is sent, not compared
	manyRecords = 512      // so many are, if the other side hardly has any of them
	hardly      = 8        // times fewer
	syncItems   = 64       // items in a frame
	syncBytes   = 96 << 10 // of records in a frame, a last range over
	syncTimeout = 10 * Second
)

// reconciliation is the one sync that this node has started.
//
// With a peer that is an authority (a guest's gateway, or a fresh node to a
// stale one) nothing is sent before the peer has shown what it has in a range;
// what it lacks there is dropped.
type reconciliation struct {
	conn  *conn
	seq   uint64
	queue []task      // ranges to compare, the next one last: depth first, which bounds it
	push  []key       // records that the peer lacks
	asked []task      // those of the frame on its way
	again []key       // the records of it, in case it was not handled
	upToo bool        // up follows when nodes is done
	timer *timer      // for the answer
	items []wire.Item // of the next frame
}

// pushed stands in asked for records that were pushed: no range is as deep.
var pushed = task{rg: wire.Range{Depth: wire.RangeDepth + 1}}

// task is a range that differs, as far as is known.
type task struct {
	rg     wire.Range
	theirs uint64 // how many records the peer has in it
	known  bool   // theirs is known
}

func (r *Ring) startSync(c *conn) {
	if c.state != connEstablished || c.guest || c.peerStale && !r.stale {
		return
	}
	if c.differs = r.sync != nil; c.differs {
		return
	}
	s := &reconciliation{conn: c, upToo: true}
	if r.nodes.Len() <= fewRecords && c.hello.Members <= fewRecords {
		s.queue = append(s.queue, task{rg: wire.Range{Set: wire.Up}})
		s.upToo = false
	}
	s.queue = append(s.queue, task{rg: wire.Range{Set: wire.Nodes}})
	r.sync = s
	r.nextSync()
}

// nextSync sends the next frame, or ends the sync.
func (r *Ring) nextSync() {
	s := r.sync
	s.timer.stop()
	if len(s.queue) == 0 && len(s.push) == 0 {
		if s.upToo {
			s.upToo = false
			s.queue = append(s.queue, task{rg: wire.Range{Set: wire.Up}})
		} else {
			r.endSync()
			return
		}
	}
	s.items, s.asked, s.again = s.items[:0], s.asked[:0], s.again[:0]
	size := r.pushItems(s)
	for len(s.queue) > 0 && len(s.items) < syncItems && size < syncBytes {
		t := s.queue[len(s.queue)-1]
		s.queue = s.queue[:len(s.queue)-1]
		item := wire.Item{Kind: wire.ItemPrint, Range: t.rg, Print: r.rangePrint(t.rg)}
		if !s.conn.authority && r.sendWhole(item.Print.Count, t.theirs, t.known) {
			if all := r.recordsIn(t.rg); fits(all) {
				item.Kind, item.Records = wire.ItemAll, all
				size += sizeOf(all)
			}
		}
		s.items, s.asked = append(s.items, item), append(s.asked, t)
	}
	r.seq++
	s.seq = r.seq
	s.timer = r.after(syncTimeout, func() {
		if r.sync == s {
			r.sync = nil
		}
	})
	r.send(s.conn, &wire.Frame{Kind: wire.KindSync, Seq: s.seq, Items: s.items})
}

// pushItems puts what the peer is known to lack into the next frame, and returns its size.
func (r *Ring) pushItems(s *reconciliation) (size int) {
	var some [2][]wire.Record
	n := 0
	for ; n < len(s.push) && size < syncBytes; n++ {
		k := s.push[n]
		if rec := r.record(k); rec != nil {
			w := frameRecord(k.set, rec)
			size += w.Size()
			some[k.set] = append(some[k.set], w)
			s.again = append(s.again, k)
		}
	}
	s.push = s.push[n:]
	for id, records := range some {
		if len(records) > 0 {
			s.items = append(s.items, wire.Item{Kind: wire.ItemSome, Range: wire.Range{Set: wire.SetID(id)}, Records: records})
			s.asked = append(s.asked, pushed)
		}
	}
	return size
}

// sendWhole decides whether a range of count records is sent as it is.
func (r *Ring) sendWhole(count, theirs uint64, known bool) bool {
	return count <= fewRecords || known && count <= manyRecords && theirs <= count/hardly
}

func lwwRange(rg wire.Range) lww.Range { return lww.Range{Prefix: rg.Prefix, Depth: rg.Depth} }

func (r *Ring) rangePrint(rg wire.Range) wire.Print {
	return wire.Print(r.set(rg.Set).FingerprintOf(lwwRange(rg)))
}

func (r *Ring) recordsIn(rg wire.Range) (records []wire.Record) {
	for rec := range r.set(rg.Set).In(lwwRange(rg)) {
		records = append(records, frameRecord(rg.Set, rec))
	}
	return records
}

func sizeOf(records []wire.Record) (n int) {
	for i := range records {
		n += records[i].Size()
	}
	return n
}

// answerSync answers as many items as fit a frame, one at least.
func (r *Ring) answerSync(c *conn, f *wire.Frame) {
	seq := f.Seq
	answer := wire.Frame{Kind: wire.KindSynced, Seq: seq}
	size := 0
	for i := range f.Items {
		if size >= syncBytes || r.refusedAll(c) {
			break
		}
		item := &f.Items[i]
		answer.Handled++
		switch item.Kind {
		case wire.ItemSome:
			r.mergeAll(c, item.Records)
		case wire.ItemAll:
			if some := r.mergeRange(c, item.Range, item.Records, nil); len(some) > 0 {
				out := r.give(item.Range, some)
				answer.Items = append(answer.Items, out)
				size += sizeOf(out.Records)
			}
		case wire.ItemPrint:
			if out, differs := r.comparePrint(item); differs {
				answer.Items = append(answer.Items, out)
				size += sizeOf(out.Records) + wire.RangeChildren*10
			}
		}
	}
	if c.guest && !c.answered.take(r.now, int64(size>>10), guestAnswers, answerRate) {
		return // it asks again in a while
	}
	if !r.halted && r.conns[c.id] == c {
		r.send(c, &answer)
	}
}

// comparePrint answers a fingerprint: nothing if it is the same here, else
// the records if they are few, else the fingerprints of the children.
func (r *Ring) comparePrint(item *wire.Item) (out wire.Item, differs bool) {
	mine := r.rangePrint(item.Range)
	if mine == item.Print {
		return out, false
	}
	out.Range = item.Range
	if r.sendWhole(mine.Count, item.Print.Count, true) || item.Range.Depth == wire.RangeDepth {
		all := r.recordsIn(item.Range)
		if fits(all) {
			out.Kind, out.Records = wire.ItemAll, all
			return out, true
		}
		return r.give(item.Range, all), true
	}
	return r.childrenOf(item.Range), true
}

// fits says whether a frame has room for records, whatever else is in it.
func fits(records []wire.Record) bool {
	return len(records) <= fewRecords || sizeOf(records) <= syncBytes
}

// give makes the item for records of a range that the peer lacks: too many of
// them are left to the descent. Below the last level, where only names made to
// collide can be so many, a sync gives what fits, and the next one the rest.
func (r *Ring) give(rg wire.Range, some []wire.Record) wire.Item {
	if !fits(some) && rg.Depth < wire.RangeDepth {
		return r.childrenOf(rg)
	}
	for !fits(some) {
		some = some[:len(some)/2]
	}
	return wire.Item{Kind: wire.ItemSome, Range: rg, Records: some}
}

func (r *Ring) childrenOf(rg wire.Range) wire.Item {
	out := wire.Item{Kind: wire.ItemChildren, Range: rg}
	for i, p := range r.set(rg.Set).Children(lwwRange(rg)) {
		out.Children[i] = wire.Print(p)
	}
	return out
}

// mergeRange takes in all that a peer has in a range, and returns what of this
// node's records in it the peer lacks or has older. lacking, if not nil, is
// asked first for each that the peer lacks: true drops it.
func (r *Ring) mergeRange(c *conn, rg wire.Range, records []wire.Record, lacking func(*lww.Record) bool) (some []wire.Record) {
	theirs := make(map[string]*wire.Record, len(records))
	for i := range records {
		w := &records[i]
		theirs[w.Name] = w
		if r.merge(w, c) == isRefused && w.Set == wire.Nodes && r.expired[w.Name] != nil {
			some = append(some, frameRecord(wire.Nodes, r.expired[w.Name].record))
		}
		if r.refusedAll(c) {
			return nil
		}
	}
	var drop []string
	for rec := range r.set(rg.Set).In(lwwRange(rg)) {
		w := theirs[rec.Name]
		if w != nil && compare(rec, w) <= 0 || r.cfg.Ephemeral && w != nil && rec.Name != r.cfg.Name {
			continue
		}
		if w == nil && lacking != nil && lacking(rec) {
			drop = append(drop, rec.Name)
			continue
		}
		some = append(some, frameRecord(rg.Set, rec))
	}
	for _, name := range drop {
		if name == r.cfg.Name {
			r.removedElsewhere()
		} else {
			r.forget(rg.Set, name)
		}
	}
	return some
}

// synced takes the answer and goes on.
func (r *Ring) synced(c *conn, f *wire.Frame) {
	s := r.sync
	if s == nil || s.conn != c || s.seq != f.Seq {
		return // of a sync that was given up
	}
	if f.Handled > uint64(len(s.asked)) || f.Handled == 0 && len(s.asked) > 0 || !answers(f.Items, s.asked[:f.Handled]) {
		r.fail(c, wire.CodeOrder, "a synced frame answers one item at least, and none that was not sent")
		return
	}
	var lacking func(*lww.Record) bool
	if c.authority {
		lacking = r.lacking
	}
	for i := range f.Items {
		item := &f.Items[i]
		switch item.Kind {
		case wire.ItemSome:
			r.mergeAll(c, item.Records)
		case wire.ItemAll:
			for _, w := range r.mergeRange(c, item.Range, item.Records, lacking) {
				s.push = append(s.push, key{w.Set, w.Name})
			}
		case wire.ItemChildren:
			r.descend(s, item)
		}
		if r.halted || r.sync != s {
			return
		}
	}
	for _, t := range slices.Backward(s.asked[f.Handled:]) {
		if t != pushed {
			s.queue = append(s.queue, t)
		}
	}
	if int(f.Handled) < len(s.asked) && s.asked[f.Handled] == pushed {
		s.push = append(s.push, s.again...) // what was merged of it does no harm twice
	}
	r.nextSync()
}

// answers says whether each item is of a range that was asked, in that order.
func answers(items []wire.Item, asked []task) bool {
	for i := range items {
		at := slices.IndexFunc(asked, func(t task) bool { return t.rg == items[i].Range })
		if at < 0 {
			return false
		}
		asked = asked[at+1:]
	}
	return true
}

func (r *Ring) descend(s *reconciliation, item *wire.Item) {
	if item.Range.Depth == wire.RangeDepth {
		return
	}
	mine := r.set(item.Range.Set).Children(lwwRange(item.Range))
	for i, theirs := range slices.Backward(item.Children[:]) {
		if theirs == wire.Print(mine[i]) {
			continue
		}
		child := lwwRange(item.Range).Child(i)
		s.queue = append(s.queue, task{
			rg:     wire.Range{Set: item.Range.Set, Depth: child.Depth, Prefix: child.Prefix},
			theirs: theirs.Count, known: true,
		})
	}
}

// lacking says whether a record that an authority does not know is dropped: a
// guest mirrors its gateway but for itself, a stale node drops the members
// that are older than its last contact.
func (r *Ring) lacking(rec *lww.Record) bool {
	if r.cfg.Ephemeral {
		return rec.Name != r.cfg.Name
	}
	return rec.Stamp <= r.lastContact && r.nodes.Get(rec.Name) == rec
}

// removedElsewhere is called when those who know better do not know this node:
// it was deleted so long ago that even its tombstone is gone.
func (r *Ring) removedElsewhere() {
	own := r.nodes.Get(r.cfg.Name)
	if own != nil && own.Rank == rankAdd {
		r.put(wire.Nodes, own.Next(own.Stamp+1, rankDel))
		r.reviewOwnMembership()
	}
}

// endSync: a sync that leaves the fingerprints unequal (a refused record, a
// tombstone on its way out) is repeated, but more and more rarely.
func (r *Ring) endSync() {
	c := r.sync.conn
	r.sync = nil
	c.backoff = min(max(2*c.backoff, r.cfg.Period), Minute)
	c.syncAt = r.now + c.backoff - r.cfg.Period/2
	if r.stale && c.authority {
		r.fresh()
	}
	if i := slices.IndexFunc(r.live, func(c *conn) bool { return c.differs }); i >= 0 {
		r.startSync(r.live[i])
	}
}
