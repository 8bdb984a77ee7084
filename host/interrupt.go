package host

import (
	"encoding/binary"
	"errors"
)

// Compiled code that loops and calls nothing cannot be stopped from outside, and
// holds up the whole process: Go's collector waits for it. What wazero has against
// that calls its host in every turn of every loop. Here the module itself counts,
// and calls its host (by growing its memory by nothing) each few milliseconds:
//
//	at the start of each function, and of each turn of a loop
//	    fuel -= bytes of the function
//	    if fuel < 0 { look() }
//	look: fuel = fuelAmount; memory.grow(0); if stop { unreachable }
//
// stop is what the host sets, see deadline. All this is put into a module before
// it is compiled.

const (
	fuelAmount = 16 << 20 // bytes of code between two looks
	bulkCost   = fuelAmount / 64

	stopName = "nanoring.stop" // by which the global is exported
)

// Instructions that are looked for, or put in.
const (
	opUnreachable = 0x00
	opBlock       = 0x02
	opLoop        = 0x03
	opIf          = 0x04
	opEnd         = 0x0b
	opCall        = 0x10
	opDrop        = 0x1a
	opGlobalGet   = 0x23
	opGlobalSet   = 0x24
	opMemoryGrow  = 0x40
	opI32Const    = 0x41
	opI32LtS      = 0x48
	opI32Sub      = 0x6b
	opBulk        = 0xfc // a prefix: from 8 on, operations on much memory
	noResult      = 0x40
)

// interrupter puts what counts into a module.
type interrupter struct {
	types, functions, globals uint32 // that it has, before
}

func (p *interrupter) stop() uint32 { return p.globals }
func (p *interrupter) fuel() uint32 { return p.globals + 1 }

// section is one section of a module.
type section struct {
	id      byte
	content []byte
}

// interruptible returns a module, as scan has left it, with what counts in it.
func interruptible(wasm []byte) ([]byte, error) {
	const header = 8
	s := scanner{b: wasm[header:]}
	sections := make(map[byte][]byte)
	var order []section
	for len(s.b) > 0 {
		id := s.byte()
		content := s.bytes()
		if _, twice := sections[id]; twice || s.err != nil {
			return nil, &ModuleError{errDamaged}
		}
		sections[id] = content
		order = append(order, section{id, content})
	}
	if sections[sectionCode] == nil || sections[sectionExport] == nil || sections[sectionMemory] == nil || sections[sectionType] == nil || sections[sectionFunction] == nil {
		return wasm, nil // refused by check
	}
	if _, ok := sections[sectionStart]; ok {
		return nil, unusable("it has a start section: it is to begin with _initialize")
	}
	p := &interrupter{types: itemsOf(sections[sectionType]), globals: itemsOf(sections[sectionGlobal])}
	imported := itemsOf(sections[sectionImport])
	p.functions = imported + itemsOf(sections[sectionFunction])
	out := append(make([]byte, 0, len(wasm)+len(wasm)/4), wasm[:header]...)
	put := func(id byte, content []byte) {
		out = append(out, id)
		out = binary.AppendUvarint(out, uint64(len(content)))
		out = append(out, content...)
	}
	globals := append([]byte{0x7f, 1}, constant32(0)...)
	globals = append(append(globals, opEnd, 0x7f, 1), constant32(fuelAmount)...)
	globals = append(globals, opEnd)
	for _, sec := range order {
		content := sec.content
		switch sec.id {
		case sectionType:
			content = more(content, 1, []byte{0x60, 0, 0})
		case sectionFunction:
			content = more(content, 1, binary.AppendUvarint(nil, uint64(p.types)))
		case sectionGlobal:
			content = more(content, 2, globals)
		case sectionExport:
			if sections[sectionGlobal] == nil {
				put(sectionGlobal, more([]byte{0}, 2, globals))
			}
			export := append(append([]byte{byte(len(stopName))}, stopName...), 3)
			content = more(content, 1, binary.AppendUvarint(export, uint64(p.stop())))
		case sectionCode:
			var err error
			if content, err = p.code(content); err != nil {
				return nil, &ModuleError{err}
			}
		}
		put(sec.id, content)
	}
	return out, nil
}

// itemsOf returns how many items a section has, which scan has looked at.
func itemsOf(content []byte) uint32 {
	n, _ := binary.Uvarint(content)
	return uint32(n)
}

// more appends items to a section's content.
func more(content []byte, count int, items []byte) []byte {
	n, size := binary.Uvarint(content)
	b := binary.AppendUvarint(make([]byte, 0, len(content)+len(items)+2), n+uint64(count))
	return append(append(b, content[size:]...), items...)
}

// code puts what counts into all functions, and appends the one that looks.
func (p *interrupter) code(content []byte) ([]byte, error) {
	s := scanner{b: content}
	n := s.count()
	out := binary.AppendUvarint(make([]byte, 0, len(content)+len(content)/4), uint64(n)+1)
	var body []byte
	for ; n > 0; n-- {
		var err error
		if body, err = p.function(body[:0], s.bytes()); err != nil {
			return nil, err
		}
		out = append(binary.AppendUvarint(out, uint64(len(body))), body...)
	}
	if s.err != nil || len(s.b) > 0 {
		return nil, errDamaged
	}
	look := append([]byte{0}, constant32(fuelAmount)...)
	look = global(look, opGlobalSet, p.fuel())
	look = append(look, opI32Const, 0, opMemoryGrow, 0, opDrop)
	look = global(look, opGlobalGet, p.stop())
	look = append(look, opIf, noResult, opUnreachable, opEnd, opEnd)
	return append(binary.AppendUvarint(out, uint64(len(look))), look...), nil
}

