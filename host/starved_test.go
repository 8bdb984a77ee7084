//go:build linux

package host_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/host"
)

// starvedEnv is set in the process that is stopped again and again.
const starvedEnv = "NANORING_STARVED"

// TestStarved: a process that gets a tenth of a processor, as it does of a busy machine or a
// quota, has an engine that is slow, and not one that breaks.
func TestStarved(t *testing.T) {
	if os.Getenv(starvedEnv) != "" {
		starved(t)
		return
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestStarved$", "-test.v")
	cmd.Env = append(os.Environ(), starvedEnv+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var said, complained bytes.Buffer // each has its own goroutine
	cmd.Stderr = &complained
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ready, over := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(over)
		for lines := bufio.NewScanner(pipe); lines.Scan(); {
			if fmt.Fprintln(&said, lines.Text()); lines.Text() == starvedEnv {
				close(ready)
			}
		}
	}()
	select {
	case <-ready:
	case <-over:
	}
	for isOver := false; !isOver; {
		cmd.Process.Signal(syscall.SIGSTOP)
		select {
		case <-time.After(45 * time.Millisecond):
		case <-over:
			isOver = true
		}
		cmd.Process.Signal(syscall.SIGCONT)
		select {
		case <-time.After(5 * time.Millisecond):
		case <-over:
			isOver = true
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v\n%s%s", err, said.Bytes(), complained.Bytes())
	}
}

// starved has a call take most of a deadline of a processor's time.
func starved(t *testing.T) {
	turns, took := int32(1<<20), time.Duration(0)
	for ; took < 100*time.Millisecond; turns *= 2 {
		e := counting(t, turns, time.Minute)
		began := time.Now()
		if _, err := e.Step(core.Input{Kind: core.Tick}); err != nil {
			t.Fatal(err)
		}
		took = time.Since(began)
	}
	e := counting(t, turns/2, 2*took)
	fmt.Println("\n" + starvedEnv)
	if _, err := e.Step(core.Input{Kind: core.Tick}); err != nil {
		t.Fatal(err)
	}
}

// counting makes an engine whose tick counts to a number.
func counting(t *testing.T, turns int32, deadline time.Duration) *host.Engine {
	const getLocal, setLocal, add64, less64, branchIf = 0x20, 0x21, 0x7c, 0x53, 0x0d
	body := code(op(0x03, blockOfNothing), op(getLocal, 0), i64c(1), op(add64), op(setLocal, 0),
		op(getLocal, 0), i64c(int64(turns)), op(less64, branchIf, 0, opEnd))
	e, err := host.New(t.Context(), host.Config{Node: config("me"), Module: does("tick", body).bytes(), Deadline: deadline})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}
