//go:build linux

package network

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

var long = flag.Bool("network.long", false, "let faults of the network last as long as real ones do, and wait longer for their end: some minutes")

// size is how many hosts most rings have.
func size() int { return ifLong(12, 8) }

// patience is how long a test waits for what has to come.
func patience() time.Duration { return ifLong(10*time.Minute, time.Minute) }

func ifLong[T any](lasting, brief T) T {
	if *long {
		return lasting
	}
	return brief
}

// seldom are faults like others here, in another degree or place: make net lives them, every night, and
// make test does not.
var seldom = []string{
	"new ones between halves are refused", "new ones to one are dropped", "old ones are reset", "old ones between halves are dropped", "old ones are dropped, new ones to one dropped",
	"slower", "uneven", "narrow",
	"some reboot", "two swap addresses",
	"half for long", "one is not heard by half", "one reaches one", "two halves in turn",
	"1280 bytes go through",
	"and nothing happens", "and reset",
}

// left says whether a fault is left to make net.
func left(fault string) bool { return !*long && slices.Contains(seldom, fault) }

// network is hosts, each joined to one router, which is a middlebox too: it
// knows each connection, and can forget them.
type network struct {
	t       *testing.T
	dir     string // of the nodes' data
	hosts   []*host
	since   time.Time
	age     int      // of the router's memory
	secret  string   // the file of the ring's secret, if it has one
	flags   []string // of all nodes
	witness *witness
	idle    *idle
}

// host is a machine: a network namespace with one interface.
type host struct {
	name    string // of its node
	machine string // its namespace, and the router's end of its cable
	addr    string // without a port
	behind  string // if that is one of a box that translates addresses: its own, which nobody can dial
	node    *process
}

func (h *host) listen() string { return cmp.Or(h.behind, h.addr) + ":7946" }

func newNetwork(t *testing.T, hosts int) *network {
	t.Helper()
	dir, err := os.MkdirTemp("", "") // no folder of the test's: a socket's path may not be long
	if err != nil {
		t.Fatal(err)
	}
	n := &network{t: t, dir: dir, since: time.Now(), age: 1}
	n.witness, n.idle = newWitness(n), newIdle(t)
	n.run(router, "nft", "-f", "-")
	n.remember("drop")
	for range hosts {
		n.attach()
	}
	return n
}

// attach joins one more host to the router. There cannot be many: the kernel has
// one table of neighbours for all namespaces, and tests run beside each other.
func (n *network) attach() *host {
	n.t.Helper()
	i := len(n.hosts) + 1
	h := &host{name: fmt.Sprintf("n%d", i), machine: fmt.Sprintf("n%d", i), addr: fmt.Sprintf("10.77.%d.2", i)}
	router := fmt.Sprintf("10.77.%d.1", i)
	n.run(strings.Join([]string{
		"netns add " + h.machine,
		"link add " + h.machine + " type veth peer name eth0 netns " + h.machine,
		"addr add " + router + "/30 dev " + h.machine,
		"link set " + h.machine + " up",
	}, "\n"), "ip", "-batch", "-")
	n.run(strings.Join([]string{
		"addr add " + h.addr + "/30 dev eth0",
		"link set lo up",
		"link set eth0 up",
		"route add default via " + router,
	}, "\n"), "ip", "-n", h.machine, "-batch", "-")
	n.hosts = append(n.hosts, h)
	return h
}

// but returns all hosts except those.
func (n *network) but(hosts ...*host) []*host {
	return slices.DeleteFunc(slices.Clone(n.hosts), func(h *host) bool { return slices.Contains(hosts, h) })
}

func (h *host) namespace() string {
	name := h.machine
	if h.behind != "" {
		name += "-in"
	}
	return filepath.Join("/run/netns", name)
}

// unplug has a host's cable pulled, plug puts it back: nobody is told.
func (n *network) unplug(h *host) { n.run("", "ip", "link", "set", h.machine, "down") }
func (n *network) plug(h *host)   { n.run("", "ip", "link", "set", h.machine, "up") }

// note puts a line into the test's log, with the time.
func (n *network) note(format string, args ...any) {
	n.t.Logf("%6.2f s: %s", time.Since(n.since).Seconds(), fmt.Sprintf(format, args...))
}

// until waits until missing returns nothing.
func (n *network) until(what string, missing func() string) {
	n.t.Helper()
	for deadline := time.Now().Add(patience()); ; time.Sleep(50 * time.Millisecond) {
		why := missing()
		if why == "" {
			n.note("%s", what)
			return
		}
		if time.Now().After(deadline) {
			n.t.Fatalf("not in %s: %s: %s", patience(), what, why)
		}
	}
}

func (n *network) run(stdin, command string, args ...string) {
	n.t.Helper()
	if err := run(n.t.Context(), stdin, command, args...); err != nil {
		n.t.Fatal(err)
	}
}

func run(ctx context.Context, stdin, command string, args ...string) error {
	cmd := exec.CommandContext(ctx, command, args...)
	cmd.Stdin = strings.NewReader(stdin)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w\n%s\n%s", command, strings.Join(args, " "), err, stdin, out)
	}
	return nil
}

func names(hosts []*host) string {
	if len(hosts) > 4 {
		return fmt.Sprintf("%s and %d more", hosts[0].name, len(hosts)-1)
	}
	var s []string
	for _, h := range hosts {
		s = append(s, h.name)
	}
	return strings.Join(s, " ")
}
