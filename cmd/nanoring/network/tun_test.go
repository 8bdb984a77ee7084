//go:build linux

package network

import (
	"fmt"
	"net/netip"
	"os"
	"syscall"
	"unsafe"
)

// openTun makes a network device whose packets are read and written as a file.
func openTun(name string) (*os.File, error) {
	fd, err := syscall.Open("/dev/net/tun", syscall.O_RDWR|syscall.O_CLOEXEC|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: "/dev/net/tun", Err: err}
	}
	var req struct { // struct ifreq
		name  [syscall.IFNAMSIZ]byte
		flags uint16
		_     [22]byte
	}
	copy(req.name[:], name)
	req.flags = syscall.IFF_TUN | syscall.IFF_NO_PI
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, uintptr(fd), syscall.TUNSETIFF, uintptr(unsafe.Pointer(&req))); errno != 0 {
		syscall.Close(fd)
		return nil, fmt.Errorf("a TUN device cannot be made: %w", errno)
	}
	return os.NewFile(uintptr(fd), "/dev/net/tun"), nil
}

// parse returns the bytes of an address, as they stand in a packet.
func parse(addr string) []byte {
	b := netip.MustParseAddr(addr).As4()
	return b[:]
}