// function appends a function's body with what counts in it.
func (p *interrupter) function(out, body []byte) ([]byte, error) {
	s := scanner{b: body}
	for n := s.count(); n > 0; n-- { // its locals
		s.uint()
		s.byte()
	}
	if s.err != nil {
		return nil, s.err
	}
	from := body[len(body)-len(s.b):]
	out = append(out, body[:len(body)-len(from)]...)
	cost := p.spend(nil, min(len(body), bulkCost))
	bulk := p.spend(nil, bulkCost)
	entered := false // a loop counts, or the start does
	copied := from   // what is not copied yet begins here
	put := func(what, before []byte) {
		out = append(out, copied[:len(copied)-len(before)]...)
		out, copied = append(out, what...), before
	}
	for len(s.b) > 0 {
		at := s.b
		op := s.byte()
		if !entered && op != opBlock {
			entered = true
			if op != opLoop {
				put(cost, at)
			}
		}
		if s.immediates(op, p.globals); s.err != nil {
			return nil, s.err
		}
		if op == opLoop {
			put(cost, s.b)
		} else if op == opBulk && at[1] >= 8 {
			put(bulk, at)
		}
	}
	return append(out, copied...), nil
}

// spend appends what takes from the fuel.
func (p *interrupter) spend(b []byte, cost int) []byte {
	b = global(b, opGlobalGet, p.fuel())
	b = append(append(b, constant32(int32(cost))...), opI32Sub)
	b = global(b, opGlobalSet, p.fuel())
	b = global(b, opGlobalGet, p.fuel())
	b = append(b, opI32Const, 0, opI32LtS, opIf, noResult, opCall)
	return append(binary.AppendUvarint(b, uint64(p.functions)), opEnd)
}

func global(b []byte, op byte, index uint32) []byte {
	return binary.AppendUvarint(append(b, op), uint64(index))
}

// constant32 is i32.const of a number that is not negative.
func constant32(v int32) []byte {
	b := []byte{opI32Const}
	for ; v >= 0x40; v >>= 7 {
		b = append(b, byte(v)|0x80)
	}
	return append(b, byte(v))
}

var errInstruction = errors.New("it has an instruction that this host does not know")

// shape says what follows an instruction: so many numbers, or something of its own.
type shape uint8

const (
	special shape = 3 + iota
	unknown
)

var shapes = func() (shapes [256]shape) {
	put := func(from, to int, s shape) {
		for op := from; op <= to; op++ {
			shapes[op] = s
		}
	}
	put(0, 255, unknown)
	put(0x00, 0x01, 0) // unreachable, nop
	put(0x02, 0x04, 1) // block, loop, if
	put(0x05, 0x05, 0) // else
	put(0x0b, 0x0b, 0) // end
	put(0x0c, 0x0d, 1) // br, br_if
	put(0x0e, 0x0e, special)
	put(0x0f, 0x0f, 0) // return
	put(0x10, 0x10, 1) // call
	put(0x11, 0x11, 2) // call_indirect
	put(0x1a, 0x1b, 0) // drop, select
	put(0x20, 0x22, 1) // of locals
	put(0x23, 0x24, special)
	put(0x28, 0x3e, 2) // loads and stores
	put(0x3f, 0x42, 1) // of the memory's size, integers
	put(0x43, 0x44, special)
	put(0x45, 0xc4, 0) // arithmetic
	put(opBulk, opBulk, special)
	return shapes
}()

// immediates reads what belongs to an instruction.
func (s *scanner) immediates(op byte, globals uint32) {
	switch shape := shapes[op]; shape {
	default:
		s.skip(int(shape))
	case unknown:
		s.fail(errInstruction)
	case special:
		s.special(op, globals)
	}
}

func (s *scanner) special(op byte, globals uint32) {
	switch op {
	case opGlobalGet, opGlobalSet:
		if s.uint() >= globals && s.err == nil { // those that are put in are not its own
			s.fail(errors.New("it uses a global that it does not have"))
		}
	case 0x0e: // br_table
		s.skip(s.count() + 1)
	case 0x43, 0x44: // f32.const, f64.const
		for range 4 << (op - 0x43) {
			s.byte()
		}
	case opBulk:
		switch sub := s.byte(); sub {
		case 0, 1, 2, 3, 4, 5, 6, 7: // saturating conversions
		case 9, 11, 13: // data.drop, memory.fill, elem.drop
			s.skip(1)
		case 8, 10, 12, 14: // init and copy
			s.skip(2)
		default:
			s.fail(errInstruction)
		}
	}
}

// skip skips so many numbers.
func (s *scanner) skip(n int) {
	for i, c := range s.b {
		if n == 0 {
			s.b = s.b[i:]
			return
		}
		if c < 0x80 {
			n--
		}
	}
	if s.b = nil; n > 0 {
		s.fail(errDamaged)
	}
}
