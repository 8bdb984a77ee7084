package main

import (
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
	"time"
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

// TestSecretByAPipe: a node whose secret is a pipe, to which nobody writes, ends when it is told to.
func TestSecretByAPipe(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe")
	if err := mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	node := exec.Command("nanoring", "node", "--name", "dev1", "--listen", "127.0.0.1:0", "--data", filepath.Join(dir, "data"), "--secret-file", pipe)
	if err := node.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- node.Wait() }()
	defer node.Process.Kill()
	var writer *os.File
	eventually(t, "the node reads its secret", func() bool {
		var err error
		writer, err = os.OpenFile(pipe, os.O_WRONLY|syscall.O_NONBLOCK, 0)
		return err == nil
	})
	defer writer.Close()
	node.Process.Signal(syscall.SIGTERM)
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(patience):
		t.Error("it does not end")
	}
}
