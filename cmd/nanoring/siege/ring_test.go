//go:build linux

package siege

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/nanoring/nanoring/native/trust"
)

const ringName = "siege"

// patience is how long a test waits for what has to come.
const patience = 90 * time.Second

// ring is a locked ring of real processes.
type ring struct {
	testing.TB
	dir    string
	secret trust.Secret
	nodes  []*node
}

// node is one of them.
type node struct {
	name, engine, addr string
	cmd                *exec.Cmd
	client             *http.Client // of its Unix socket
	ended              chan struct{}
	log                *os.File

	mu     sync.Mutex
	lately []time.Time // when each line of its log came, of the last minute
	worst  int         // so many in any minute
}

// Write takes what the node logs.
func (n *node) Write(b []byte) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	now := time.Now()
	for range bytes.Count(b, []byte("\n")) {
		n.lately = append(n.lately, now)
	}
	n.lately = slices.DeleteFunc(n.lately, func(at time.Time) bool { return now.Sub(at) >= time.Minute })
	n.worst = max(n.worst, len(n.lately))
	return n.log.Write(b)
}

// worstMinute is how many lines it logged in any minute since it was forgotten.
func (n *node) worstMinute(forget bool) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	if forget {
		n.lately, n.worst = nil, 0
	}
	return n.worst
}

// start starts a node for each engine, and waits until they are one ring.
func start(t testing.TB, engines ...string) *ring {
	t.Helper()
	r := &ring{TB: t, dir: t.TempDir()}
	text := trust.NewSecret()
	secrets, err := trust.ParseSecrets([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	r.secret = secrets[0]
	if err := os.WriteFile(filepath.Join(r.dir, "ring.key"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for i, engine := range engines {
		r.start(fmt.Sprintf("dev%d", i+1), engine)
	}
	for _, n := range r.nodes {
		r.until(n.name+" shows all up", func() bool {
			members, err := n.members(patience)
			return err == nil && len(members) == len(engines) && faults(members, len(engines)) == ""
		})
	}
	return r
}

func (r *ring) start(name, engine string) {
	r.Helper()
	path, err := command()
	if err != nil {
		r.Fatal(err)
	}
	data := filepath.Join(r.dir, name)
	n := &node{name: name, engine: engine, ended: make(chan struct{})}
	n.client = &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", filepath.Join(data, "api.sock"))
	}}}
	if n.log, err = os.Create(filepath.Join(logs(r), name+".log")); err != nil {
		r.Fatal(err)
	}
	args := []string{"node", "--name", name, "--ring", ringName, "--listen", "127.0.0.1:0", "--data", data, "--secret-file", filepath.Join(r.dir, "ring.key"), "--engine", engine}
	if len(r.nodes) > 0 {
		args = append(args, "--join", r.nodes[0].addr)
	}
	n.cmd = exec.Command(path, args...)
	n.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	n.cmd.Stdout, n.cmd.Stderr = n, n
	if err := n.cmd.Start(); err != nil {
		r.Fatal(err)
	}
	go func() {
		n.cmd.Wait()
		close(n.ended)
	}()
	r.nodes = append(r.nodes, n)
	r.Cleanup(func() {
		n.cmd.Process.Kill()
		<-n.ended
		n.client.CloseIdleConnections()
		n.log.Close()
	})
	r.until(name+" answers", func() bool {
		var s struct{ Address string }
		err := n.get("/v1/status", &s, time.Second)
		n.addr = s.Address
		return err == nil && !n.over()
	})
}

// logs is where the nodes' logs go: kept, if the test was told where.
func logs(r *ring) string {
	if dir := r.ArtifactDir(); dir != "" {
		return dir
	}
	return r.dir
}

// over says whether the process has ended.
func (n *node) over() bool {
	select {
	case <-n.ended:
		return true
	default:
		return false
	}
}

// get asks the node over its Unix socket.
func (n *node) get(path string, answer any, within time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://localhost"+path, nil)
	if err != nil {
		return err
	}
	resp, err := n.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if text, ok := answer.(*string); ok {
		*text = string(b)
		return nil
	}
	return json.Unmarshal(b, answer)
}

// member is a node as the API has it.
type member struct {
	Name, State string
	Ephemeral   bool
}

func (n *node) members(within time.Duration) (members []member, err error) {
	var answer struct{ Nodes []member }
	err = n.get("/v1/nodes", &answer, within)
	return answer.Nodes, err
}

// faults says what is wrong with what a node holds of the durable ones; "" for nothing.
func faults(members []member, nodes int) string {
	seen := 0
	for _, m := range members {
		switch {
		case m.Ephemeral && strings.HasPrefix(m.Name, "dev"):
			return m.Name + " is a guest"
		case m.Ephemeral:
		case !strings.HasPrefix(m.Name, "dev"):
			return m.Name + " is durable"
		case m.State != "up" && m.State != "suspect":
			return m.Name + " is " + m.State
		default:
			seen++
		}
	}
	if seen != nodes {
		return fmt.Sprintf("there are %d durable nodes", seen)
	}
	return ""
}

func (r *ring) until(what string, ok func() bool) {
	r.Helper()
	for deadline := time.Now().Add(patience); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			r.Fatalf("in vain: %s", what)
		}
	}
}

// token signs one.
func (r *ring) token(t trust.Token) string {
	r.Helper()
	t.Ring, t.Expires = ringName, time.Now().Add(24*time.Hour)
	signed, err := r.secret.Sign(t)
	if err != nil {
		r.Fatal(err)
	}
	return signed
}

func (r *ring) addrs() (all []string) {
	for _, n := range r.nodes {
		all = append(all, n.addr)
	}
	return all
}
