//go:build wasip1

package main

import (
	"strings"
	"unsafe"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// Strings of the host lie in its buffer, which the next call overwrites: what
// the core keeps has to be cloned.

//go:wasmexport start
func start(mono, wall int64) { step(mono, wall, core.Input{Kind: core.Start}) }

//go:wasmexport opened
func opened(mono, wall int64, conn uint64, role uint32, addr string) {
	step(mono, wall, core.Input{Kind: core.Opened, Conn: core.ConnID(conn), Role: core.Role(role), Addr: strings.Clone(addr)})
}

// openedAs is opened for a connection whose other end was authenticated. Tags, if
// there are any, are a Presence that has them.
//
//go:wasmexport opened_as
func openedAs(mono, wall int64, conn uint64, role uint32, addr, name, presence string) {
	in := core.Input{Kind: core.Opened, Conn: core.ConnID(conn), Role: core.Role(role), Addr: strings.Clone(addr), Name: strings.Clone(name)}
	if presence != "" {
		p, _ := wire.ParsePresence(strings.Clone(presence)) // of the host, which is trusted
		in.Tags = append([]wire.Tag{}, p.Tags...)
	}
	step(mono, wall, in)
}

//go:wasmexport received
func received(mono, wall int64, conn uint64, frame string) {
	step(mono, wall, core.Input{Kind: core.Received, Conn: core.ConnID(conn), Frame: unsafe.Slice(unsafe.StringData(frame), len(frame))})
}

//go:wasmexport closed
func closed(mono, wall int64, conn uint64, code uint32) {
	step(mono, wall, core.Input{Kind: core.Closed, Conn: core.ConnID(conn), Code: wire.Code(code)})
}

//go:wasmexport tick
func tick(mono, wall int64) { step(mono, wall, core.Input{Kind: core.Tick}) }

//go:wasmexport add
func add(mono, wall int64, id uint64, name, addr string) {
	do(mono, wall, core.Command{ID: id, Op: core.Add, Name: strings.Clone(name), Addr: strings.Clone(addr)})
}

//go:wasmexport del
func del(mono, wall int64, id uint64, name string) {
	do(mono, wall, core.Command{ID: id, Op: core.Del, Name: strings.Clone(name)})
}

//go:wasmexport leave
func leave(mono, wall int64, id uint64) { do(mono, wall, core.Command{ID: id, Op: core.Leave}) }

//go:wasmexport stop
func stop(mono, wall int64, id uint64) { do(mono, wall, core.Command{ID: id, Op: core.Stop}) }

//go:wasmexport snapshot
func snapshot() int64 { return said(ring.Snapshot()) }

//go:wasmexport handover
func handover() int64 { return said(ring.Handover()) }

func said(b []byte, _ error) int64 { // a Ring never fails
	garbage.took(len(b))
	return out(b)
}

func do(mono, wall int64, command core.Command) {
	step(mono, wall, core.Input{Kind: core.Do, Command: command})
}

var garbage collector

func step(mono, wall int64, in core.Input) {
	in.Mono, in.Wall = mono, wall
	effects, _ := ring.Step(in) // a Ring never fails
	cost := perCall + len(in.Frame)
	for i := range effects {
		cost += carryOut(&effects[i])
	}
	garbage.took(cost)
}

// perCall is what a call without a frame may leave behind, in bytes.
const perCall = 256
