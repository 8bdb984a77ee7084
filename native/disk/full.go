//go:build !windows

package disk

import "syscall"

// How the system says what is wrong with a disk.
const (
	errFull     = syscall.ENOSPC
	errQuota    = syscall.EDQUOT
	errReadOnly = syscall.EROFS
	errNoFolder = syscall.ENOTDIR
	errFailing  = syscall.EIO
)
