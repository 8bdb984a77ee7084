package main

import (
	"os"
	"os/signal"
	"syscall"
	"time"
)

const sayTime = 3 * time.Second // for what a node says, and for its last lines of the log

// say prints, and waits for that no longer than a moment: a node runs, and ends, whether or
// not somebody reads what it prints.
func say(print func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		print()
	}()
	select {
	case <-done:
	case <-time.After(sayTime):
	}
}

// outliveReaders has the process go on when whoever read its output is gone: what it writes
// is lost then. (To ignore SIGPIPE would have the commands that it runs ignore it, too.)
func outliveReaders() { signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) }
