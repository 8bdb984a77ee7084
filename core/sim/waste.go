package sim

import (
	"cmp"
	"slices"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// idleWrite is how often a node writes its ring file though no record in it is
// another: its last contact has to be kept.
const idleWrite = core.Hour - core.Hour/10

// wrote holds against a process that it has written what was on its disk already: no
// change of a guest, and nothing that is unchanged, is worth a write. That a node came
// in touch is, and that its ring has another id.
func (p *promises) wrote(pr *process, before, after []byte) {
	spare := pr.spare
	pr.spare = pr.late
	if p == nil || pr.m.opt.Rogue != nil {
		return
	}
	var was, is wire.Snapshot
	if was.Decode(before) != nil || is.Decode(after) != nil || !slices.Equal(was.IDs, is.IDs) || !slices.Equal(ordered(was.Records), ordered(is.Records)) {
		return
	}
	if d := is.LastContact - was.LastContact; d >= idleWrite || d <= -idleWrite {
		return
	}
	if late := p.w.now - pr.idle; late < idleWrite && !spare {
		p.broken(pr.m.name, " writes its ring file, and no record in it is another than before, ", clock(late), " after it did so the last time, or was started")
	}
	pr.idle = p.w.now
}

// ordered sorts records: in what order they are written says nothing.
func ordered(records []wire.Record) []wire.Record {
	slices.SortFunc(records, func(a, b wire.Record) int {
		return cmp.Or(cmp.Compare(a.Set, b.Set), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Stamp, b.Stamp))
	})
	return records
}
