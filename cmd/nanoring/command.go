package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/nanoring/nanoring/core/wire"
)

const (
	mostErrorText = 512         // bytes of what a command writes to its standard error
	leftOpen      = time.Second // for what a command has left running to let go of its output
)

// runCommand runs a command by the shell, with a payload as its standard input, and
// returns what it prints: 8 KiB at most. When ctx ends, or it prints more, it is killed,
// with all that it has started.
func runCommand(ctx context.Context, command string, env []string, payload []byte) ([]byte, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	out, said := &bounded{most: wire.MaxPayload, full: cancel}, &bounded{most: mostErrorText}
	cmd := shell(ctx, command)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(payload), out, said
	cmd.WaitDelay = leftOpen
	err := cmd.Run()
	switch text := strings.TrimSpace(string(said.kept)); {
	case out.over:
		return nil, fmt.Errorf("the command printed more than %d bytes", wire.MaxPayload)
	case errors.Is(err, exec.ErrWaitDelay): // it is done, and has left something running
	case err != nil && text != "":
		return nil, fmt.Errorf("%w: %s", err, strings.ToValidUTF8(text, "?"))
	case err != nil:
		return nil, err
	}
	return out.kept, nil
}

// bounded keeps the first bytes of what is written.
type bounded struct {
	kept []byte
	most int
	over bool
	full func() // told that there are more
}

func (b *bounded) Write(p []byte) (int, error) {
	kept := p[:min(len(p), b.most-len(b.kept))]
	b.kept = append(b.kept, kept...)
	if len(kept) < len(p) && !b.over {
		b.over = true
		if b.full != nil {
			b.full()
		}
	}
	return len(p), nil
}
