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

// openedAs is opened for a connection whose other end was authenticated. What tags
// it has to have, if that matters, is a Presence that has them; and so is which it
// may have, by their keys.
//
//go:wasmexport opened_as
func openedAs(mono, wall int64, conn uint64, role uint32, addr, name, must, may string) {
	in := core.Input{Kind: core.Opened, Conn: core.ConnID(conn), Role: core.Role(role), Addr: strings.Clone(addr), Name: strings.Clone(name)}
	if must != "" {
		in.Tags = append([]wire.Tag{}, tagsOf(must)...)
	}
	if may != "" {
		in.Own = []string{}
		for _, t := range tagsOf(may) {
			in.Own = append(in.Own, t.Key)
		}
	}
	step(mono, wall, in)
}

func tagsOf(presence string) []wire.Tag {
	p, _ := wire.ParsePresence(strings.Clone(presence)) // of the host, which is trusted
	return p.Tags
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

// changes is what set_tags will do.
var changes core.Command

// tagText takes what is said of set_tags before it.
func tagText(key, value string) int32 {
	if tag, ok := strings.CutPrefix(key, "tag:"); ok {
		changes.Tags = append(changes.Tags, wire.Tag{Key: strings.Clone(tag), Value: value})
	} else if tag, ok = strings.CutPrefix(key, "drop:"); ok {
		changes.Drop = append(changes.Drop, strings.Clone(tag))
	} else {
		return refused
	}
	return 0
}

//go:wasmexport set_tags
func setTags(mono, wall int64, id uint64) {
	c := changes
	changes = core.Command{}
	c.ID, c.Op = id, core.SetTags
	do(mono, wall, c)
}

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
