package main

import (
	"context"
	"log/slog"
	"net"
	"os"
	"strconv"
	"time"

	"github.com/nanoring/nanoring/native"
)

// supervisor is who has started this process, and wants to be told how it is: systemd, by the protocol
// of sd_notify(3). Where there is none, nobody is told.
type supervisor struct {
	socket   string        // where it hears
	patience time.Duration // it ends a process that says nothing for so long; 0: it waits for ever
	log      *slog.Logger
}

// supervised finds the supervisor. The commands that a node runs have none: they would be taken for it.
func supervised(log *slog.Logger) *supervisor {
	s := &supervisor{socket: os.Getenv("NOTIFY_SOCKET"), log: log}
	usec, err := strconv.ParseInt(os.Getenv("WATCHDOG_USEC"), 10, 64)
	if pid := os.Getenv("WATCHDOG_PID"); err == nil && usec > 0 && s.socket != "" && (pid == "" || pid == strconv.Itoa(os.Getpid())) {
		s.patience = time.Duration(usec) * time.Microsecond
	}
	for _, name := range []string{"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"} {
		os.Unsetenv(name)
	}
	return s
}

// tell tells it something: lines of NAME=VALUE.
func (s *supervisor) tell(state string) {
	if s.socket == "" {
		return
	}
	c, err := net.Dial("unixgram", s.socket)
	if err == nil {
		c.SetDeadline(time.Now().Add(sayTime))
		_, err = c.Write([]byte(state))
		c.Close()
	}
	if err != nil {
		s.log.Warn("the supervisor cannot be told how this node is, and will perhaps end it: see that NOTIFY_SOCKET is one that it reads", "state", state, "err", err)
	}
}

// watch tells it, again and again until the node ends, that the node's engine goes on: a node whose engine
// does nothing any more is to be started again.
func (s *supervisor) watch(ctx context.Context, node *native.Node) {
	if s.patience == 0 {
		return
	}
	often := time.NewTicker(s.patience / 4)
	defer often.Stop()
	for {
		if _, err := node.Engine(ctx); err != nil { // it is the engine's goroutine that answers
			return
		}
		s.tell("WATCHDOG=1")
		select {
		case <-often.C:
		case <-ctx.Done():
			return
		}
	}
}
