package native

import (
	"net"
	"os"
	"syscall"
	"testing"
)

// full is a listener for whose connections there are no file descriptors, for a while.
type full struct {
	net.Listener
	times int
	over  chan struct{}
}

func (f *full) Accept() (net.Conn, error) {
	if f.times--; f.times < 0 {
		close(f.over)
		return nil, net.ErrClosed
	}
	return nil, &net.OpError{Op: "accept", Net: "tcp", Err: os.NewSyscallError("accept4", syscall.EMFILE)}
}

func (f *full) Close() error { return nil }

// TestNoFiles: it is tried again, and there is a line a minute, of accepting and dialling
// together.
func TestNoFiles(t *testing.T) {
	log, rare := new(logged), new(rarely)
	l := &full{times: 4, over: make(chan struct{})}
	d := newDoor(l, Times{}.dialWithin(), defaultConnections, nil, log.logger(), rare)
	defer d.Close()
	<-l.over
	if !sayNoFiles(log.logger(), rare, &net.OpError{Op: "dial", Err: os.NewSyscallError("socket", syscall.ENFILE)}) || sayNoFiles(log.logger(), rare, net.ErrClosed) {
		t.Error("it takes one for the other")
	}
	if got := log.count("level="); got != 1 || log.count("no file descriptors are left") != 1 {
		t.Errorf("%d lines:\n%s", got, log.b.String())
	}
}
