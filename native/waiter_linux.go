package native

import (
	"os"
	"sync"
	"syscall"
	"time"
)

// A waiter waits for all connections of a node on which nothing comes, by one goroutine: with
// one for each, their stacks would be half of what an idle node needs.
type waiter struct {
	fd    int
	epoll *os.File // the same, which Go's own poller waits for
	raw   syscall.RawConn
	done  chan struct{}

	mu    sync.Mutex
	conns map[[2]int32]*conn // that wait
}

// polled is what a waiter knows of a connection.
type polled struct {
	raw   syscall.RawConn
	added bool
}

// newWaiter returns a waiter; nil if there can be none, as when there are no file descriptors left.
func newWaiter() *waiter {
	fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return nil
	}
	syscall.SetNonblock(fd, true)
	w := &waiter{fd: fd, epoll: os.NewFile(uintptr(fd), "epoll"), done: make(chan struct{}), conns: make(map[[2]int32]*conn)}
	if w.raw, err = w.epoll.SyscallConn(); err == nil {
		err = w.epoll.SetReadDeadline(time.Time{}) // which says whether it can be waited for
	}
	if err != nil {
		w.epoll.Close()
		return nil
	}
	go w.run()
	return w
}

// close ends it, when no connection waits any more.
func (w *waiter) close() {
	if w != nil {
		w.epoll.Close()
		<-w.done
	}
}

// run is the waiter's goroutine.
func (w *waiter) run() {
	defer close(w.done)
	events := make([]syscall.EpollEvent, 16)
	w.raw.Read(func(fd uintptr) bool {
		for {
			n, err := syscall.EpollWait(int(fd), events, 0)
			for i := range max(n, 0) {
				key := [2]int32{events[i].Fd, events[i].Pad}
				w.mu.Lock()
				c := w.conns[key]
				delete(w.conns, key)
				w.mu.Unlock()
				if c != nil {
					c.resume()
				}
			}
			if n < len(events) && err != syscall.EINTR {
				return false // Read waits for others, and calls this again
			}
		}
	})
}

// wait has c resumed once when something comes, or it ends, and says whether it will be. Of
// a connection that is closed here nobody is told.
func (w *waiter) wait(c *conn) bool {
	key := [2]int32{int32(c.id), int32(c.id >> 32)}
	w.mu.Lock()
	w.conns[key] = c
	w.mu.Unlock()
	op := syscall.EPOLL_CTL_ADD
	if c.fd.added {
		op = syscall.EPOLL_CTL_MOD
	}
	err := c.fd.raw.Control(func(fd uintptr) {
		e := syscall.EpollEvent{Events: syscall.EPOLLIN | syscall.EPOLLRDHUP | syscall.EPOLLONESHOT, Fd: key[0], Pad: key[1]}
		c.fd.added = syscall.EpollCtl(w.fd, op, int(fd), &e) == nil
	})
	if err != nil || !c.fd.added {
		w.forget(c)
		return false
	}
	return true
}

// forget is for a connection that waits no more.
func (w *waiter) forget(c *conn) {
	w.mu.Lock()
	delete(w.conns, [2]int32{int32(c.id), int32(c.id >> 32)})
	w.mu.Unlock()
}
