package host

import (
	"math"
	"unicode/utf8"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
	"github.com/tetratelabs/wazero/api"
)

// The effects, as the module calls for them. What they refer to is copied: its
// memory may move or change as soon as they return.

// effectCost is about what an effect takes beside its bytes.
const effectCost = 256

// emit takes an effect in, of so many bytes.
func (e *Engine) emit(effect core.Effect, size uint64) {
	if !e.stepping {
		violate("an effect without an input")
	}
	cost := int(uint32(size)) + effectCost
	if cost > e.room {
		violate("it does not come to an end: effects of over %d bytes", e.memory)
	}
	e.room -= cost
	e.effects = append(e.effects, effect)
}

func (e *Engine) dial(mem api.Memory, s []uint64) {
	e.emit(core.Effect{Kind: core.Dial, Conn: core.ConnID(s[0]), Addr: text(mem, s[1], s[2])}, s[2])
}

func (e *Engine) send(mem api.Memory, s []uint64) {
	start := len(e.frames)
	e.emit(core.Effect{Kind: core.Send, Conn: core.ConnID(s[0])}, s[2])
	e.frames = append(e.frames, read(mem, s[1], s[2])...)
	e.effects[len(e.effects)-1].Frame = e.frames[start:len(e.frames):len(e.frames)]
}

func (e *Engine) close(mem api.Memory, s []uint64) {
	e.emit(core.Effect{Kind: core.Close, Conn: core.ConnID(s[0]), Code: code(s[1]), Text: text(mem, s[2], s[3])}, s[3])
}

func (e *Engine) dirty(_ api.Memory, s []uint64) {
	e.emit(core.Effect{Kind: core.Dirty, Seq: s[0]}, 0)
}

func (e *Engine) wake(_ api.Memory, s []uint64) {
	e.emit(core.Effect{Kind: core.Wake, At: int64(s[0])}, 0)
}

func (e *Engine) halt(mem api.Memory, s []uint64) {
	reason := core.Reason(s[0])
	if uint64(reason) != uint64(uint32(s[0])) || reason < core.HaltStopped || reason > core.HaltNameTaken {
		violate("it halts for reason %d, which there is not", uint32(s[0]))
	}
	e.emit(core.Effect{Kind: core.Halt, Reason: reason, Text: text(mem, s[1], s[2])}, s[2])
}

func (e *Engine) event(mem api.Memory, s []uint64) {
	var event core.Event
	e.json.reset(read(mem, s[0], s[1]))
	if err := e.json.event(&event); err != nil {
		violate("an event that cannot be read: %s", err)
	}
	if event.Kind == 0 {
		return // of a kind that is of a later version
	}
	e.emit(core.Effect{Kind: core.Emit}, s[1]+effectCost)
	e.events = append(e.events, event)
}

func text(mem api.Memory, at, size uint64) string {
	b := read(mem, at, size)
	if !utf8.Valid(b) {
		violate("%d bytes of text at %d are not UTF-8", len(b), uint32(at))
	}
	return string(b)
}

func code(v uint64) wire.Code {
	if uint32(v) > math.MaxUint16 {
		violate("code %d is none", uint32(v))
	}
	return wire.Code(v)
}
