package source

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"
)

// program is a command, which the shell runs, whose output is a list like that of a file.
type program struct{ text, command string }

// Addresses implements Source.
func (p *program) Addresses(ctx context.Context) ([]string, error) {
	cmd := exec.CommandContext(ctx, "sh", "-c", p.command)
	ownGroup(cmd)
	var out, says short
	out.most, says.most = mostText+1, 1<<10
	cmd.Stdout, cmd.Stderr = &out, &says
	cmd.WaitDelay = time.Second // for what it started, and left
	err := cmd.Run()
	switch {
	case ctx.Err() != nil:
		return nil, errors.New("the command did not end in time, and was killed")
	case err != nil:
		why := strings.TrimSpace(says.String())
		if i := strings.LastIndexByte(why, '\n'); i >= 0 {
			why = why[i+1:]
		}
		if why != "" {
			why = ": " + fmt.Sprintf("%.200q", why)
		}
		return nil, fmt.Errorf("the command failed: %w%s", err, why)
	}
	return listed(out.Bytes())
}

func (p *program) String() string { return p.text }

// Close implements Source.
func (p *program) Close() error { return nil }

// short keeps the beginning of what is written.
type short struct {
	bytes.Buffer
	most int
}

// Write takes all, and keeps some.
func (s *short) Write(b []byte) (int, error) {
	if room := s.most - s.Len(); room > 0 {
		s.Buffer.Write(b[:min(room, len(b))])
	}
	return len(b), nil
}
