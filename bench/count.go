package main

import (
	"net"
	"sync/atomic"
	"syscall"
)

// Bytes are counted as payload: what is written to and read from a socket,
// handshakes included, headers of TCP, UDP and IP not. Each byte is counted
// once, so that all bytes by the number of nodes are what one node sends: of a
// connection both directions at one of its ends (at NanoRing the end that
// accepts, since its dials cannot be reached from outside; at memberlist the end
// that dials), of a datagram where it is sent.

// countedConn counts both directions of a connection.
type countedConn struct {
	net.Conn
	bytes *atomic.Int64
}

func (c countedConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.bytes.Add(int64(n))
	return n, err
}

func (c countedConn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.bytes.Add(int64(n))
	return n, err
}

// SyscallConn lets who reads it wait for something to come, as it could with the connection itself.
func (c countedConn) SyscallConn() (syscall.RawConn, error) {
	return c.Conn.(syscall.Conn).SyscallConn()
}

// countedListener counts on all connections that it accepts.
type countedListener struct {
	net.Listener
	bytes *atomic.Int64
}

func (l countedListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return countedConn{c, l.bytes}, nil
}
