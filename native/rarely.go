package native

import (
	"log/slog"
	"sync"
	"time"
)

// strangerLines are those of the log within a minute about what strangers cause: addresses are
// free for some of them, and names for all. Each kind has one in any case, so that none is
// silenced by another.
const strangerLines = 12

// rarely holds back what strangers can cause at will: within a minute each kind and address, or
// of IPv6 network, has a line, and all have strangerLines. All share a minute, which begins with
// the first line; at its end one line says how many more there were.
type rarely struct {
	sum func(more int) // nil: nobody is told

	mu    sync.Mutex
	said  map[string]bool // kinds, and these with addresses; nil between minutes
	lines int
	more  int // were held back
	over  *time.Timer
}

func (r *rarely) now(kind, addr string) bool {
	from := whence(addr)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.said == nil {
		r.said = make(map[string]bool)
		r.over = time.AfterFunc(linesTime, r.end)
	}
	key := kind + " " + from
	if r.said[key] {
		return false
	}
	if r.said[kind] && r.lines >= strangerLines {
		r.more++
		return false
	}
	r.said[kind], r.said[key] = true, true
	r.lines++
	return true
}

// end ends the minute, before its time or in time.
func (r *rarely) end() {
	r.mu.Lock()
	more := r.more
	r.said, r.lines, r.more = nil, 0, 0
	if r.over != nil {
		r.over.Stop()
	}
	r.mu.Unlock()
	if more > 0 && r.sum != nil {
		r.sum(more)
	}
}

// level is that of a line that is worth it but rarely.
func (r *rarely) level(kind, addr string) slog.Level {
	if r.now(kind, addr) {
		return slog.LevelInfo
	}
	return slog.LevelDebug
}
