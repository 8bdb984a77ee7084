//go:build unix

package main

import (
	"context"
	"os"
	"os/exec"
	"syscall"
)

// shell has a command be run, and be killed with all that it has started.
func shell(ctx context.Context, command string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "/bin/sh", "-c", command)
	cmd.SysProcAttr = childAttr()
	cmd.Cancel = func() error {
		if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL); err != syscall.ESRCH {
			return err
		}
		return os.ErrProcessDone
	}
	return cmd
}

// endChild has a child with a group of its own end, as Ctrl-C would.
func endChild(p *os.Process) error { return p.Signal(syscall.SIGTERM) }
