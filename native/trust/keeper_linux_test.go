package trust

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// TestPipe: a secret that comes by a pipe is read once; the keeper never waits for another.
func TestPipe(t *testing.T) {
	secret, file := NewSecret(), filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(file, 0o600); err != nil {
		t.Fatal(err)
	}
	go os.WriteFile(file, []byte(secret), 0o600)
	k, err := NewKeeper(Config{Name: "dev1", SecretFile: file})
	if err != nil {
		t.Fatal(err)
	}
	again := make(chan error, 1)
	go func() {
		_, err := k.Refresh(true) // with new certificates
		again <- errors.Join(err, k.Check())
	}()
	select {
	case err = <-again:
	case <-time.After(30 * time.Second):
		t.Fatal("it waits for another secret")
	}
	if err != nil || !k.Now().Believes(secretOf(t, secret).ID()) {
		t.Errorf("it has lost its secret: %v", err)
	}
}
