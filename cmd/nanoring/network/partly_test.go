//go:build linux

package network

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nanoring/nanoring/core/wire"
	"github.com/nanoring/nanoring/native/disk"
)

// TestJoinedInPart: a node joins a ring of thousands, of which only what is short comes through. It is let in, and
// has not joined: whoever looks is told so, and what to do, until long packets get through. With another one
// that is new it may agree, and be ready: it is told then that the ring's reconciliations fail.
func TestJoinedInPart(t *testing.T) {
	if !enter(t) {
		return
	}
	const gone = 2000
	n := newNetwork(t, 3)
	s := n.throughSwitch(1)
	old, young, another := n.hosts[0], n.hosts[1], n.hosts[2]
	n.witness.floods = true
	n.restore(old, gone)
	n.start(old)
	s.both(n.hosts[:1], n.hosts[1:], way{most: 600})
	n.start(young, "--join", old.listen())
	n.until("it says that it has joined in part", func() string {
		switch code, why := n.ready(young); {
		case code == http.StatusOK:
			t.Fatalf("it is ready, and knows %d nodes", len(n.members(young)))
		case !strings.Contains(why, "partial-join"):
			return why
		}
		return ""
	})
	n.until("it is in the log", func() string {
		if log := n.logOf(young); !strings.Contains(log, "this node has joined in part") || !strings.Contains(log, "n1 did so at") || !strings.Contains(log, "a smaller MTU") {
			return log
		}
		return ""
	})
	for _, command := range []string{"status", "doctor"} {
		out, _ := exec.Command(os.Getenv(inside), "--data", young.node.data, command).CombinedOutput() // doctor fails by what it finds
		if !strings.Contains(string(out), "n1 did so at") || !strings.Contains(string(out), "a smaller MTU") {
			t.Errorf("%s says nothing of it:\n%s", command, out)
		}
	}
	const metric = `nanoring_condition{code="partial-join"`
	if value := n.metric(young, metric); value != "1" {
		t.Errorf("%s…} is %q", metric, value)
	}
	n.start(another, "--join", old.listen(), "--join", young.listen())
	n.until("both are told of it", func() string {
		for _, h := range n.hosts[1:] {
			if n.metric(h, metric) != "1" && n.metric(h, `nanoring_condition{code="sync-lost"`) != "1" {
				return fmt.Sprintf("%s, who knows %d, is not", h.name, len(n.members(h)))
			}
		}
		return ""
	})
	s.clear(n)
	n.note("healed")
	n.until("they have joined, and are ready", func() string {
		for _, h := range n.hosts[1:] {
			if code, why := n.ready(h); code != http.StatusOK || len(n.members(h)) != gone+3 {
				return fmt.Sprintf("%s: %s: it knows %d", h.name, why, len(n.members(h)))
			}
		}
		return ""
	})
	if value := n.metric(young, metric); value != "0" {
		t.Errorf("%s…} is %q", metric, value)
	}
}

// restore gives a host's node, before it starts, the memory of a ring of so many others, who are gone.
func (n *network) restore(h *host, others int) {
	n.t.Helper()
	now := time.Now().UnixMicro()
	file := wire.Snapshot{Ring: "nanoring", Name: h.name, Wall: now, LastContact: now}
	put := func(name, addr string) {
		file.Records = append(file.Records, wire.Record{Set: wire.Nodes, Name: name, Stamp: now, Value: wire.Member{Address: addr}.Value()})
	}
	for i := range others {
		put(fmt.Sprintf("gone%04d", i), fmt.Sprintf("127.0.0.1:%d", i+1))
	}
	put(h.name, h.listen())
	path := filepath.Join(n.dir, "backup")
	if err := os.WriteFile(path, disk.EncodeRingFile(file.Append(nil)), 0o600); err != nil {
		n.t.Fatal(err)
	}
	n.run("", os.Getenv(inside), "restore", path, "--data", n.dataOf(h))
}

// ready returns what /readyz answers.
func (n *network) ready(h *host) (code int, text string) {
	n.t.Helper()
	var answer any
	code, err := h.node.do(http.MethodGet, "/readyz", nil, &answer)
	return code, fmt.Sprint(answer, err)
}

// metric returns the value of the first metric that begins so.
func (n *network) metric(h *host, begin string) string {
	n.t.Helper()
	resp, err := h.node.client.Get("http://localhost/metrics")
	if err != nil {
		n.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		n.t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if strings.HasPrefix(line, begin) {
			return line[strings.LastIndexByte(line, ' ')+1 : len(line)-1]
		}
	}
	return ""
}
