//go:build linux

package network

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestTranslated: a host is behind a box that translates addresses: it can dial the
// others, and they cannot dial it, which nobody has told its node. Then the box
// forgets all connections.
func TestTranslated(t *testing.T) {
	t.Parallel()
	for _, box := range []struct {
		name  string
		begin func(n *network, one, others []*host)
	}{
		{"and nothing happens", func(*network, []*host, []*host) {}},
		{"and forgotten", func(n *network, one, others []*host) { n.forgetBetween(one, others, "drop") }},
		{"and reset", func(n *network, one, others []*host) { n.forgetBetween(one, others, "reject with tcp reset") }},
	} {
		if left(box.name) {
			continue
		}
		t.Run(box.name, func(t *testing.T) {
			if !enter(t) {
				return
			}
			n := newNetwork(t, size())
			one, others := n.hosts[len(n.hosts)-1:], n.hosts[:len(n.hosts)-1]
			n.translate(one[0])
			n.ring()
			n.lives(fault{begin: func() { box.begin(n, one, others) }, lasts: ifLong(time.Minute, 15*time.Second), tell: []*host{one[0], others[0]}})
		})
	}
}

// translate puts a host's node behind its machine, which becomes a box that has
// its address and lends it to what the node dials.
func (n *network) translate(h *host) {
	n.t.Helper()
	box, inner := h.namespace(), h.machine+"-in"
	h.behind = "192.168.77.2"
	n.run("", "ip", "netns", "add", inner)
	n.run(strings.Join([]string{
		"link add inside type veth peer name eth0 netns " + inner,
		"addr add 192.168.77.1/30 dev inside",
		"link set inside up",
	}, "\n"), "ip", "-n", h.machine, "-batch", "-")
	n.run(strings.Join([]string{
		"addr add " + h.behind + "/30 dev eth0",
		"link set lo up",
		"link set eth0 up",
		"route add default via 192.168.77.1",
	}, "\n"), "ip", "-n", inner, "-batch", "-")
	n.run("echo 1 >/proc/sys/net/ipv4/ip_forward", "nsenter", "--net="+box, "sh")
	n.run(fmt.Sprintf(`table ip box {
	chain out { type nat hook postrouting priority 100; oif eth0 snat to %s; }
}
`, h.addr), "nsenter", "--net="+box, "nft", "-f", "-")
}
