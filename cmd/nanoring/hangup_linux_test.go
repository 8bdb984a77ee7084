package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

// terminal opens a terminal, and what is on its other side.
func terminal(t *testing.T) (other, tty *os.File) {
	t.Helper()
	other, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	ask := func(what uintptr, n *int32) {
		if _, _, err := syscall.Syscall(syscall.SYS_IOCTL, other.Fd(), what, uintptr(unsafe.Pointer(n))); err != 0 {
			t.Fatal(err)
		}
	}
	var locked, number int32
	ask(syscall.TIOCSPTLCK, &locked)
	ask(syscall.TIOCGPTN, &number)
	if tty, err = os.OpenFile(fmt.Sprint("/dev/pts/", number), os.O_RDWR|syscall.O_NOCTTY, 0); err != nil {
		t.Fatal(err)
	}
	return other, tty
}

// TestHangup: a node ends when its terminal closes. SIGHUP alone has it read its settings again,
// on a terminal or not.
func TestHangup(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	other, tty := terminal(t)
	cmd := exec.Command("nanoring", "node", "--name", "dev1", "--listen", "127.0.0.1:0", "--data", filepath.Join(dir, "dev1"))
	cmd.Stdin = tty
	var out lockedBuffer
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	tty.Close()
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	says := func(text string) {
		t.Helper()
		for deadline := time.Now().Add(patience); !strings.Contains(out.String(), text); time.Sleep(10 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("it does not say %q:\n%s", text, out.String())
			}
		}
	}
	says("dev1 runs in ring")
	cmd.Process.Signal(syscall.SIGHUP)
	says("read again")
	other.Close()
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("%v:\n%s", err, out.String())
		}
	case <-time.After(patience):
		cmd.Process.Kill()
		t.Errorf("it outlives its terminal:\n%s", out.String())
	}
}

// TestUnderNohup: the tests themselves may be run by nohup.
func TestUnderNohup(t *testing.T) {
	t.Parallel()
	test := exec.Command("sh", "-c", `trap "" HUP; exec "$0" -test.run='^TestHangup$' -test.v`, os.Args[0])
	test.Env = append(os.Environ(), watchedEnv+"=")
	if out, err := test.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS: TestHangup") {
		t.Errorf("%v:\n%s", err, out)
	}
}
