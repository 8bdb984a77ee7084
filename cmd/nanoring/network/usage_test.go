//go:build linux

package network

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// usage is what a process has.
type usage struct {
	files  int // and sockets
	memory int // bytes
}

func (u usage) String() string { return fmt.Sprintf("%d files and %d MiB", u.files, u.memory>>20) }

func (u usage) times(n int) usage { return usage{n * u.files, n * u.memory} }

// usage returns what a host's process has now.
func (n *network) usage(h *host) (u usage) {
	n.t.Helper()
	proc := fmt.Sprintf("/proc/%d", h.node.cmd.Process.Pid)
	files, err := os.ReadDir(filepath.Join(proc, "fd"))
	if err != nil {
		n.t.Fatal(err)
	}
	status, err := os.ReadFile(filepath.Join(proc, "status"))
	if err != nil {
		n.t.Fatal(err)
	}
	u.files = len(files)
	for line := range strings.Lines(string(status)) {
		if rss, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			fmt.Sscanf(rss, "%d", &u.memory)
			u.memory <<= 10
		}
	}
	return u
}

// traffic returns how many bytes went between hosts in some seconds.
func (n *network) traffic() int {
	n.t.Helper()
	before := n.carried()
	time.Sleep(4 * time.Second) // that is what is measured
	return n.carried() - before
}

// carried returns how many bytes came to the router so far, or went from it.
func (n *network) carried() (bytes int) {
	n.t.Helper()
	out, err := exec.Command("ip", "-s", "-j", "link").Output()
	if err != nil {
		n.t.Fatalf("ip: %v", err)
	}
	var links []struct {
		Stats struct {
			Rx, Tx struct{ Bytes int }
		} `json:"stats64"`
	}
	if err := json.Unmarshal(out, &links); err != nil {
		n.t.Fatalf("ip: %v", err)
	}
	for _, l := range links {
		bytes += l.Stats.Rx.Bytes + l.Stats.Tx.Bytes
	}
	return bytes
}
