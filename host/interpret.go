package host

import (
	"runtime"
	"sync"

	"golang.org/x/sys/cpu"
)

// Interpreted says whether modules are interpreted here, several times as slow as compiled: there is no compiler for
// the machine, or this process may not run what it has written (systemd's MemoryDenyWriteExecute= and the like). wazero
// decides by the same.
func Interpreted() bool { return !compiles() }

var compiles = sync.OnceValue(func() bool {
	return (runtime.GOARCH == "arm64" || runtime.GOARCH == "amd64" && cpu.X86.HasSSE41) && mayExecute()
})
