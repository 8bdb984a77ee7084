//go:build linux

package network

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestHole: long packets vanish between one host and all others, and nothing tells
// it so, as in a tunnel whose ICMP a firewall drops. A node dies, and starts again
// behind it.
func TestHole(t *testing.T) {
	t.Parallel()
	for _, hole := range []struct {
		name   string
		secret bool
		most   int
		deaf   bool // no handshake comes through
	}{
		// No link of IPv6 takes less, and nodes send no more.
		{"1280 bytes go through", false, 1280, false},
		{"1280 bytes go through, with a secret", true, 1280, false},
		// A certificate does not go through: they are dead to each other.
		{"600 bytes go through, with a secret", true, 600, true},
	} {
		if left(hole.name) {
			continue
		}
		t.Run(hole.name, func(t *testing.T) {
			if !enter(t) {
				return
			}
			n := newNetwork(t, size())
			if hole.secret {
				n.keygen()
			}
			n.flags = []string{"--tag", "note=" + strings.Repeat("so that what they have to tell is long ", 12)}
			s := n.throughSwitch(1)
			n.ring()
			one, others := n.hosts[len(n.hosts)-1:], n.hosts[:len(n.hosts)-1]
			f := fault{begin: func() {
				s.both(one, others, way{most: hole.most})
				n.until("it has all on its disk", func() string { return n.unwritten(one[0], others) })
				n.kill(one[0])
				n.until("it is shown down", func() string { return n.wrongAmong(others, one, "down") })
				if !hole.deaf { // so that it has everything to learn
					if err := os.RemoveAll(one[0].node.data); err != nil {
						t.Fatal(err)
					}
				}
				n.start(one[0], "--join", others[0].listen())
			}, end: func() { s.clear(n) }, may: []view{{others, one}}, tell: others[:2], lasts: ifLong(time.Minute, 15*time.Second)}
			if hole.deaf {
				f.lost = each(one, others)
			}
			n.lives(f)
			if hole.deaf {
				n.said(one[0], "long packets")
			}
		})
	}
}

// keygen gives the ring a secret.
func (n *network) keygen() {
	n.t.Helper()
	out, err := exec.Command(os.Getenv(inside), "keygen").Output()
	if err != nil {
		n.t.Fatal(err)
	}
	n.secret = filepath.Join(n.dir, "ring.key")
	if err := os.WriteFile(n.secret, out, 0o600); err != nil {
		n.t.Fatal(err)
	}
}

// unwritten says of whom there is nothing on a node's disk yet, by their names in msgpack.
func (n *network) unwritten(h *host, of []*host) (missing string) {
	file, err := os.ReadFile(filepath.Join(h.node.data, "ring"))
	if err != nil {
		return err.Error()
	}
	for _, o := range of {
		if name := []byte{0xa0 | byte(len(o.name))}; !bytes.Contains(file, append(name, o.name...)) {
			missing += " " + o.name
		}
	}
	return missing
}

// said holds that a node logged something.
func (n *network) said(h *host, text string) {
	n.t.Helper()
	if log := n.logOf(h); !strings.Contains(log, text) {
		n.t.Errorf("%s did not say %q: %s", h.name, text, log)
	}
}
