//go:build linux

package network

import (
	"sync"
	"testing"
	"time"
)

// idle finds out for how long this machine did not let run what wanted to: it wakes
// up again and again, and writes down by how much it was late.
type idle struct {
	mu   sync.Mutex
	late []lateness
}

type lateness struct {
	at time.Time
	by time.Duration
}

func newIdle(t *testing.T) *idle {
	i := new(idle)
	const nap = 20 * time.Millisecond
	go func() {
		for t.Context().Err() == nil {
			began := time.Now()
			time.Sleep(nap)
			if by := time.Since(began) - nap; by > nap {
				i.mu.Lock()
				i.late = append(i.late, lateness{time.Now(), by})
				i.mu.Unlock()
			}
		}
	}()
	return i
}

// longest returns by how much it was late at most since a time.
func (i *idle) longest(from time.Time) (most time.Duration) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, l := range i.late {
		if l.at.After(from) {
			most = max(most, l.by)
		}
	}
	return most
}
