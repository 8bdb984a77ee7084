package native

import (
	"net"
	"sync"
	"testing"
	"time"

	"github.com/nanoring/nanoring/native/trust"
)

// slowLine takes connections and passes them on to an address; what is sent arrives late.
func slowLine(t *testing.T, to string, late time.Duration) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	t.Cleanup(func() {
		l.Close()
		all.Wait()
	})
	pass := func(from, to net.Conn) {
		type part struct {
			due  time.Time
			text []byte
		}
		way := make(chan part, 256)
		all.Go(func() {
			defer close(way)
			for {
				b := make([]byte, 16<<10)
				n, err := from.Read(b)
				if err != nil {
					return
				}
				way <- part{time.Now().Add(late), b[:n]}
			}
		})
		for p := range way {
			time.Sleep(time.Until(p.due)) // the line's length
			if _, err := to.Write(p.text); err != nil {
				break
			}
		}
		to.Close()
		from.Close()
		for range way {
		}
	}
	all.Go(func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", to)
			if err != nil {
				near.Close()
				continue
			}
			all.Go(func() { pass(near, far) })
			all.Go(func() { pass(far, near) })
		}
	})
	return l.Addr().String()
}

// TestSlowLine: TLS, the WebSocket and the hellos need a round trip each, and all together longer
// than a kernel has to answer. The node is let in all the same, by one dial.
func TestSlowLine(t *testing.T) {
	t.Parallel()
	secret := secretFile(t, trust.NewSecret())
	cfg := config(t, "dev1")
	cfg.SecretFile = secret
	dev1 := start(t, cfg)
	cfg = config(t, "dev2")
	cfg.SecretFile = secret
	cfg.Join = []string{slowLine(t, dev1.Addr(), 600*time.Millisecond)}
	dev2 := start(t, cfg)
	if err := dev2.Joined(soon(t)); err != nil {
		t.Error(err)
	}
}
