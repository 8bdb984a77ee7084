//go:build unix

package host

import "golang.org/x/sys/unix"

// mayExecute says whether this process may run what it has written: systemd's MemoryDenyWriteExecute=,
// SELinux and the like keep it from that.
func mayExecute() bool {
	b, err := unix.Mmap(-1, 0, unix.Getpagesize(), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return false
	}
	defer unix.Munmap(b)
	return unix.Mprotect(b, unix.PROT_READ|unix.PROT_EXEC) == nil
}
