package native

import (
	"errors"
	"net"
	"os"
	"sync"
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

// stranger is who has dialled a door, and says nothing.
func stranger(t *testing.T, d *door) (inside func() bool) {
	t.Helper()
	s := from("192.0.2.1")
	d.enter(s)
	return func() bool { return s.closed.Load() == 0 }
}

// TestNoFilesAtTheDoor: who cannot accept a connection there for want of a file closes a stranger's.
func TestNoFilesAtTheDoor(t *testing.T) {
	d := closedDoor(t)
	inside := stranger(t, d)
	d.closed, d.once = make(chan struct{}), sync.Once{} // open once more, where there are no files
	d.Listener = &full{times: 1, over: make(chan struct{})}
	d.accept()
	if inside() {
		t.Error("there is no room for the next one")
	}
}

// TestNoFilesAtTheSocket: the operator's connection is taken all the same, in the place of a stranger's at the
// door, which itself has nobody to accept.
func TestNoFilesAtTheSocket(t *testing.T) {
	d := closedDoor(t)
	inside := stranger(t, d)
	l := insistent{&full{times: 2, over: make(chan struct{})}, d}
	if _, err := l.Accept(); !areNoFiles(err) || inside() { // the second time there is no stranger left
		t.Errorf("%v; the stranger is inside: %t", err, inside())
	}
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
}
