package source

import (
	"context"
	"os/exec"
	"syscall"
)

// shell has a command be run. Killed, it leaves what it has started.
func shell(ctx context.Context, command string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "cmd.exe")
	cmd.SysProcAttr = &syscall.SysProcAttr{CmdLine: `cmd.exe /d /v:on /s /c "` + command + `"`}
	return cmd
}
