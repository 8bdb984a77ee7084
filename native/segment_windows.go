package native

import "syscall"

// shortSegments has no say: Windows finds out by itself how long packets may be.
func shortSegments(_, _ string, _ syscall.RawConn) error { return nil }
