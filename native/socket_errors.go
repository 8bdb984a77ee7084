//go:build !windows

package native

import "syscall"

// How the system's sockets say what is wrong with an address.
const (
	errRefused  = syscall.ECONNREFUSED
	errInUse    = syscall.EADDRINUSE
	errNotHere  = syscall.EADDRNOTAVAIL
	errNoFamily = syscall.EAFNOSUPPORT
	errNoHost   = syscall.EHOSTUNREACH
	errNoNet    = syscall.ENETUNREACH
	errNoAccess = syscall.EACCES
)
