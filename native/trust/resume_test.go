package trust

import (
	"crypto/tls"
	"net"
	"os"
	"sync/atomic"
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
	return serve(t, k, func(*tls.Conn) {}), k
}

// serve is a listener of a keeper; first is called before the byte is sent.
func serve(t testing.TB, k *Keeper, first func(*tls.Conn)) net.Listener {
	t.Helper()
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
			first(c.(*tls.Conn))
			c.Write([]byte{1})
			c.Close()
		}
	}()
	t.Cleanup(func() {
		d.Close()
		<-done
	})
	return d
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

// clocked is a node's keeper, and a clock of its own that a test sets.
func clocked(t *testing.T, name, file string) (*Keeper, *atomic.Int64) {
	t.Helper()
	ahead := new(atomic.Int64)
	k, err := NewKeeper(Config{Name: name, SecretFile: file, Clock: func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }})
	if err != nil {
		t.Fatal(err)
	}
	return k, ahead
}

// refused says whether a handshake with a listener comes to nothing: what a node reads first says
// so, since who dials by TLS 1.3 is done before it is believed.
func refused(t *testing.T, d net.Listener, config *tls.Config) bool {
	t.Helper()
	c, err := tls.Dial("tcp", d.Addr().String(), config)
	if err != nil {
		return true
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(patience))
	_, err = c.Read(make([]byte, 1))
	return err != nil
}

// TestResumedIsVerified: a short handshake believes nobody whom a long one would not: not by a
// certificate that has expired, at either end, nor by a secret that is withdrawn; and who comes
// by it is called what the certificate of the long one says.
func TestResumedIsVerified(t *testing.T) {
	old, secret := NewSecret(), NewSecret()
	file := secretFile(t, old)
	k, servers := clocked(t, "dev1", file)
	names := make(chan string, 16)
	d := serve(t, k, func(c *tls.Conn) {
		if c.Handshake() == nil {
			if who, err := k.Now().Identify(c.ConnectionState().PeerCertificates[0]); err == nil {
				names <- who.Name
			}
		}
	})
	dialler := func(name string) (*tls.Config, *atomic.Int64) {
		other, clock := clocked(t, name, secretFile(t, old, secret))
		config := other.Now().Client()
		if shake(t, d, config) || !shake(t, d, config) {
			t.Fatal("the second handshake is not the resumed one")
		}
		if first, second := <-names, <-names; first != name || second != name {
			t.Errorf("%s is %s, and %s by the resumed handshake", name, first, second)
		}
		return config, clock
	}
	dialler("dev3")

	config, clock := dialler("dev2")
	clock.Store(int64(leafLife + time.Minute))
	if !refused(t, d, config) {
		t.Error("who dials resumes what an expired certificate began")
	}
	clock.Store(0)
	if config, _ = dialler("dev2"); refused(t, d, config) {
		t.Fatal("it is not let in again")
	}
	<-names
	servers.Store(int64(leafLife + time.Minute))
	if !refused(t, d, config) {
		t.Error("who is dialled resumes what an expired certificate began")
	}
	servers.Store(0)

	config, _ = dialler("dev2")
	if err := os.WriteFile(file, []byte(secret), 0o600); err != nil {
		t.Fatal(err)
	}
	if changed, err := k.Refresh(false); !changed || err != nil {
		t.Fatal(changed, err)
	}
	if shake(t, d, config) {
		t.Error("a handshake by a secret that is withdrawn is resumed")
	}
	k2, _ := clocked(t, "dev2", secretFile(t, old))
	if !refused(t, d, k2.Now().Client()) {
		t.Error("who has the secret that was withdrawn comes in")
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
