package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// Nodes that are to be killed or stopped, and what keeps the cores busy, are
// processes of their own: this program once more, told by an environment
// variable what to be. They end with their standard input.
const childEnv = "NANORING_BENCH_CHILD"

// order is what a child is to be. No System: a burner of one core.
type order struct {
	System, Name, Join, Ring, Dir string
	N                             int // it says "up" when it sees so many up
	Died                          bool
}

// child runs what the environment says, if it says so.
func child() {
	text, ok := os.LookupEnv(childEnv)
	if !ok {
		return
	}
	go func() {
		io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	var o order
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		fail(err)
	}
	if o.System == "" {
		for {
		}
	}
	s, err := systemOf(o.System)
	if err != nil {
		fail(err)
	}
	with := options{name: o.Name, join: o.Join, ring: o.Ring, dir: o.Dir, bytes: new(atomic.Int64)}
	if o.Died {
		with.died = func(name string) { fmt.Println("died", name) }
	}
	n, err := s.start(context.Background(), with)
	if err != nil {
		fail(err)
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
	up    chan struct{} // closed when it says so, or has ended
	ended chan struct{}
}

func run(o order, died func(string)) (*process, error) {
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
	p := &process{cmd: cmd, up: make(chan struct{}), ended: make(chan struct{})}
	if p.stdin, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(p.ended)
		said := false
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if name, ok := strings.CutPrefix(lines.Text(), "died "); ok {
				died(name)
			} else if !said {
				said = true
				close(p.up)
			}
		}
		if !said {
			close(p.up)
		}
	}()
	return p, nil
}

func (p *process) signal(s syscall.Signal) error {
	if err := p.cmd.Process.Signal(s); err != nil {
		return fmt.Errorf("cannot send %v to a child: %w", s, err)
	}
	return nil
}

func (p *process) close() {
	p.cmd.Process.Kill() // also if it is stopped
	<-p.ended
	p.stdin.Close()
	p.cmd.Wait()
}

// victim starts one more node of the ring, in a process of its own, and waits
// until all see all.
func (r *ring) victim(ctx context.Context, name string) (*process, error) {
	died := r.died
	if died == nil {
		died = func(string) {}
	}
	n := len(r.nodes) + 1
	p, err := run(order{
		System: r.s.name, Name: name, Join: r.nodes[0].addr(), Ring: r.name, Dir: r.dir(name), N: n, Died: r.died != nil,
	}, died)
	if err != nil {
		return nil, fmt.Errorf("cannot start a child: %w", err)
	}
	_, err = r.await(ctx, time.Now(), r.nodes, func(m node) bool { return m.sees(name) && m.up() == n })
	select {
	case <-p.up:
	case <-time.After(r.b.bound):
		err = fmt.Errorf("the child %s did not see the ring within %v", name, r.b.bound)
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	if err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}
