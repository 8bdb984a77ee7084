//go:build linux || darwin || freebsd

package native

import "syscall"

// diskFree is how many bytes may be written where a folder is; 0 for unknown.
func diskFree(folder string) uint64 {
	var s syscall.Statfs_t
	if syscall.Statfs(folder, &s) != nil {
		return 0
	}
	return uint64(s.Bavail) * uint64(s.Bsize)
}
