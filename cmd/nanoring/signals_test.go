package main

import (
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"
)

// Whoever starts a node with nohup wants it to outlive the terminal. What is
// ignored is ignored by the whole process and its children, so this is one of its own.
func TestNohup(t *testing.T) {
	if os.Getenv("TEST_NOHUP") == "" {
		test := exec.Command(os.Args[0], "-test.run=^TestNohup$")
		test.Env = append(os.Environ(), "TEST_NOHUP=1")
		if out, err := test.CombinedOutput(); err != nil {
			t.Errorf("%v:\n%s", err, out)
		}
		return
	}
	signal.Ignore(syscall.SIGHUP)
	_, release := untilStopped(t.Context(), true)
	defer release()
	hangups()
	if !signal.Ignored(syscall.SIGHUP) {
		t.Error("SIGHUP is not ignored any more")
	}
}
