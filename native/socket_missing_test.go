package native

import (
	"errors"
	"net"
	"os"
	"testing"
)

// TestNoSockets: that a system has no Unix sockets is told from that nobody listens at one.
func TestNoSockets(t *testing.T) {
	for errno, want := range map[error]bool{errNoFamily: true, errRefused: false} {
		err := noSockets(&net.OpError{Op: "dial", Net: "unix", Err: os.NewSyscallError("socket", errno)})
		if got := errors.Is(err, ErrNoSockets); got != want || !errors.Is(err, errno) {
			t.Errorf("%v becomes %v", errno, err)
		}
	}
}
