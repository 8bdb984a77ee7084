package core

import (
	"github.com/nanoring/nanoring/core/wire"
)

// Reconciliation: two nodes whose fingerprints differ find what differs by
// descending the tree of ranges, from its root. The initiator asks, the other
// answers and keeps no state. d differences in n records cost O(d log n).
const (
	fewRecords  = 32       // a range of so many is sent, not compared
	manyRecords = 512      // so many are, if the other side hardly has any of them
	sparse      = 8        // times fewer
	syncItems   = 64       // items in a frame
	syncBytes   = 96 << 10 // of records in a frame, a last range over
	mostLooked  = 3 << 10  // records, of which more are hardly so short that they fit
	stepRecords = 256      // of a frame that a step takes in, a last range over
	syncTimeout = 10 * Second
)

// reconciler owns what this node does to agree with another about both sets, and
// how far it trusts its own memory of them.
type reconciler struct {
	*self
	trust
	replica *replica
	overlay *overlay
	sync    *reconciliation                   // the one that this node has started, or nil
	looked  int                               // at so many records, for the answer under way
	syncs   uint64                            // that this node has started
	lost    uint64                            // of them, those whose answer did not come in time
	merge   func(*wire.Record, *conn) verdict // the way of all records
	takeIn  func(*conn, []wire.Record)        // merge of each, and what is older here is owed
}

// reconciliation is the one sync that this node has started.
//
// With a peer that is an authority (a guest's gateway, or a fresh node to a
// stale one) nothing is sent before the peer has shown what it has in a range;
// what it lacks there is dropped.
type reconciliation struct {
	conn   *conn
	seq    uint64
	queue  []task      // ranges to compare, the next one last: depth first, which bounds it
	push   []key       // records that the peer lacks
	asked  []task      // those of the frame on its way
	upToo  bool        // up follows when nodes is done
	denied bool        // the authority does not know this node
	timer  *timer      // for the answer
	items  []wire.Item // of the next frame
	came   []wire.Item // of the answer, that are not taken in yet,
	told   int         // and how many of asked it is to
}

// task is a range that differs, as far as is known.
type task struct {
	_      incomparable
	rg     wire.Range
	theirs uint64 // how many records the peer has in it
	known  bool   // theirs is known
	after  string // a name on the last level: only what the peer has behind it is asked for
	pushed []key  // it is no range, but these records, which the peer lacks
}

// compare has a whole set be compared.
//
//go:noinline
func (s *reconciliation) compare(id wire.SetID) { s.ask(&task{rg: wire.Range{Set: id}}) }

//go:noinline
func (s *reconciliation) ask(t *task) { s.queue = append(s.queue, *t) }

// put makes an item part of the next frame.
//
//go:noinline
func (s *reconciliation) put(item *wire.Item, of *task) {
	s.items = append(s.items, *item)
	s.asked = append(s.asked, *of)
}

func newReconciler(s *self, rep *replica, o *overlay) reconciler {
	return reconciler{self: s, replica: rep, overlay: o}
}

func (rc *reconciler) startSync(c *conn) {
	if c.state != connEstablished || c.guest || c.peerStale && !rc.stale && !rc.cfg.Ephemeral {
		return
	}
	if c.differs = rc.sync != nil; c.differs {
		return
	}
	s := &reconciliation{conn: c, upToo: true}
	if rc.replica.nodes.Len() <= fewRecords && c.hello.Members <= fewRecords {
		s.compare(wire.Up)
		s.upToo = false
	}
	s.compare(wire.Nodes)
	rc.sync = s
	rc.syncs++
	rc.nextSync()
}

// nextSync sends the next frame, or ends the sync.
func (rc *reconciler) nextSync() {
	s := rc.sync
	s.timer.stop()
	if len(s.queue) == 0 && len(s.push) == 0 {
		if s.upToo {
			s.upToo = false
			s.compare(wire.Up)
		} else {
			rc.endSync()
			return
		}
	}
	s.items, s.asked = s.items[:0], s.asked[:0]
	size := rc.pushItems(s)
	for len(s.queue) > 0 && len(s.items) < syncItems && size < syncBytes {
		t := s.queue[len(s.queue)-1]
		s.queue = s.queue[:len(s.queue)-1]
		item := wire.Item{Kind: wire.ItemFingerprint, Range: t.rg, Fingerprint: rc.fingerprintOf(t.rg)}
		if t.after != "" {
			item = wire.Item{Kind: wire.ItemAfter, Range: t.rg, After: t.after}
		} else if !s.conn.authority && rc.sendWhole(item.Fingerprint.Count, t.theirs, t.known) {
			if all := rc.recordsIn(t.rg); fits(all) {
				item.Kind, item.Records = wire.ItemAll, all
				size += sizeOf(all)
			}
		}
		s.put(&item, &t)
	}
	s.seq = rc.nextSeq()
	s.timer = rc.after(syncTimeout, syncDue, "", s.seq)
	rc.send(s.conn, &wire.Frame{Kind: wire.KindSync, Seq: s.seq, Items: s.items})
}

