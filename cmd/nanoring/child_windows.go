package main

import (
	"context"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/windows"
)

// childAttr keeps the console's Ctrl-C to this program, which stops its children in order.
func childAttr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{CreationFlags: windows.CREATE_NEW_PROCESS_GROUP}
}

// shell has a command be run. Killed, it leaves what it has started. By /v:on a command has what
// others said as !NANORING_FROM!: cmd.exe would run what stands in the value of %NANORING_FROM%.
func shell(ctx context.Context, command string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "cmd.exe")
	cmd.SysProcAttr = childAttr()
	cmd.SysProcAttr.CmdLine = `cmd.exe /d /v:on /s /c "` + command + `"`
	return cmd
}

// endChild has a child with a group of its own end, as Ctrl-C would.
func endChild(p *os.Process) error {
	return windows.GenerateConsoleCtrlEvent(windows.CTRL_BREAK_EVENT, uint32(p.Pid))
}
