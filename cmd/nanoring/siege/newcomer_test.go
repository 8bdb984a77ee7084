//go:build linux

package siege

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"github.com/nanoring/nanoring/core/wire"
	"github.com/nanoring/nanoring/native/trust"
)

// newcomers are honest guests who come for the first time, each by a token of its own, to one
// gateway after the other, and leave again.
type newcomers struct {
	mu      sync.Mutex
	came    int
	worst   time.Duration
	refused map[string]int
}

const comeEvery = 2 * time.Second

func (r *ring) newcomers() *newcomers {
	n := &newcomers{refused: make(map[string]int)}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		ticker := time.NewTicker(comeEvery)
		defer ticker.Stop()
		for i := 0; ; i++ {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
			name, node := fmt.Sprintf("new-%d", i), i%len(r.nodes)
			token := r.token(trust.Token{Role: trust.RoleGuest, Name: name})
			wg.Go(func() {
				took, refused := come(r.nodes[node].addr, name, token)
				n.count(ctx, took, refused)
			})
		}
	})
	r.Cleanup(func() {
		cancel()
		wg.Wait()
	})
	return n
}

// come says how long it took to be let in, or why it was not.
func come(addr, name, token string) (time.Duration, string) {
	at := time.Now()
	c, err := net.DialTimeout("tcp", addr, 10*time.Second)
	if err != nil {
		return time.Since(at), err.Error()
	}
	defer c.Close()
	s, status := upgrade(c, addr, "Authorization: Bearer "+token+"\r\n")
	if status != 101 {
		return time.Since(at), fmt.Sprintf("HTTP %d", status)
	}
	s.name, s.instance = name, wire.Instance{Start: at.UnixMicro(), Nonce: rand.Uint64()}
	s.say(s.hello())
	select {
	case <-s.let:
	case <-s.read:
	case <-time.After(10 * time.Second):
		return time.Since(at), "no answer in 10 s"
	}
	took := time.Since(at)
	s.bye(1000, "")
	select {
	case <-s.read: // before that what it said is not known
	case <-time.After(time.Second):
	}
	if s.ended != "bye: " && s.ended != "broken" {
		return took, s.ended
	}
	return took, ""
}

func (n *newcomers) count(ctx context.Context, took time.Duration, refused string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if ctx.Err() != nil {
		return
	}
	n.came++
	n.worst = max(n.worst, took)
	if refused != "" {
		n.refused[refused]++
	}
}

// since says how many came since the last call, for how long the worst waited, and who was not let in.
func (n *newcomers) since() (came int, worst time.Duration, refused map[string]int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	came, worst, refused = n.came, n.worst, n.refused
	n.came, n.worst, n.refused = 0, 0, make(map[string]int)
	return came, worst, refused
}
