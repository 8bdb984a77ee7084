package native

import (
	"crypto/tls"
	"net"
	"testing"
	"time"
)

// shake does a handshake with a door as a node, and says whether it was a resumed
// one. A byte comes back, by which the tickets have come too.
func shake(t testing.TB, d *door, config *tls.Config) bool {
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

// lockedDoor is a door that sends a byte to everybody who comes through.
func lockedDoor(t testing.TB) (*door, *keeper) {
	t.Helper()
	cfg := Config{Name: "dev1", Data: t.TempDir(), Log: new(logged).logger(), SecretFile: secretFile(t, NewSecret())}
	if err := cfg.setDefaults(); err != nil {
		t.Fatal(err)
	}
	k, err := newKeeper(&cfg, cfg.Log)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d := newDoor(l, k.root, cfg.Log)
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
	d, k := lockedDoor(t)
	old := k.now.Load().client
	if shake(t, d, old) {
		t.Fatal("the first is a resumed one")
	}
	if !shake(t, d, old) {
		t.Fatal("the second is not")
	}
	if changed, err := k.changed(true); !changed || err != nil {
		t.Fatal(changed, err)
	}
	if shake(t, d, old) {
		t.Fatal("it comes in by what the trust of before had said")
	}
	if shake(t, d, k.now.Load().client) {
		t.Fatal("the first by a new certificate is a resumed one")
	}
}

func BenchmarkHandshake(b *testing.B) {
	d, k := lockedDoor(b)
	b.Run("full", func(b *testing.B) {
		c := k.now.Load().client.Clone()
		c.ClientSessionCache = nil
		for b.Loop() {
			shake(b, d, c)
		}
	})
	b.Run("resumed", func(b *testing.B) {
		shake(b, d, k.now.Load().client)
		for b.Loop() {
			if !shake(b, d, k.now.Load().client) {
				b.Fatal("not resumed")
			}
		}
	})
}
