package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// child is a node of the demo: a process of this same program.
type child struct {
	name, address, data string

	client  *client
	process *os.Process
	ended   chan struct{} // closed when the process has ended
	state   *os.ProcessState
}

func startChild(name, address, data string) (*child, error) {
	log, err := os.Create(data + ".log")
	if err != nil {
		return nil, err
	}
	defer log.Close()
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self, "node", "--name", name, "--listen", address, "--data", data)
	cmd.Args[0] = os.Args[0]
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "NANORING_") })
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = childAttr()
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	c := &child{name: name, address: address, data: data, client: socketClient(data), process: cmd.Process, ended: make(chan struct{})}
	go func() {
		cmd.Wait()
		c.state = cmd.ProcessState
		close(c.ended)
	}()
	return c, nil
}

func (c *child) running() bool {
	select {
	case <-c.ended:
		return false
	default:
		return true
	}
}

// waitReady waits until the node answers.
func (c *child) waitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	for ticker := time.NewTicker(20 * time.Millisecond); ; {
		if _, err := c.client.status(ctx); err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s does not answer; see its log, %s.log", c.name, c.data)
		case <-c.ended:
			return c.failed()
		case <-ticker.C:
		}
	}
}

// failed makes an error of the last line that the node has logged.
func (c *child) failed() error {
	b, _ := os.ReadFile(c.data + ".log")
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	i := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, "nanoring: ") })
	if i < 0 {
		return fmt.Errorf("%s has ended (%s); see its log, %s.log", c.name, c.state, c.data)
	}
	return errors.New(c.name + ": " + strings.TrimPrefix(strings.Join(lines[i:], "\n"), "nanoring: "))
}
