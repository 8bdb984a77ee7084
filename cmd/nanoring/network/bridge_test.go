//go:build linux

package network

import (
	"fmt"
	"strings"
	"testing"
)

// TestMDNS: nodes that were told nothing but to look around find each other on one wire, the last after the others
// have met, and one without IPv6. Where there is no way the first line about it says so of each address.
func TestMDNS(t *testing.T) {
	if !enter(t) {
		return
	}
	n := newNetwork(t, 0)
	n.bridge(3)
	first := n.hosts[0]
	const without = "/proc/sys/net/ipv6/conf/eth0/disable_ipv6" // not there where there is none at all
	n.run("", "nsenter", "--net="+n.hosts[1].namespace(), "sh", "-c", "[ ! -e "+without+" ] || echo 1 >"+without)
	n.run("route add unreachable 10.79.0.1\nroute add prohibit 10.79.0.2\n", "ip", "-n", first.machine, "-batch", "-")
	n.start(first, "--join", "mdns:", "--interface", "eth0", "--join", "10.79.0.1:7946", "--join", "10.79.0.2:7946", "--join", "10.79.0.3:7946", "--join", "10.78.0.99:7946")
	var said string
	n.until("it says that it has not joined", func() string {
		for line := range strings.Lines(n.logOf(first)) {
			if strings.Contains(line, "this node has not joined") {
				said = line
				return ""
			}
		}
		return n.logOf(first)
	})
	for _, want := range []string{"10.78.0.1:7946 (mdns:): that is this node itself", "10.79.0.1:7946: no route to host: a wrong", "10.79.0.2:7946: it may not be dialled: a firewall", "10.79.0.3:7946: no route to host: a wrong", "10.78.0.99:7946: no "} {
		if !strings.Contains(said, want) {
			t.Errorf("the first line about it has no %q: %s", want, said)
		}
	}
	for _, h := range n.hosts[1:] {
		n.start(h, "--join", "mdns:", "--interface", "eth0")
		n.until(h.name+" has joined", func() string {
			if code, why := n.ready(h); code != 200 {
				return why
			}
			return ""
		})
	}
	n.until("all show all up", n.wrong)
}

// bridge joins more hosts to one wire, which leads nowhere else: the route of multicast is what a default one would be.
func (n *network) bridge(hosts int) {
	n.t.Helper()
	n.run("link add wire type bridge\nlink set wire up\n", "ip", "-batch", "-")
	for range hosts {
		i := len(n.hosts) + 1
		h := &host{name: fmt.Sprintf("n%d", i), machine: fmt.Sprintf("n%d", i), addr: fmt.Sprintf("10.78.0.%d", i)}
		n.run(strings.Join([]string{
			"netns add " + h.machine,
			"link add " + h.machine + " type veth peer name eth0 netns " + h.machine,
			"link set " + h.machine + " master wire up",
		}, "\n"), "ip", "-batch", "-")
		n.run("addr add "+h.addr+"/24 dev eth0\nlink set lo up\nlink set eth0 up\nroute add 224.0.0.0/4 dev eth0\n", "ip", "-n", h.machine, "-batch", "-")
		n.hosts = append(n.hosts, h)
	}
}
