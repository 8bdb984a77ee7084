package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

const setPipeSize = 1031 // F_SETPIPE_SZ

// TestNobodyReadsTheLog: a node whose output nobody reads goes on, also when who read it is
// gone, says what was lost, and ends when it is told to.
func TestNobodyReadsTheLog(t *testing.T) {
	t.Parallel()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, _, errno := syscall.Syscall(syscall.SYS_FCNTL, w.Fd(), setPipeSize, 4096); errno != 0 {
		t.Fatal(errno)
	}
	data := filepath.Join(t.TempDir(), "dev1")
	cmd := exec.Command("nanoring", "node", "--name", "dev1", "--listen", "127.0.0.1:0", "--data", data)
	cmd.Stdout, cmd.Stderr = w, w
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	defer cmd.Process.Kill()
	w.Close()
	c := socketClient(data)
	until := func(what string, holds func(status) bool) {
		t.Helper()
		for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
			s, err := c.status(t.Context())
			if err == nil && holds(s) {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("%s: %+v, %v", what, s, err)
			}
		}
	}
	until("it starts", func(status) bool { return true })
	add := func(from int) {
		t.Helper()
		for i := from; i < from+60; i++ { // a line each, of 100 bytes and more
			if _, err := c.add(t.Context(), fmt.Sprint("more", i), "127.0.0.1:1"); err != nil {
				t.Fatal(err)
			}
		}
	}
	add(0)
	until("all are added", func(s status) bool { return s.Members == 61 })
	r.Close()
	until("what cannot be written is counted", func(s status) bool { return s.LogLost > 0 })
	add(60)
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(patience):
		t.Error("it does not end")
	}
}
