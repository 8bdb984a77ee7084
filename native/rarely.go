package native

import (
	"log/slog"
	"maps"
	"sync"
	"time"
)

// strangerLines are those of the log within a minute about what strangers cause: addresses are
// free for some of them, and names for all. Each kind has one in any case, so that none is
// silenced by another.
const strangerLines = 12

// rarely holds back what strangers can cause at will: within any minute each kind and address, or
// of IPv6 network, has a line, and all have strangerLines. A minute after the first line, and so on, one
// line says how many more there were.
type rarely struct {
	sum func(more int) // nil: nobody is told

	mu    sync.Mutex
	said  map[string]time.Time // kinds, and these with addresses
	lines spate
	more  int         // were held back
	over  *time.Timer // nil between minutes
}

func (r *rarely) now(kind, addr string) bool {
	from := whence(addr)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.over == nil {
		r.over = time.AfterFunc(linesTime, r.end)
	}
	if r.said == nil {
		r.said = make(map[string]time.Time)
	}
	key := kind + " " + from
	if isRecent(r.said[key]) {
		return false
	}
	if r.lines.room(strangerLines) {
		r.lines.add()
	} else if isRecent(r.said[kind]) {
		r.more++
		return false
	}
	now := time.Now()
	r.said[kind], r.said[key] = now, now
	return true
}

// end ends the minute, before its time or in time.
func (r *rarely) end() {
	r.mu.Lock()
	more := r.more
	r.more = 0
	maps.DeleteFunc(r.said, func(_ string, at time.Time) bool { return !isRecent(at) })
	if r.over != nil {
		r.over.Stop()
		r.over = nil
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
