package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// untilStopped returns a context that ends when the process is told to stop. A
// second Ctrl-C or SIGTERM is not caught; SIGHUP is, since a terminal that closes
// may send several. Whoever ignores SIGHUP (nohup) goes on doing so. Without hup
// SIGHUP is the caller's: see hangups.
func untilStopped(ctx context.Context, hup bool) (context.Context, context.CancelFunc) {
	stop := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if hup && !signal.Ignored(syscall.SIGHUP) {
		stop = append(stop, syscall.SIGHUP)
		signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP)
	}
	ctx, release := signal.NotifyContext(ctx, stop...)
	context.AfterFunc(ctx, release)
	return ctx, release
}

// hangups returns what tells of each SIGHUP, unless that is ignored (nohup), and whether there
// is a terminal now. When that closes its programs are told so by SIGHUP; whoever else
// sends one wants something read again.
func hangups() (c chan os.Signal, onTerminal bool) {
	c = make(chan os.Signal, 1)
	if !signal.Ignored(syscall.SIGHUP) {
		signal.Notify(c, syscall.SIGHUP)
	}
	return c, hasTerminal()
}

// hasTerminal says whether this process has a terminal that is open.
func hasTerminal() bool {
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		return false
	}
	tty.Close()
	return true
}
