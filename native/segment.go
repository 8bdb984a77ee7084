//go:build !windows

package native

import "syscall"

// A segment is no longer than fits into the shortest packet that each link of IPv6
// has to take, 1,280 bytes: many tunnels take no more than little above, and where
// nobody says so, or a firewall drops what says it, longer ones vanish for ever.
const maxSegment = 1280 - 60

// shortSegments has a socket send, and ask for, no longer segments. A system that
// does not let it goes on without.
func shortSegments(_, _ string, raw syscall.RawConn) error {
	return raw.Control(func(fd uintptr) {
		_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_MAXSEG, maxSegment)
	})
}
