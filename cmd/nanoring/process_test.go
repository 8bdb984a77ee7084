package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/host"
)

var signals = map[string]os.Signal{
	"INT": syscall.SIGINT, "TERM": syscall.SIGTERM, "HUP": syscall.SIGHUP, "KILL": syscall.SIGKILL,
	"STOP": sigStop, "CONT": sigCont,
}

// nodes are the nodes of a test: real processes, their data folders in dir.
type nodes struct {
	dir    string
	path   string   // of the command; "" is that of the tests, which the race detector may watch
	engine string   // of those that are not told another; "" is the default
	env    []string // beside this process'
	byName map[string]*process
	clocks map[string]*clocked // nodes of this process
}

type process struct {
	cmd    *exec.Cmd
	addr   string
	client *client
	ended  chan struct{}
	out    lockedBuffer
}

// printed returns what the process has printed and logged.
func (p *process) printed() string { return p.out.String() }

// lockedBuffer is written by one and read by another.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// start starts a node and waits until it answers. An empty address is any.
func (ns *nodes) start(name, address string, flags ...string) (*process, error) {
	if address == "" {
		address = "127.0.0.1:0"
	}
	data := filepath.Join(ns.dir, name)
	if ns.engine != "" && !slices.Contains(flags, "--engine") {
		flags = append(flags, "--engine", ns.engine)
	}
	if slices.Contains(flags, "wasm") {
		if err := warm(data); err != nil {
			return nil, err
		}
	}
	p := &process{client: socketClient(data), ended: make(chan struct{})}
	p.cmd = exec.Command(cmp.Or(ns.path, "nanoring"), append([]string{"node", "--name", name, "--listen", address, "--data", data}, flags...)...)
	p.cmd.SysProcAttr = childAttr() // they end with a test that is killed
	p.cmd.Env = append(os.Environ(), ns.env...)
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = ns.dir, &p.out, &p.out
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		p.cmd.Wait()
		close(p.ended)
	}()
	ns.byName[name] = p
	return p, p.ready()
}

// compiled is a folder with the module compiled, beside the command nanoring:
// it goes when the tests end.
var compiled = sync.OnceValues(func() (string, error) {
	nanoring, err := exec.LookPath("nanoring")
	if err != nil {
		return "", err
	}
	dir := filepath.Join(filepath.Dir(nanoring), "compiled")
	e, err := host.New(context.Background(), host.Config{Node: core.Config{Ring: "ring", Name: "node"}, Cache: dir})
	if err != nil {
		return "", err
	}
	return dir, e.Close()
})

// warm gives a node that is new the compiled module: the race detector makes
// compiling it ten times as slow.
func warm(data string) error {
	cache := filepath.Join(data, "cache")
	if _, err := os.Stat(cache); err == nil {
		return nil
	}
	dir, err := compiled()
	if err != nil {
		return err
	}
	return os.CopyFS(cache, os.DirFS(dir))
}

// ready waits until the node answers, and learns its address.
func (p *process) ready() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for ticker := time.NewTicker(10 * time.Millisecond); ; {
		s, err := p.client.status(ctx)
		if err == nil {
			p.addr = s.Address
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("it does not answer: %w:\n%s", err, p.printed())
		case <-p.ended:
			return fmt.Errorf("it has ended, %s:\n%s", p.cmd.ProcessState, p.printed())
		case <-ticker.C:
		}
	}
}

// wait waits until the process has ended, and returns its status.
func (p *process) wait() (int, error) {
	select {
	case <-p.ended:
		return p.cmd.ProcessState.ExitCode(), nil
	case <-time.After(patience):
		return 0, errors.New("it does not end:\n" + p.printed())
	}
}

func (p *process) kill() {
	p.cmd.Process.Kill()
	<-p.ended
}

// freePorts returns the first of so many free ports in a row.
func freePorts(count int) (int, error) {
	for range 100 {
		first := 20000 + rand.IntN(10000) // below those that the system gives away
		if !slices.ContainsFunc(localhost(first, count), busy) {
			return first, nil
		}
	}
	return 0, fmt.Errorf("there are no %d free ports in a row", count)
}

// localhost returns the addresses of so many ports.
func localhost(first, count int) []string {
	var addrs []string
	for port := first; port < first+count; port++ {
		addrs = append(addrs, net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	}
	return addrs
}

func busy(addr string) bool {
	l, err := net.Listen("tcp", addr)
	if err == nil {
		l.Close()
	}
	return err != nil
}
