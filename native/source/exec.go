package source

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"
)

// program is a command, which the shell runs, whose output is a list like that of a file.
type program struct{ text, command string }

// Addresses implements Source. What the command leaves running with its output open ends with
// it: it is asked again and again, and would leave more each time.
func (p *program) Addresses(ctx context.Context) ([]string, error) {
	enough, cancel := context.WithCancel(ctx)
	defer cancel()
	cmd := shell(enough, p.command)
	out, says := short{most: mostText + 1, full: cancel}, short{most: 1 << 10}
	cmd.Stdout, cmd.Stderr = &out, &says
	cmd.WaitDelay = time.Second // for what it started, and left
	err := cmd.Run()
	switch {
	case ctx.Err() != nil:
		return nil, errors.New("the command did not end in time, and was killed")
	case len(out.kept) == out.most: // it was killed if it had more
	case errors.Is(err, exec.ErrWaitDelay):
		cmd.Cancel()
	case err != nil:
		why := strings.TrimSpace(string(says.kept))
		if i := strings.LastIndexByte(why, '\n'); i >= 0 {
			why = why[i+1:]
		}
		if why != "" {
			why = ": " + fmt.Sprintf("%.200q", why)
		}
		return nil, fmt.Errorf("the command failed: %w%s", err, why)
	}
	return listed(out.kept)
}

func (p *program) String() string { return p.text }

// Close implements Source.
func (p *program) Close() error { return nil }

// short keeps the beginning of what is written. It is no bytes.Buffer: that would read all of
// a pipe by itself.
type short struct {
	kept []byte
	most int
	full func() // told that there is no more room
}

// Write takes all, and keeps some.
func (s *short) Write(b []byte) (int, error) {
	s.kept = append(s.kept, b[:min(len(b), s.most-len(s.kept))]...)
	if len(s.kept) == s.most && s.full != nil {
		s.full()
	}
	return len(b), nil
}
