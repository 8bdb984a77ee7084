package main

import (
	"bufio"
	"context"
	"encoding/gob"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"runtime/pprof"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// Each round of a measurement is a process of its own, so that it has a heap and
// goroutines of its own. So are the nodes that are to be killed or stopped, and
// what keeps the cores busy. All of them are this program once more, told by an
// environment variable what to be. They end with their standard input.
const childEnv = "NANORING_BENCH_CHILD"

// order is what a child is to be.
type order struct {
	System      string
	N           int       // nodes in the ring
	Measurement string    // if not empty: run a round of it
	Settings    *settings // for that
	Node        *identity // if not nil: be this node
	CPUProfile  string    // file to write one of a round to
}

// identity is what options has of a node in another process.
type identity struct {
	Name, Join, Ring, Dir string
	Died                  bool
}

// child does what the environment says, if it says so, and ends the process.
func child() {
	text, ok := os.LookupEnv(childEnv)
	if !ok {
		return
	}
	os.Unsetenv(childEnv)
	var o order
	err := json.Unmarshal([]byte(text), &o)
	switch {
	case err != nil:
	case o.Measurement != "":
		err = o.measure()
	case o.Node != nil:
		go exitWithInput()
		err = o.live()
	default:
		burn()
	}
	if err != nil {
		fail(err)
	}
	os.Exit(0)
}

// burn keeps a core busy.
func burn() {
	var over atomic.Bool
	go func() {
		io.Copy(io.Discard, os.Stdin)
		over.Store(true)
	}()
	for !over.Load() {
	}
}

func exitWithInput() {
	io.Copy(io.Discard, os.Stdin)
	os.Exit(0)
}

// report is what a round says, as gob: JSON has no infinity.
type report struct {
	Samples samples
	Error   string
}

func (o order) measure() error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	go func() {
		io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	s, err := systemOf(o.System)
	m, err2 := measurementOf(o.Measurement)
	if err := errors.Join(err, err2); err != nil {
		return err
	}
	if s.name == sandboxed {
		if err := compiled(); err != nil { // now, so that no measurement has to wait for it
			return err
		}
	}
	if o.Settings.MemProfile != "" {
		runtime.MemProfileRate = 4 << 10 // a node has little
	}
	if o.CPUProfile != "" {
		f, err := os.Create(o.CPUProfile)
		if err == nil {
			err = pprof.StartCPUProfile(f)
		}
		if err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	var r report
	if r.Samples, err = m.round(ctx, &bench{settings: *o.Settings}, s, o.N); err != nil {
		r.Error = err.Error()
	}
	return gob.NewEncoder(os.Stdout).Encode(r)
}

// live is a node that says "up" when it sees all, and "died" of whom it holds
// for dead.
func (o order) live() error {
	s, err := systemOf(o.System)
	if err != nil {
		return err
	}
	with := options{name: o.Node.Name, join: o.Node.Join, ring: o.Node.Ring, dir: o.Node.Dir, bytes: new(atomic.Int64)}
	if o.Node.Died {
		with.died = func(name string) { fmt.Println("died", name) }
	}
	n, err := s.start(context.Background(), with)
	if err != nil {
		return err
	}
	for n.up() < o.N {
		time.Sleep(10 * time.Millisecond)
	}
	fmt.Println("up")
	select {}
}

// process is a child that runs.
type process struct {
	cmd   *exec.Cmd
	stdin io.Closer
	ended chan struct{} // when its output has
}

// run starts a child; read gets its output.
func run(o order, read func(io.Reader)) (*process, error) {
	text, err := json.Marshal(o)
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), childEnv+"="+string(text))
	cmd.Stderr = os.Stderr
	p := &process{cmd: cmd, ended: make(chan struct{})}
	if p.stdin, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("cannot start a child: %w", err)
	}
	go func() {
		defer close(p.ended)
		read(out)
		io.Copy(io.Discard, out)
	}()
	return p, nil
}

func (p *process) signal(s syscall.Signal) error {
	if err := p.cmd.Process.Signal(s); err != nil {
		return fmt.Errorf("cannot send %v to a child: %w", s, err)
	}
	return nil
}

// kill ends it, also if it is stopped.
func (p *process) kill() {
	p.cmd.Process.Kill()
	<-p.ended
	p.stdin.Close()
	p.cmd.Wait()
}

// apart runs a round in a process of its own.
func (b *bench) apart(ctx context.Context, m measurement, s system, n int) (samples, error) {
	o := order{System: s.name, N: n, Measurement: m.name, Settings: &b.settings}
	if b.cpuProfile != "" {
		o.CPUProfile = fmt.Sprintf("%s.%s.%s.%d.%d", b.cpuProfile, m.name, s.name, n, b.profiles.Add(1))
	}
	var r report
	p, err := run(o, func(out io.Reader) {
		if err := gob.NewDecoder(out).Decode(&r); err != nil {
			r.Error = "its process ended: " + err.Error()
		}
	})
	if err != nil {
		return nil, err
	}
	defer p.kill()
	select {
	case <-p.ended:
	case <-ctx.Done():
		p.stdin.Close() // it ends its own children
		select {
		case <-p.ended:
		case <-time.After(10 * time.Second):
		}
		return nil, context.Cause(ctx)
	}
	if r.Error != "" {
		return nil, errors.New(r.Error)
	}
	return r.Samples, nil
}

// victim starts one more node of the ring, in a process of its own, and waits
// until all see all.
func (r *ring) victim(ctx context.Context, name string) (*process, error) {
	n, up := len(r.nodes)+1, make(chan struct{})
	p, err := run(order{System: r.s.name, N: n, Node: &identity{
		Name: name, Join: r.nodes[0].addr(), Ring: r.name, Dir: r.dir(name), Died: r.died != nil,
	}}, func(out io.Reader) {
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if who, ok := strings.CutPrefix(lines.Text(), "died "); ok {
				r.died(who)
			} else {
				close(up)
			}
		}
	})
	if err != nil {
		return nil, err
	}
	_, err = r.await(ctx, time.Now(), r.nodes, func(m node) bool { return m.sees(name) && m.up() == n })
	select {
	case <-up:
	case <-p.ended:
		err = fmt.Errorf("the process of %s has ended", name)
	case <-time.After(r.b.Bound):
		err = fmt.Errorf("%s did not see the ring within %v", name, r.b.Bound)
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	if err != nil {
		p.kill()
		return nil, err
	}
	return p, nil
}
