// Command wasm is the core as one WebAssembly module: a WASI reactor that any
// host can drive, whatever it is written in. docs/abi.md says how; wasm/module
// has it built, which is done by
//
//	make module
//
// Everything here is the shell around core.Ring: inputs come in as calls with
// numbers and strings (input.go), effects go out as calls of the host's
// functions (effect.go), events among them as JSON (event.go). What the module
// links is small on purpose: no fmt, time, reflect or encoding/json.
package main

func main() {} // a reactor: its host calls what is exported
