package native

import "golang.org/x/sys/windows"

// How the system's sockets say what is wrong with an address: syscall has other numbers by the usual names.
const (
	errRefused  = windows.WSAECONNREFUSED
	errInUse    = windows.WSAEADDRINUSE
	errNotHere  = windows.WSAEADDRNOTAVAIL
	errNoFamily = windows.WSAEAFNOSUPPORT
	errNoHost   = windows.WSAEHOSTUNREACH
	errNoNet    = windows.WSAENETUNREACH
	errNoAccess = windows.WSAEACCES
)
