package native

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nanoring/nanoring/native/trust"
)

// TestPlacesAreLent: connections that came by a token are strangers' again when that is good no more,
// however they are kept open, and have no room of readers.
func TestPlacesAreLent(t *testing.T) {
	secret := trust.NewSecret()
	s := secretOf(t, secret)
	var ahead atomic.Int64
	n := real(t, "dev1", locked(secretFile(t, secret)), func(cfg *Config) {
		cfg.Clock = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	})
	nearly := time.Now().Add(10 * time.Minute)
	type line struct {
		net.Conn
		in *bufio.Reader
	}
	ask := func(l line, path, token string) int {
		l.SetDeadline(time.Now().Add(patience))
		fmt.Fprintf(l, "GET %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n", path, token)
		res, err := http.ReadResponse(l.in, nil)
		if err != nil {
			t.Fatal(path, err)
		}
		defer res.Body.Close()
		io.Copy(io.Discard, res.Body)
		return res.StatusCode
	}
	var brief, long []line
	for _, kind := range []struct {
		lines *[]line
		token string
	}{
		{&brief, token(t, s, trust.Token{Role: trust.RoleReader, Expires: nearly})},
		{&brief, token(t, s, trust.Token{Role: trust.RoleOperator, Expires: nearly})},
		{&long, token(t, s, trust.Token{Role: trust.RoleReader})},
		{&long, token(t, s, trust.Token{Role: trust.RoleOperator})},
	} {
		for range 10 {
			c, err := net.Dial("tcp", n.Addr())
			must(t, err)
			defer c.Close()
			l := line{c, bufio.NewReader(c)}
			if status := ask(l, "/v1/up", kind.token); status != 200 {
				t.Fatal(status)
			}
			*kind.lines = append(*kind.lines, l)
		}
	}
	strangers := func() int {
		n.door.mu.Lock()
		defer n.door.mu.Unlock()
		return n.door.strangers.Len()
	}
	if was := strangers(); was > 0 {
		t.Errorf("%d of them are strangers at first", was)
	}
	ahead.Store(int64(20 * time.Minute))
	eventually(t, "strangers where the token has expired, and them alone", func() bool {
		for _, l := range append(brief, long...) {
			ask(l, "/healthz", "")
		}
		return strangers() == len(brief) && n.costs.held(costReaders) == 10
	})
	again := token(t, s, trust.Token{Role: trust.RoleReader})
	for _, l := range brief {
		if status := ask(l, "/v1/up", again); status != 200 {
			t.Error("by another token", status)
		}
	}
	if left, held := strangers(), n.costs.held(costReaders); left > 0 || held != 10+len(brief) {
		t.Errorf("who comes by another token: %d strangers, %d readers", left, held)
	}
}
