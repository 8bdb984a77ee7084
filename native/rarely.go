package native

import (
	"log/slog"
	"sync"
	"time"
)

// rarely holds back what strangers can cause at will: once a minute for each kind
// and address, and a thousand of them at most.
type rarely struct {
	mu   sync.Mutex
	last map[string]time.Time
}

func (r *rarely) now(kind, addr string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	if r.last == nil {
		r.last = make(map[string]time.Time)
	}
	if len(r.last) >= 1000 {
		for key, at := range r.last {
			if now.Sub(at) > time.Minute {
				delete(r.last, key)
			}
		}
	}
	key := kind + " " + hostname(addr)
	if now.Sub(r.last[key]) < time.Minute || len(r.last) >= 1000 {
		return false
	}
	r.last[key] = now
	return true
}

// level is that of a line that is worth it but rarely.
func (r *rarely) level(kind, addr string) slog.Level {
	if r.now(kind, addr) {
		return slog.LevelInfo
	}
	return slog.LevelDebug
}
