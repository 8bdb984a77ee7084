package host_test

import (
	"encoding/binary"

	"github.com/nanoring/nanoring/host"
)

// Instructions, as far as hostile modules need them.
const (
	opUnreachable  = 0x00
	opLoop         = 0x03 // followed by emptyBlock
	opEnd          = 0x0b
	opBr           = 0x0c
	opCall         = 0x10
	opDrop         = 0x1a
	opI32Store     = 0x36
	opMemoryGrow   = 0x40 // followed by 0
	opI32Const     = 0x41
	opI64Const     = 0x42
	blockOfNothing = 0x40

	typeI32 = 0x7f
	typeI64 = 0x7e
)

// assembly is a module that says yes to everything, except for what is changed in it.
type assembly struct {
	imports []importedFunction
	bodies  map[string][]byte // by export; none: zeros are returned
	leave   string            // an export that it does not have
	retype  string            // one that takes something else
	also    []string          // more exports, of functions that take and return nothing
	global  bool              // it imports a global
	memory  []byte            // limits; default 2 pages at least
	hidden  bool              // the memory is not exported
	start   bool              // its first function, "abi", is its start section's
	table   []byte            // limits
	locals  uint64            // of each function
}

type importedFunction struct {
	from, name      string
	params, results []byte
}

// imported is an import as the ABI has it.
func imported(from, name string) importedFunction {
	params, results := host.Import(from, name)
	return importedFunction{from, name, params, results}
}

func effect(name string) importedFunction { return imported("nanoring", name) }

func wasi(name string) importedFunction { return imported("wasi_snapshot_preview1", name) }

// code makes a function's body.
func code(parts ...[]byte) []byte {
	var b []byte
	for _, p := range parts {
		b = append(b, p...)
	}
	return b
}

func op(b ...byte) []byte { return b }

func i32c(v int32) []byte { return signed(op(opI32Const), int64(v)) }

func i64c(v int64) []byte { return signed(op(opI64Const), v) }

// forever repeats a body that leaves nothing.
func forever(body ...[]byte) []byte {
	return code(op(opLoop, blockOfNothing), code(body...), op(opBr, 0, opEnd))
}

func signed(b []byte, v int64) []byte {
	for {
		c := byte(v & 0x7f)
		v >>= 7
		if v == 0 && c&0x40 == 0 || v == -1 && c&0x40 != 0 {
			return append(b, c)
		}
		b = append(b, c|0x80)
	}
}

func text(s string) []byte { return append(binary.AppendUvarint(nil, uint64(len(s))), s...) }

// vector is a section's list of items.
func vector(items [][]byte) []byte {
	return append(binary.AppendUvarint(nil, uint64(len(items))), code(items...)...)
}

// bytes returns the module's binary.
func (a assembly) bytes() []byte {
	var types, imports, functions, exports, bodies [][]byte
	typeOf := func(params, results []byte) []byte {
		types = append(types, code(op(0x60), text(string(params)), text(string(results))))
		return binary.AppendUvarint(nil, uint64(len(types)-1))
	}
	for _, f := range a.imports {
		imports = append(imports, code(text(f.from), text(f.name), op(0), typeOf(f.params, f.results)))
	}
	if a.global {
		imports = append(imports, code(text("env"), text("g"), op(3, typeI32, 0)))
	}
	define := func(name string, params, results []byte) {
		if name == a.leave {
			return
		}
		if name == a.retype {
			params = append([]byte{typeI32}, params...)
		}
		index := binary.AppendUvarint(nil, uint64(len(a.imports)+len(functions)))
		functions = append(functions, typeOf(params, results))
		exports = append(exports, code(text(name), op(0), index))
		locals := op(0)
		if a.locals > 0 {
			locals = append(binary.AppendUvarint(op(1), a.locals), typeI64)
		}
		body := code(locals, a.body(name, results), op(opEnd))
		bodies = append(bodies, text(string(body)))
	}
	host.Exports(define)
	for _, name := range a.also {
		define(name, nil, nil)
	}
	if !a.hidden {
		exports = append(exports, code(text("memory"), op(2, 0)))
	}
	memory := a.memory
	if memory == nil {
		memory = op(0, 2)
	}
	b := []byte("\x00asm\x01\x00\x00\x00")
	section := func(id byte, content []byte) { b = code(b, op(id), text(string(content))) }
	section(1, vector(types))
	section(2, vector(imports))
	section(3, vector(functions))
	if a.table != nil {
		section(4, vector([][]byte{append(op(0x70), a.table...)}))
	}
	if len(memory) > 0 {
		section(5, vector([][]byte{memory}))
	}
	section(7, vector(exports))
	if a.start {
		section(8, binary.AppendUvarint(nil, uint64(len(a.imports))))
	}
	section(10, vector(bodies))
	return b
}

func (a assembly) body(name string, results []byte) []byte {
	switch body, ok := a.bodies[name]; {
	case ok:
		return body
	case name == "abi":
		return i32c(1)
	case name == "buffer":
		return i32c(1024)
	case len(results) == 0:
		return nil
	case results[0] == typeI64:
		return i64c(0)
	}
	return i32c(0)
}
