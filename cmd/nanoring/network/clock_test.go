//go:build linux

package network

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/spf13/pflag"

	"github.com/nanoring/nanoring/native"
)

// clocked is set in a process that is a node with a clock of its own, which
// SIGUSR1 sets an hour forth and SIGUSR2 right.
const clocked = "NANORING_NETWORK_CLOCK"

func runClocked() int {
	var cfg native.Config
	flags := pflag.NewFlagSet("node", pflag.ContinueOnError)
	flags.StringVar(&cfg.Name, "name", "", "")
	flags.StringVar(&cfg.Listen, "listen", "", "")
	flags.StringVar(&cfg.Data, "data", "", "")
	flags.StringSliceVar(&cfg.Join, "join", nil, "")
	flags.BoolVar(&cfg.Insecure, "insecure", false, "")
	page := flags.Bool("page", false, "")
	if err := flags.Parse(os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	cfg.NoPage = !*page
	cfg.Log = slog.New(slog.NewTextHandler(os.Stderr, nil))
	var ahead atomic.Int64
	cfg.Clock = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	set := make(chan os.Signal, 1)
	signal.Notify(set, syscall.SIGUSR1, syscall.SIGUSR2)
	go func() {
		for s := range set {
			ahead.Store(0)
			if s == syscall.SIGUSR1 {
				ahead.Store(int64(time.Hour))
			}
		}
	}()
	n, err := native.Start(context.Background(), cfg)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	<-n.Done()
	return 0
}

// startClocked starts a node that has a clock of its own.
func (n *network) startClocked(h *host, flags ...string) {
	n.t.Helper()
	self, err := os.Executable()
	if err != nil {
		n.t.Fatal(err)
	}
	n.startWith(h, []string{self}, []string{clocked + "=1"}, flags...)
}

// anHourAhead sets the clock of a host's node an hour forth, right sets it back.
func (h *host) anHourAhead() { h.node.cmd.Process.Signal(syscall.SIGUSR1) }
func (h *host) right()       { h.node.cmd.Process.Signal(syscall.SIGUSR2) }
