// Package nodehost_test runs the Node.js host of this folder as a node of a real ring.
package nodehost_test

import (
	"bufio"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/native"
)

const patience = 60 * time.Second

// testRing keeps the nodes apart from those of other tests, which may get the
// address of one that has ended.
var testRing = fmt.Sprint("test ", rand.Uint64())

// TestNodeJS: a node in Node.js joins a ring, sees another come, stops, comes
// back as who it was, and ends when it is removed.
func TestNodeJS(t *testing.T) {
	t.Parallel()
	node := nodeJS(t)
	data := filepath.Join(t.TempDir(), "ring")
	dev1 := start(t, "dev1")
	js := run(t, node, "js1", data, dev1.Addr())
	js.says(t, "dev1 is up")
	shows(t, dev1, "js1", core.Alive)
	if at, _ := dev1.Get("js1"); at.Ephemeral || at.Via != "dev1" || len(at.Tags) != 1 {
		t.Errorf("dev1 shows %+v", at)
	}

	dev2 := start(t, "dev2", dev1.Addr())
	js.says(t, "dev2 is up")
	shows(t, dev2, "js1", core.Alive)

	js.cmd.Process.Signal(syscall.SIGTERM)
	js.says(t, "halted: stopped")
	if err := js.cmd.Wait(); err != nil {
		t.Error(err)
	}
	shows(t, dev2, "js1", core.Left)

	js = run(t, node, "js1", data, dev2.Addr())
	shows(t, dev1, "js1", core.Alive)
	if err := dev1.Del(t.Context(), "js1"); err != nil {
		t.Fatal(err)
	}
	js.says(t, "halted: removed")
	if err := js.cmd.Wait(); js.cmd.ProcessState.ExitCode() != 4 {
		t.Errorf("removed, it ends with %v", err)
	}
}

// nodeJS returns the command line of a Node.js that knows WebSockets.
func nodeJS(t *testing.T) []string {
	out, err := exec.Command("node", "--version").Output()
	if err != nil {
		t.Fatalf("this test needs Node.js: %v: make test installs it, with npm", err)
	}
	version, _, _ := strings.Cut(strings.TrimPrefix(string(out), "v"), ".")
	switch major, err := strconv.Atoi(version); {
	case err != nil || major < 20:
		t.Skipf("Node.js %s has no WebSocket: this test needs 20 or later", strings.TrimSpace(string(out)))
	case major < 22:
		return []string{"node", "--experimental-websocket", "node.mjs"}
	}
	return []string{"node", "node.mjs"}
}

func start(t *testing.T, name string, join ...string) *native.Node {
	t.Helper()
	n, err := native.Start(t.Context(), native.Config{
		Name: name, Ring: testRing, Listen: "127.0.0.1:0", Data: t.TempDir(), Join: join, NoPage: true, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() })
	return n
}

// shows waits until a node shows another in a state.
func shows(t *testing.T, n *native.Node, name string, state core.State) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		at, _ := n.Get(name)
		if at.State == state {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s shows %s as %v, not as %v", n.Name(), name, at.State, state)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// process is a node in Node.js.
type process struct {
	cmd   *exec.Cmd
	lines chan string
}

func run(t *testing.T, node []string, args ...string) *process {
	t.Helper()
	p := &process{exec.CommandContext(t.Context(), node[0], append(node[1:], args...)...), make(chan string, 1000)}
	p.cmd.Env = append(os.Environ(), "RING="+testRing)
	p.cmd.Stderr = t.Output()
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.lines)
		for in := bufio.NewScanner(out); in.Scan(); {
			p.lines <- in.Text()
		}
	}()
	t.Cleanup(func() {
		p.cmd.Process.Kill()
		for range p.lines {
		}
		p.cmd.Wait()
	})
	return p
}

// says waits until the process says a line.
func (p *process) says(t *testing.T, want string) {
	t.Helper()
	late := time.After(patience)
	for {
		select {
		case line, ok := <-p.lines:
			if !ok {
				t.Fatalf("it ended and did not say %q", want)
			}
			if line == want {
				return
			}
		case <-late:
			t.Fatalf("it does not say %q", want)
		}
	}
}
