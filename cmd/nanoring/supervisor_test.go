//go:build unix

package main

import (
	"context"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/native"
)

// hearing is a supervisor's end: what it is told comes out of it.
func hearing(t *testing.T) (socket string, told func() string) {
	t.Helper()
	socket = filepath.Join(t.TempDir(), "notify")
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return socket, func() string {
		b := make([]byte, 4096)
		c.SetReadDeadline(time.Now().Add(patience))
		n, err := c.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		return string(b[:n])
	}
}

// TestSupervised: whoever has started a node, as systemd does, hears that it runs, that its engine goes on, and that
// it stops; the commands that it runs are not taken for it.
func TestSupervised(t *testing.T) {
	t.Parallel()
	socket, told := hearing(t)
	dir := t.TempDir()
	ns := &nodes{dir: dir, byName: make(map[string]*process), env: []string{"NOTIFY_SOCKET=" + socket, "WATCHDOG_USEC=400000"}}
	p, err := ns.start("dev1", "", "--on-event", "updated=env >env.new && mv env.new env")
	if p != nil {
		defer p.kill()
	}
	if err != nil {
		t.Fatal(err)
	}
	ready, goesOn := false, 0
	for !ready || goesOn < 3 {
		switch state := told(); {
		case state == "WATCHDOG=1":
			goesOn++
		case state == "READY=1\nSTATUS=dev1 runs in ring nanoring at "+p.addr && !ready:
			ready = true
		default:
			t.Fatalf("it was told %q", state)
		}
	}
	if out, err := exec.CommandContext(t.Context(), "nanoring", "--data", filepath.Join(dir, "dev1"), "tags", "--set", "a=b").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var env []byte
	for deadline := time.Now().Add(patience); len(env) == 0 && time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		env, _ = os.ReadFile(filepath.Join(dir, "env"))
	}
	if text := string(env); !strings.Contains(text, "NANORING_NODE=dev1\n") || strings.Contains(text, "NOTIFY_SOCKET") || strings.Contains(text, "WATCHDOG") {
		t.Errorf("a command's environment:\n%s", text)
	}
	p.cmd.Process.Signal(syscall.SIGTERM)
	for state := ""; state != "STOPPING=1"; {
		if state = told(); state != "WATCHDOG=1" && state != "STOPPING=1" {
			t.Fatalf("it was told %q", state)
		}
	}
	if status, err := p.wait(); err != nil || status != 0 {
		t.Errorf("it ended with %d, %v", status, err)
	}
}

// stuck is an engine that stops where it is while the gate is shut.
type stuck struct {
	core.Engine
	gate chan struct{} // closed when it may go on
	shut atomic.Bool
	in   chan struct{} // closed once it is stuck
}

func (s *stuck) Step(in core.Input) ([]core.Effect, error) {
	if s.shut.CompareAndSwap(true, false) {
		close(s.in)
		<-s.gate
	}
	return s.Engine.Step(in)
}

// TestStuckEngine: of a node whose engine stands still its supervisor hears nothing any more, and will end it.
func TestStuckEngine(t *testing.T) {
	t.Parallel()
	socket, told := hearing(t)
	s := &stuck{gate: make(chan struct{}), in: make(chan struct{})}
	node, err := native.Start(t.Context(), native.Config{
		Name: "dev1", Data: t.TempDir(), Log: slog.New(slog.DiscardHandler), Times: native.Times{Patience: 400 * time.Millisecond},
		Engine: func(c core.Config) (_ core.Engine, err error) { s.Engine, err = core.New(c); return s, err },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer node.Close()
	super := &supervisor{socket: socket, patience: 20 * time.Millisecond, log: slog.New(slog.DiscardHandler)}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); super.watch(ctx, node) }()
	var heard atomic.Int32
	listening := make(chan struct{})
	go func() {
		defer close(listening)
		for told() == "WATCHDOG=1" {
			heard.Add(1)
		}
	}()
	grows := func(from int32) {
		t.Helper()
		for deadline := time.Now().Add(patience); heard.Load() <= from; time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatal("the supervisor hears nothing")
			}
		}
	}
	grows(2)
	s.shut.Store(true)
	go node.SetTags(ctx, map[string]string{"a": "b"}) // a step of the engine, if it has no other
	<-s.in
	was := heard.Load()
	for range 50 { // as long as ten take
		time.Sleep(time.Millisecond)
	}
	if now := heard.Load(); now > was+2 { // what was under way
		t.Errorf("the engine stands still, and the supervisor has heard %d times that it goes on", now-was)
	}
	close(s.gate)
	grows(heard.Load() + 2)
	cancel()
	<-done
	super.tell("STOPPING=1")
	<-listening
}

// TestNobodySupervises: without a supervisor nobody is told, and what is no socket is said in the log.
func TestNobodySupervises(t *testing.T) {
	var log strings.Builder
	s := &supervisor{log: slog.New(slog.NewTextHandler(&log, nil))}
	s.tell("READY=1")
	if log.Len() != 0 {
		t.Errorf("it says %s", &log)
	}
	s.socket = filepath.Join(t.TempDir(), "none")
	s.tell("READY=1")
	if want := "the supervisor cannot be told"; !strings.Contains(log.String(), want) {
		t.Errorf("it says %s, and not %s", &log, want)
	}
}
