//go:build linux

package network

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// TestSlower: the way between all hosts becomes many times as long, as it does when
// traffic moves to another line. Nodes get used to it.
func TestSlower(t *testing.T) {
	if !enter(t) {
		return
	}
	n := newNetwork(t, 8)
	s := n.throughSwitch(1)
	n.ring()
	before, opened := n.lines(), n.opened()
	began := time.Now()
	defer n.innocent(began, n.hosts, n.hosts)
	s.set(n.hosts, n.hosts, way{delay: 200 * time.Millisecond, vary: 50 * time.Millisecond})
	n.note("slower")
	time.Sleep(ifLong(time.Minute, 20*time.Second))
	n.quiet(before)
	if opened, most := n.opened()-opened, 2*len(n.hosts); opened > most {
		t.Errorf("the nodes opened %d connections, more than %d: the ones they have are good", opened, most)
	} else {
		n.note("%d more connections", opened)
	}
	for _, h := range n.hosts {
		n.add(h, "news-of-"+h.name)
	}
	for _, h := range n.hosts {
		n.known("news-of-" + h.name)
	}
	n.until("all show all up", n.wrong)
}

// opened counts the connections that the router saw begin.
func (n *network) opened() int {
	n.t.Helper()
	out, err := exec.Command("nft", "list", "counter", "ip", "router", "opened").Output()
	if err != nil {
		n.t.Fatalf("nft: %v", err)
	}
	count := -1
	for line := range strings.Lines(string(out)) {
		fmt.Sscanf(strings.TrimSpace(line), "packets %d", &count)
	}
	if count < 0 {
		n.t.Fatalf("nft counts nothing: %s", out)
	}
	return count
}
