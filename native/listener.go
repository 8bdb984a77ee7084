package native

import (
	"context"
	"errors"
	"fmt"
	"net"
)

func (n *Node) warnExposed(address string) {
	switch {
	case !n.cfg.Insecure:
	case n.cfg.locked():
		n.log.Warn("insecure: HTTP that is not encrypted is taken beyond loopback, tokens in it too: it has to come from a proxy that ends TLS, on a network that you trust", "address", address)
	default:
		n.log.Warn("insecure: whoever can reach this node can join, read and change its ring", "address", address)
	}
}

func (n *Node) listen(addr string) (net.Listener, error) {
	config := net.ListenConfig{Control: shortSegments}
	l, err := config.Listen(context.Background(), "tcp", addr)
	if err == nil {
		n.door = newDoor(l, n.cfg.Times.dialWithin(), n.cfg.MaxConnections+maxReaders, n.keeper.Server(), n.log, &n.rare)
		return n.door, nil
	}
	var op *net.OpError
	if errors.As(err, &op) {
		err = op.Err // the rest is said here
	}
	return nil, cannotListen(addr, err)
}

// cannotListen says what to do where the system gives no listener.
func cannotListen(addr string, err error) error {
	hint := ""
	switch {
	case IsInUse(err):
		err, hint = errInUse, ": stop the process that has it, or choose another (--listen)"
	case errors.Is(err, errNotHere), errors.Is(err, errNoFamily):
		hint = ": this host has no such address, or not yet, as an IPv6 one where there is no IPv6: choose one that it has (ip address), or :PORT for all of them (--listen)"
	case errors.Is(err, errNoAccess):
		hint = ": ports below 1024 are root's, mostly: choose another (--listen), or let the program have them (setcap cap_net_bind_service=+ep)"
	}
	return fmt.Errorf("cannot listen on %s: %w%s", addr, err, hint)
}
