package native

import (
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
)

// TestSocketAtEveryMoment: nobody else may connect to the socket, not while it is made either.
func TestSocketAtEveryMoment(t *testing.T) {
	before := syscall.Umask(0)
	defer syscall.Umask(before)
	dir := t.TempDir()
	path := filepath.Join(dir, socketName)
	stop, open := make(chan struct{}), make(chan os.FileMode, 1)
	var watches sync.WaitGroup
	watches.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			if info, err := os.Lstat(path); err == nil && info.Mode().Perm()&0o077 != 0 {
				select {
				case open <- info.Mode():
				default:
				}
			}
		}
	})
	for range 500 {
		l, err := listenSocket(path)
		if err != nil {
			t.Fatal(err)
		}
		l.Close()
	}
	close(stop)
	watches.Wait()
	select {
	case mode := <-open:
		t.Errorf("it was %s for a moment", mode)
	default:
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
}
