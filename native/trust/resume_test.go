package trust

import (
	"crypto/tls"
	"net"
	"testing"
	"time"
)

// shake does a handshake with a listener as a node, and says whether it was a resumed
// one. A byte comes back, by which the tickets have come too.
func shake(t testing.TB, d net.Listener, config *tls.Config) bool {
	t.Helper()
	c, err := tls.Dial("tcp", d.Addr().String(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(patience))
	if _, err := c.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	return c.ConnectionState().DidResume
}

// patience is of tests that wait for what has to come.
const patience = 20 * time.Second

// listen is a listener that sends a byte to everybody who shows that it is a node.
func listen(t testing.TB) (net.Listener, *Keeper) {
	t.Helper()
	k, err := NewKeeper(Config{Name: "dev1", SecretFile: secretFile(t, NewSecret())})
	if err != nil {
		t.Fatal(err)
	}
	d, err := tls.Listen("tcp", "127.0.0.1:0", k.Server())
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := d.Accept()
			if err != nil {
				return
			}
			c.Write([]byte{1})
			c.Close()
		}
	}()
	t.Cleanup(func() {
		d.Close()
		<-done
	})
	return d, k
}

// TestResumption: who was there before comes in by a short handshake; not by one
// from before the trust changed.
func TestResumption(t *testing.T) {
	d, k := listen(t)
	old := k.Now().Client()
	if shake(t, d, old) {
		t.Fatal("the first is a resumed one")
	}
	if !shake(t, d, old) {
		t.Fatal("the second is not")
	}
	if changed, err := k.Refresh(true); !changed || err != nil {
		t.Fatal(changed, err)
	}
	if shake(t, d, old) {
		t.Fatal("it comes in by what the trust of before had said")
	}
	if shake(t, d, k.Now().Client()) {
		t.Fatal("the first by a new certificate is a resumed one")
	}
}

func BenchmarkHandshake(b *testing.B) {
	d, k := listen(b)
	b.Run("full", func(b *testing.B) {
		c := k.Now().Client().Clone()
		c.ClientSessionCache = nil
		for b.Loop() {
			shake(b, d, c)
		}
	})
	b.Run("resumed", func(b *testing.B) {
		shake(b, d, k.Now().Client())
		for b.Loop() {
			if !shake(b, d, k.Now().Client()) {
				b.Fatal("not resumed")
			}
		}
	})
}
