//go:build wasip1

package main

import (
	"unsafe"

	"github.com/nanoring/nanoring/core"
)

//go:wasmimport nanoring dial
func hostDial(conn uint64, addr string)

//go:wasmimport nanoring send
func hostSend(conn uint64, frame string)

//go:wasmimport nanoring close
func hostClose(conn uint64, code uint32, text string)

//go:wasmimport nanoring dirty
func hostDirty(seq uint64)

//go:wasmimport nanoring event
func hostEvent(json string)

//go:wasmimport nanoring wake
func hostWake(at int64)

//go:wasmimport nanoring halt
func hostHalt(reason uint32, text string)

var eventJSON []byte // of the last event

// carryOut hands an effect to the host, and returns how many bytes it had.
func carryOut(e *core.Effect) int {
	size := len(e.Frame)
	switch e.Kind {
	case core.Dial:
		hostDial(uint64(e.Conn), e.Addr)
	case core.Send:
		hostSend(uint64(e.Conn), unsafe.String(unsafe.SliceData(e.Frame), len(e.Frame)))
	case core.Close:
		hostClose(uint64(e.Conn), uint32(e.Code), e.Text)
	case core.Dirty:
		hostDirty(e.Seq)
	case core.Emit:
		eventJSON = appendEvent(eventJSON[:0], e.Event)
		size += len(eventJSON)
		hostEvent(unsafe.String(unsafe.SliceData(eventJSON), len(eventJSON)))
	case core.Wake:
		hostWake(e.At)
	case core.Halt:
		hostHalt(uint32(e.Reason), e.Text)
	}
	return size
}
