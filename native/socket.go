package native

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/nanoring/nanoring/native/disk"
)

const (
	socketName = "api.sock"

	// A Unix socket's address has room for 104 to 108 bytes, by system.
	maxSocketPath = 103
)

// DialSocket connects to the Unix socket of the node that runs in a data folder,
// on which it serves its HTTP API. The folder's path may be of any length.
func DialSocket(ctx context.Context, data string) (net.Conn, error) {
	path, done, err := socketPath(filepath.Join(data, socketName))
	if err != nil {
		return nil, err
	}
	defer done()
	conn, err := new(net.Dialer).DialContext(ctx, "unix", path)
	if err != nil {
		return nil, noSockets(err)
	}
	return conn, nil
}

// noSockets says of an error that it is the system that has no Unix sockets, if so it is.
func noSockets(err error) error {
	if errors.Is(err, errNoFamily) {
		return fmt.Errorf("%w: %w", ErrNoSockets, err)
	}
	return err
}

// socketFile returns where the node's own is.
func (n *Node) socketFile() string { return filepath.Join(n.folder.Dir(), socketName) }

// listenSocket listens on the Unix socket at path, for this user alone. The data folder's lock is
// held: a socket that is there already is a dead one.
func listenSocket(path string) (net.Listener, error) {
	fail := func(err error) (net.Listener, error) {
		err = fmt.Errorf("cannot listen on the Unix socket %s: %w", path, err)
		if hint := disk.Hint(err); hint != "" {
			err = fmt.Errorf("%w: %s", err, hint)
		}
		return nil, err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fail(err)
	}
	l, err := listenPrivately(path)
	if err != nil {
		return fail(err)
	}
	return l, nil
}

// insistent is the listener of the Unix socket: when there are no file descriptors left, strangers
// at the door make room for the operator.
type insistent struct {
	net.Listener
	door *door // nil if nothing else is listened on
}

// Accept returns the next connection.
func (l insistent) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err == nil || l.door == nil || !areNoFiles(err) || !l.door.makeRoom() {
			return c, err
		}
		time.Sleep(time.Millisecond) // until it is closed
	}
}

// socketPath returns a path to a socket that is short enough to be an address:
// path itself, or one through a symbolic link that lasts until done is called.
func socketPath(path string) (short string, done func(), err error) {
	if len(path) <= maxSocketPath {
		return path, func() {}, nil
	}
	dir, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return "", nil, err
	}
	tmp, err := os.MkdirTemp("", "nanoring-")
	if err != nil {
		return "", nil, err
	}
	link := filepath.Join(tmp, "d")
	if err := os.Symlink(dir, link); err != nil {
		os.RemoveAll(tmp)
		return "", nil, err
	}
	return filepath.Join(link, filepath.Base(path)), func() { os.RemoveAll(tmp) }, nil
}
