package main

import (
	"bufio"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"testing"

	"github.com/nanoring/nanoring/core/wire"
)

// cutter is a network that can be cut in two, of real connections: each node
// is dialled through a proxy, which learns from the hello who dials. What is
// under way when the network is cut waits until it is whole again, as in TCP.
type cutter struct {
	mu     sync.Mutex
	healed *sync.Cond
	side   []string // nodes on one side of the cut; empty when there is none
	over   bool
}

func newCutter(t *testing.T) *cutter {
	c := &cutter{}
	c.healed = sync.NewCond(&c.mu)
	t.Cleanup(func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.over = true
		c.healed.Broadcast()
	})
	return c
}

// cut cuts the nodes off from all others; cut of none heals.
func (c *cutter) cut(side ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.side = side
	c.healed.Broadcast()
}

// pass waits while the nodes are cut off from each other.
func (c *cutter) pass(from, to string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for !c.over && slices.Contains(c.side, from) != slices.Contains(c.side, to) {
		c.healed.Wait()
	}
	return !c.over
}

// proxy returns the address where the node of that name, which listens at addr,
// is dialled.
func (c *cutter) proxy(t *testing.T, name, addr string) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var conns sync.WaitGroup
	conns.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			conns.Go(func() { c.serve(client, name, addr) })
		}
	})
	t.Cleanup(conns.Wait)
	t.Cleanup(func() { l.Close() })
	return l.Addr().String()
}

func (c *cutter) serve(client net.Conn, to, addr string) {
	defer client.Close()
	server, err := net.Dial("tcp", addr)
	if err != nil {
		return
	}
	defer server.Close()
	up, down := bufio.NewReader(client), bufio.NewReader(server)

	req, err := http.ReadRequest(up)
	if err != nil || req.Write(server) != nil {
		return
	}
	resp, err := http.ReadResponse(down, req)
	if err != nil || resp.Write(client) != nil {
		return
	}
	from, err := helloOf(up)
	if err != nil {
		return
	}
	var both sync.WaitGroup
	both.Go(func() { c.copy(server, up, from, to); server.Close() })
	both.Go(func() { c.copy(client, down, to, from); client.Close() })
	both.Wait()
}

func (c *cutter) copy(dst io.Writer, src io.Reader, from, to string) {
	for b := make([]byte, 32<<10); ; {
		n, err := src.Read(b)
		if !c.pass(from, to) {
			return
		}
		if _, werr := dst.Write(b[:n]); err != nil || werr != nil {
			return
		}
	}
}

// helloOf looks into the first WebSocket message of a client for its name.
func helloOf(r *bufio.Reader) (string, error) {
	head, err := r.Peek(8)
	if err != nil {
		return "", err
	}
	size, at := int(head[1]&0x7f), 2
	if size == 126 {
		size, at = int(binary.BigEndian.Uint16(head[2:])), 4
	}
	frame, err := r.Peek(at + 4 + size)
	if err != nil {
		return "", err
	}
	mask, payload := frame[at:at+4], slices.Clone(frame[at+4:])
	for i := range payload {
		payload[i] ^= mask[i%4]
	}
	var f wire.Frame
	err = f.Decode(payload)
	return f.Hello.Name, err
}
