package main

import (
	"os/signal"
	"syscall"
	"testing"
)

// Whoever starts a node with nohup wants it to outlive the terminal.
func TestNohup(t *testing.T) {
	signal.Ignore(syscall.SIGHUP)
	defer signal.Reset(syscall.SIGHUP)
	_, release := untilStopped(t.Context())
	defer release()
	if !signal.Ignored(syscall.SIGHUP) {
		t.Error("SIGHUP is not ignored any more")
	}
}
