package native

import (
	"log/slog"
	"strings"
	"sync"
	"time"
)

// rarely holds back what strangers can cause at will: once a minute for each kind
// and address, or of IPv6 network, and a thousand of them at most; the rest share one.
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
	from := hostname(addr)
	if network := networkAt(addr); network.IsValid() {
		from = network.String()
	}
	key := kind + " " + from
	if _, there := r.last[key]; !there && len(r.last) >= 1000 {
		key, _, _ = strings.Cut(kind, " ") // of which there are few
	}
	if now.Sub(r.last[key]) < time.Minute {
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
