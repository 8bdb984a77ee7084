package disk

import "golang.org/x/sys/windows"

// How the system says what is wrong with a disk: syscall has other numbers by the usual names.
const (
	errFull     = windows.ERROR_DISK_FULL
	errQuota    = windows.ERROR_DISK_QUOTA_EXCEEDED
	errReadOnly = windows.ERROR_WRITE_PROTECT
	errNoFolder = windows.ERROR_DIRECTORY
	errFailing  = windows.ERROR_IO_DEVICE
)
