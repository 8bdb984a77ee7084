//go:build linux

package network

import (
	"fmt"
	"os/exec"
	"strings"
)

// The router is a middlebox: it knows each connection. What it does to packets
// between two hosts depends on the sets in which they are, in that direction.
const router = `table ip router {
	set cut { type ipv4_addr . ipv4_addr; }
	set shut { type ipv4_addr . ipv4_addr; }
	set refused { type ipv4_addr . ipv4_addr; }
	set old { type ipv4_addr . ipv4_addr; }
	counter opened { }
	chain forward { type filter hook forward priority 0; }
}
`

// remember has the router pass what belongs to connections that it saw begin
// since it last forgot.
func (n *network) remember(forgotten string) {
	n.run(fmt.Sprintf(`flush chain ip router forward
add rule ip router forward ip saddr . ip daddr @cut drop
add rule ip router forward ct state new ip saddr . ip daddr @shut drop
add rule ip router forward ct state new ip saddr . ip daddr @refused reject with tcp reset
add rule ip router forward ct state new ct mark 0 counter name opened ct mark set %d
add rule ip router forward ip saddr . ip daddr @old ct mark < %[1]d %s
`, n.age, forgotten), "nft", "-f", "-")
}

// forget has the router forget all connections: it drops what belongs to them
// without a word, and lets new ones through.
func (n *network) forget() {
	n.forgetBetween(n.hosts, n.hosts, "drop")
	n.note("all connections are forgotten")
}

// forgetLoudly has the router forget all connections, and answer what belongs to
// them by a reset, as one does that was told to.
func (n *network) forgetLoudly() {
	n.forgetBetween(n.hosts, n.hosts, "reject with tcp reset")
	n.note("all connections are forgotten, and reset")
}

// forgetBetween has the router forget the connections between some hosts and others.
func (n *network) forgetBetween(a, b []*host, then string) {
	n.age++
	n.run("flush set ip router old\n"+pairs("old", a, b)+pairs("old", b, a), "nft", "-f", "-")
	n.remember(then)
}

// cut has the router drop all between the hosts of a and those of b, without a word.
func (n *network) cut(a, b []*host) {
	n.run(pairs("cut", a, b)+pairs("cut", b, a), "nft", "-f", "-")
	n.note("cut: %s from %s", names(a), names(b))
}

// cutOneWay has the router drop all that some hosts send to others.
func (n *network) cutOneWay(from, to []*host) {
	n.run(pairs("cut", from, to), "nft", "-f", "-")
	n.note("cut: what %s send to %s", names(from), names(to))
}

// shut has the router drop what would begin a connection from some hosts to
// others; those that there are it knows.
func (n *network) shut(from, to []*host) {
	n.run(pairs("shut", from, to), "nft", "-f", "-")
	n.note("shut: for new connections from %s to %s", names(from), names(to))
}

// refuse has the router answer what would begin a connection from some hosts to
// others by a reset, as if nobody listened there.
func (n *network) refuse(from, to []*host) {
	n.run(pairs("refused", from, to), "nft", "-f", "-")
	n.note("refused: new connections from %s to %s", names(from), names(to))
}

// heal ends all that the router does to packets, but what it forgot.
func (n *network) heal() {
	n.run("flush set ip router cut\nflush set ip router shut\nflush set ip router refused\n", "nft", "-f", "-")
	n.note("healed")
}

// pairs is the command that puts each way from some hosts to others into a set.
func pairs(set string, from, to []*host) string {
	var s []string
	for _, a := range from {
		for _, b := range to {
			if a != b {
				s = append(s, a.addr+" . "+b.addr)
			}
		}
	}
	if len(s) == 0 {
		return ""
	}
	return "add element ip router " + set + " { " + strings.Join(s, ", ") + " }\n"
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
