package native

import (
	"errors"
	"net"
	"sync"

	"golang.org/x/sys/windows"
)

// listenPrivately makes a socket, which those may reach who may reach the folder. Before Windows 10
// of 1803 there are none: nobody connects then, and a node is reached by its port alone.
func listenPrivately(path string) (net.Listener, error) {
	short, done, err := socketPath(path)
	if err != nil {
		return nil, err
	}
	defer done()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: short, Net: "unix"})
	if errors.Is(err, windows.WSAEAFNOSUPPORT) {
		return &noListener{ended: make(chan struct{})}, nil
	}
	if err != nil {
		return nil, err
	}
	l.SetUnlinkOnClose(false)
	return l, nil
}

// noListener is a listener to which nobody connects.
type noListener struct {
	once  sync.Once
	ended chan struct{}
}

func (l *noListener) Accept() (net.Conn, error) {
	<-l.ended
	return nil, net.ErrClosed
}

func (l *noListener) Close() error {
	l.once.Do(func() { close(l.ended) })
	return nil
}

func (l *noListener) Addr() net.Addr { return &net.UnixAddr{Net: "unix"} }