// pushItems puts what the peer is known to lack into the next frame, and returns its size.
func (rc *reconciler) pushItems(s *reconciliation) (size int) {
	var some [2][]wire.Record
	var keys [2][]key
	n := 0
	for ; n < len(s.push) && size < syncBytes; n++ {
		k := s.push[n]
		if rec := rc.replica.record(k); rec != nil {
			w := frameRecord(k.set, rec)
			size += w.Size()
			some[k.set] = append(some[k.set], w)
			keys[k.set] = append(keys[k.set], k)
		}
	}
	s.push = s.push[n:]
	for id, records := range some {
		for at := 0; at < len(records); at += stepRecords {
			end := min(at+stepRecords, len(records))
			s.put(&wire.Item{Kind: wire.ItemSome, Range: wire.Range{Set: wire.SetID(id)}, Records: records[at:end]},
				&task{rg: wire.Range{Depth: wire.RangeDepth + 1}, pushed: keys[id][at:end]}) // no range is as deep
		}
	}
	return size
}

// giveUp ends the sync whose answer did not come, and returns its connection.
func (rc *reconciler) giveUp(seq uint64) *conn {
	if rc.sync == nil || rc.sync.seq != seq {
		return nil
	}
	c := rc.sync.conn
	rc.sync = nil
	rc.lost++
	return c
}

// abandon ends the sync with a connection that is over, and says whether there was one.
func (rc *reconciler) abandon(c *conn) bool {
	if rc.with() != c {
		return false
	}
	rc.sync = nil
	return true
}

// with returns the connection of the sync, or nil.
func (rc *reconciler) with() *conn {
	if rc.sync == nil {
		return nil
	}
	return rc.sync.conn
}

// synced takes the answer and goes on. It returns false if that is none.
func (rc *reconciler) synced(c *conn, f *wire.Frame) bool {
	s := rc.sync
	if s == nil || s.conn != c || s.seq != f.Seq || len(s.came) > 0 {
		return true // of a sync that was given up, or once more
	}
	if f.Handled > uint64(len(s.asked)) || f.Handled == 0 && len(s.asked) > 0 || !answers(f.Items, s.asked[:f.Handled]) {
		return false
	}
	s.came, s.told, f.Items = f.Items, int(f.Handled), nil
	rc.goOn(s.seq)
	return true
}

// goOn takes in what a step may have of an answer, so that none takes long, and asks on
// after the last of it.
func (rc *reconciler) goOn(seq uint64) {
	s := rc.sync
	if s == nil || s.seq != seq {
		return
	}
	s.timer.stop()
	for taken := 0; len(s.came) > 0; {
		if taken >= stepRecords {
			s.timer = rc.after(1, syncedDue, "", seq)
			return
		}
		item := &s.came[0]
		s.came = s.came[1:]
		taken += len(item.Records)
		switch item.Kind {
		case wire.ItemSome:
			rc.takeIn(s.conn, item.Records)
			if item.Range.Depth == wire.RangeDepth && len(item.Records) > 0 {
				s.askOn(item)
			}
		case wire.ItemAll:
			for _, w := range rc.mergeRange(s.conn, item.Range, item.Records, s.conn.authority) {
				s.push = append(s.push, key{w.Set, w.Name})
			}
		case wire.ItemChildren:
			rc.descend(s, item)
		}
		if rc.halted || rc.sync != s {
			return
		}
	}
	s.came = nil
	for i := len(s.asked) - 1; i >= s.told; i-- {
		if t := &s.asked[i]; t.pushed == nil {
			s.ask(t)
		} else {
			s.push = append(s.push, t.pushed...)
		}
	}
	rc.nextSync()
}

// askOn asks for what is behind the records that came of a range of the last
// level: they are some that fitted a frame. The names ascend, so that it ends.
//
//go:noinline
func (s *reconciliation) askOn(item *wire.Item) {
	asked := indexOf(s.asked, item.Range)
	if last := item.Records[len(item.Records)-1].Name; last > s.asked[asked].after {
		s.ask(&task{rg: item.Range, after: kept(last)})
	}
}

// indexOf returns where in asked a range is, or -1.
func indexOf(asked []task, rg wire.Range) int {
	for i := range asked {
		if asked[i].rg == rg {
			return i
		}
	}
	return -1
}

// answers says whether each item is of a range that was asked, in that order.
func answers(items []wire.Item, asked []task) bool {
	for i := range items {
		at := indexOf(asked, items[i].Range)
		if at < 0 {
			return false
		}
		asked = asked[at+1:]
	}
	return true
}

func (rc *reconciler) descend(s *reconciliation, item *wire.Item) {
	if item.Range.Depth == wire.RangeDepth {
		return
	}
	mine := rc.replica.set(item.Range.Set).Children(lwwRange(item.Range))
	for i := len(mine) - 1; i >= 0; i-- {
		theirs := item.Children[i]
		if theirs == wire.Fingerprint(mine[i]) {
			continue
		}
		child := lwwRange(item.Range).Child(i)
		s.ask(&task{
			rg:     wire.Range{Set: item.Range.Set, Depth: child.Depth, Prefix: child.Prefix},
			theirs: theirs.Count, known: true,
		})
	}
}

// endSync: a sync that leaves the fingerprints unequal (a refused record, a
// tombstone on its way out) is repeated, but more and more rarely.
func (rc *reconciler) endSync() {
	c, denied := rc.sync.conn, rc.sync.denied
	rc.sync = nil
	c.backoff = min(max(2*c.backoff, rc.cfg.Period), Minute)
	c.syncAt = rc.now + c.backoff - rc.cfg.Period/2
	if rc.stale && c.authority {
		rc.answered(c, denied)
	}
	rc.agreed(c)
	for _, c := range rc.overlay.live {
		if c.differs {
			rc.startSync(c)
			return
		}
	}
}
