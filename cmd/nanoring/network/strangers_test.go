//go:build linux

package network

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strconv"
	"testing"
	"time"
)

// TestStrangersOfOneAddress: a host that opens connections, and says nothing on them, takes the room of its own
// alone. Its oldest go, and nobody else's: neither that of another stranger, nor one of its own that was let in.
func TestStrangersOfOneAddress(t *testing.T) {
	if !enter(t) {
		return
	}
	const room = 128 // of one address
	n := newNetwork(t, 3)
	node, honest, attacker := n.hosts[0], n.hosts[1], n.hosts[2]
	n.start(node, "--patience", "2m") // so that it is long before it has waited enough
	dial := func(h *host) (c net.Conn) {
		t.Helper()
		if err := h.within(func() (err error) { c, err = net.Dial("tcp", node.listen()); return err }); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		c.SetDeadline(time.Now().Add(patience()))
		return c
	}
	asks := func(whose string, c net.Conn) {
		t.Helper()
		io.WriteString(c, "GET /v1/status HTTP/1.1\r\nHost: "+node.listen()+"\r\n\r\n")
		resp, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatalf("%s: %v", whose, err)
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode != http.StatusOK {
			t.Fatalf("%s: %s, %v", whose, resp.Status, err)
		}
	}
	other, known := dial(honest), dial(attacker)
	asks("who was let in", known)
	var flood []net.Conn
	for range 3 * room {
		flood = append(flood, dial(attacker))
	}
	for i, c := range flood[:2*room] {
		if _, err := c.Read(make([]byte, 1)); err == nil || isTimeout(err) {
			t.Fatalf("connection %d is not closed: %v", i, err)
		}
	}
	asks("another stranger", other)
	asks("who was let in", known)
	asks("the last of the flood", flood[len(flood)-1])
	if made := n.metric(node, `nanoring_door_drops_total{cause="made-room"}`); made != strconv.Itoa(2*room) {
		t.Errorf("%s made room", made)
	}
}

func isTimeout(err error) bool {
	timeout, ok := err.(net.Error)
	return ok && timeout.Timeout()
}
