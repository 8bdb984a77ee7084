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

//go:noinline
func kept(s string) string { return strings.Clone(s) }

//go:wasmexport start
func start(mono, wall int64) { step(mono, wall, core.Input{Kind: core.Start}) }

//go:wasmexport opened
func opened(mono, wall int64, conn uint64, role uint32, addr string) {
	step(mono, wall, core.Input{Kind: core.Opened, Conn: core.ConnID(conn), Role: core.Role(role), Addr: kept(addr)})
}

// openedAs is opened for a connection whose other end was authenticated. What tags
// it has to have, if that matters, is a Presence that has them; and so is which it
// may have, by their keys. Topics are patterns, with a comma after each.
//
//go:wasmexport opened_as
func openedAs(mono, wall int64, conn uint64, role uint32, addr, name, must, may, send, hear string) {
	in := core.Input{Kind: core.Opened, Conn: core.ConnID(conn), Role: core.Role(role), Addr: kept(addr), Name: kept(name), Party: said.party}
	said.party = ""
	if must != "" {
		in.Tags = append([]wire.Tag{}, tagsOf(must)...)
	}
	if may != "" {
		in.Own = []string{}
		for _, t := range tagsOf(may) {
			in.Own = append(in.Own, t.Key)
		}
	}
	if send != anyTopic || hear != anyTopic {
		in.Topics = &core.Topics{Send: topicsOf(send), Hear: topicsOf(hear)}
	}
	step(mono, wall, in)
}

const anyTopic = "*,"

func topicsOf(list string) (all []string) {
	list = kept(list)
	for i := 0; i < len(list); i++ {
		if list[i] == ',' {
			all = append(all, list[:i])
			list, i = list[i+1:], -1
		}
	}
	return all
}

func tagsOf(presence string) []wire.Tag {
	p, _ := wire.ParsePresence(kept(presence)) // of the host, which is trusted
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
	do(mono, wall, core.Command{ID: id, Op: core.Add, Name: kept(name), Addr: kept(addr)})
}

//go:wasmexport del
func del(mono, wall int64, id uint64, name string) {
	do(mono, wall, core.Command{ID: id, Op: core.Del, Name: kept(name)})
}

//go:wasmexport leave
func leave(mono, wall int64, id uint64) { do(mono, wall, core.Command{ID: id, Op: core.Leave}) }

//go:wasmexport stop
func stop(mono, wall int64, id uint64) { do(mono, wall, core.Command{ID: id, Op: core.Stop}) }

// said is what the next command, or opening, has beside its parameters.
var said struct {
	core.Command
	party string
	terms []string // of a filter
}

// commandText takes what is said of a command before it.
func commandText(key, value string) int32 {
	list := &said.terms
	switch key {
	case "match":
	case "party":
		said.party = kept(value)
		return 0
	case "hear":
		list = &said.Hear.Messages
	case "answer":
		list = &said.Hear.Questions
	case "join":
		list = &said.Join
	default:
		key = kept(key)
		if tag, ok := strings.CutPrefix(key, "tag:"); ok {
			said.Tags = append(said.Tags, wire.Tag{Key: tag, Value: value})
			return 0
		}
		tag, ok := strings.CutPrefix(key, "drop:")
		if !ok {
			return refused
		}
		list, value = &said.Drop, tag
	}
	*list = append(*list, value)
	return 0
}

// whole makes a command of what was said of it.
func whole(c core.Command) core.Command {
	c.Tags, c.Drop, c.Hear, c.Join = said.Tags, said.Drop, said.Hear, said.Join
	c.Filter = core.FilterOf(said.terms)
	said.Command, said.terms = core.Command{}, nil
	return c
}

//go:wasmexport set_tags
func setTags(mono, wall int64, id uint64) {
	do(mono, wall, whole(core.Command{ID: id, Op: core.SetTags}))
}

//go:wasmexport send_message
func sendMessage(mono, wall int64, id uint64, topic, payload string) {
	do(mono, wall, whole(core.Command{ID: id, Op: core.SendMessage, Topic: topic, Payload: payload}))
}

//go:wasmexport tell
func tell(mono, wall int64, id uint64, name, topic, payload string) {
	do(mono, wall, core.Command{ID: id, Op: core.Tell, Name: name, Topic: topic, Payload: payload})
}

//go:wasmexport ask
func ask(mono, wall int64, id uint64, topic, payload string, limit int32, timeout int64) {
	do(mono, wall, whole(core.Command{ID: id, Op: core.Ask, Topic: topic, Payload: payload, Limit: int(limit), Timeout: timeout}))
}

//go:wasmexport call_off
func callOff(mono, wall int64, id, question uint64) {
	do(mono, wall, core.Command{ID: id, Op: core.CallOff, Question: question})
}

//go:wasmexport cordon
func cordon(mono, wall int64, id uint64, on uint32, name string) {
	op := core.Op(core.Uncordon)
	if on != 0 {
		op = core.Cordon
	}
	do(mono, wall, core.Command{ID: id, Op: op, Name: kept(name)})
}

//go:wasmexport drain
func drain(mono, wall int64, id uint64) { do(mono, wall, core.Command{ID: id, Op: core.Drain}) }

//go:wasmexport answer
func answer(mono, wall int64, id, question uint64, code uint32, payload string) {
	do(mono, wall, core.Command{ID: id, Op: core.Answer, Question: question, Code: wire.Code(code), Payload: payload})
}

//go:wasmexport hear
func hear(mono, wall int64, id uint64) { do(mono, wall, whole(core.Command{ID: id, Op: core.Hear})) }

//go:wasmexport join
func join(mono, wall int64, id uint64) { do(mono, wall, whole(core.Command{ID: id, Op: core.Join})) }

//go:wasmexport snapshot
func snapshot() int64 { return written(ring.Snapshot()) }

//go:wasmexport changes
func changes(since uint64) int64 { return written(ring.Changes(since)) }

//go:wasmexport handover
func handover() int64 { return written(ring.Handover()) }

//go:wasmexport count
func count(which uint32) int64 {
	all, _ := ring.Counts()
	if which >= uint32(len(all)) {
		return -1
	}
	return int64(all[which])
}

func written(b []byte, _ error) int64 { // a Ring never fails
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
