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
// SIGHUP is the caller's.
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
