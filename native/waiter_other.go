//go:build !linux

package native

import "syscall"

// A waiter is for systems that tell of what comes without a goroutine for each connection in a
// way that was tested: elsewhere the readers wait themselves.
type waiter struct{}

type polled struct{ raw syscall.RawConn }

func newWaiter() *waiter { return nil }

func (w *waiter) close()            {}
func (w *waiter) wait(c *conn) bool { return false }
func (w *waiter) forget(c *conn)    {}
