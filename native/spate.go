package native

import (
	"slices"
	"time"
)

// spate is when there were lines of the log, of the last minute, in tenths of a second: it bounds how many
// there are within any.
type spate []uint32

// room says whether there may be one more, with so many at most.
func (s *spate) room(most int) bool {
	now := tenths()
	old := slices.IndexFunc(*s, func(at uint32) bool { return now-at <= uint32(linesTime/tenth) })
	if old < 0 {
		old = len(*s)
	}
	*s = slices.Delete(*s, 0, old)
	return len(*s) < most
}

// add counts one.
func (s *spate) add() { *s = append(*s, tenths()) }

const tenth = time.Second / 10

var tenthsFrom = time.Now()

func tenths() uint32 { return uint32(time.Since(tenthsFrom) / tenth) }

func isRecent(at time.Time) bool { return time.Since(at) < linesTime }
