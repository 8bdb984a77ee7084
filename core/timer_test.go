package core

import "testing"

// TestTimersAreSwept: what was stopped does not stay until its time when that is most
// of what there is, nor does the room that it took.
func TestTimersAreSwept(t *testing.T) {
	var ts timers
	var all []*timer
	for i := range int64(1000) {
		all = append(all, ts.arm(Hour+i, roundDue, "", 0))
	}
	if first := ts.due(2 * Hour); first != all[0] {
		t.Fatal("it is not the first")
	} else {
		first.stop() // it has fired: nothing is stopped
	}
	for _, x := range all[1:] {
		x.stop()
		x.stop()
	}
	last := ts.arm(Minute, minuteDue, "", 0)
	if len(ts.heap) > 1 || cap(ts.heap) > 64 || ts.idle != 0 {
		t.Errorf("%d timers in the room of %d, %d idle", len(ts.heap), cap(ts.heap), ts.idle)
	}
	if ts.due(Hour) != last || ts.next() != nil {
		t.Error("it is not the one that is armed")
	}
}
