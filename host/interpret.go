package host

import (
	"runtime"
	"sync"

	"github.com/tetratelabs/wazero"
)

// compiles says whether modules are compiled to machine code here. Else they are interpreted, which
// is the same, and slower.
var compiles = sync.OnceValue(func() bool {
	return (runtime.GOARCH == "amd64" || runtime.GOARCH == "arm64") && mayExecute()
})

func newRuntimeConfig() wazero.RuntimeConfig {
	if compiles() {
		return wazero.NewRuntimeConfig()
	}
	return wazero.NewRuntimeConfigInterpreter()
}

// Interpreted says whether modules are interpreted, some thirty times as slow as compiled: there is no
// compiler for the machine, or this process may not run what it has written (as by systemd's MemoryDenyWriteExecute=).
func Interpreted() bool { return !compiles() }
