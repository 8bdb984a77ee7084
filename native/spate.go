package native

import (
	"slices"
	"time"
)

// spate is when there were lines of the log, of the last minute: it bounds how many there are within any.
type spate []time.Time

// room says whether there may be one more, with so many at most.
func (s *spate) room(most int) bool {
	old := slices.IndexFunc(*s, isRecent)
	if old < 0 {
		old = len(*s)
	}
	*s = slices.Delete(*s, 0, old)
	return len(*s) < most
}

// add counts one.
func (s *spate) add() { *s = append(*s, time.Now()) }

func isRecent(at time.Time) bool { return time.Since(at) < linesTime }
