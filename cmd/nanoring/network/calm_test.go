//go:build linux

package network

import (
	"os/exec"
	"strings"
)

// calm waits until all show all up and no connection waits for an answer that
// cannot come: what a fault of the network left behind is over then.
func (n *network) calm() {
	n.t.Helper()
	n.until("all is right and calm", func() string {
		if s := n.wrong(); s != "" {
			return s
		}
		return n.waiting()
	})
}

// waiting returns a connection between hosts over which something is sent again
// and again without an answer: as long as there is one, something will still happen.
func (n *network) waiting() string {
	for _, h := range n.hosts {
		out, err := exec.Command("nsenter", "--net="+h.namespace(), "ss", "-Htno", "state", "established").Output()
		if err != nil {
			n.t.Fatalf("ss: %v", err)
		}
		for line := range strings.Lines(string(out)) {
			_, timer, ok := strings.Cut(line, "timer:(on,")
			if ok && !strings.HasSuffix(strings.TrimSpace(timer), ",0)") {
				return h.name + ": " + strings.Join(strings.Fields(line), " ")
			}
		}
	}
	return ""
}
