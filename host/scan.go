package host

import (
	"encoding/binary"
	"errors"
	"math"
)

// Decoding a module allocates by the counts that stand in it: a damaged byte or
// two would have the process killed for want of memory. So they are looked at
// first: each has to be one that the bytes after it can hold.

const (
	maxModule = 8 << 20 // bytes
	maxTable  = 1 << 16 // functions that can be called indirectly
)

// The sections of a module that have counts.
const (
	sectionCustom   = 0
	sectionType     = 1
	sectionImport   = 2
	sectionFunction = 3
	sectionTable    = 4
	sectionMemory   = 5
	sectionGlobal   = 6
	sectionExport   = 7
	sectionStart    = 8
	sectionElement  = 9
	sectionCode     = 10
	sectionData     = 11
)

// scan returns a module without its custom sections, which nobody needs.
func scan(wasm []byte) ([]byte, error) {
	const header = "\x00asm\x01\x00\x00\x00"
	if len(wasm) < len(header) || string(wasm[:len(header)]) != header {
		return nil, unusable("it is not WebAssembly, of version 1")
	}
	if len(wasm) > maxModule {
		return nil, unusable("it is larger than %d MiB", maxModule>>20)
	}
	kept := append(make([]byte, 0, len(wasm)), header...)
	s := scanner{b: wasm[len(header):], locals: len(wasm)}
	for len(s.b) > 0 {
		from := s.b
		id := s.byte()
		content := s.bytes()
		if id == sectionCustom && s.err == nil {
			continue
		}
		kept = append(kept, from[:len(from)-len(s.b)]...)
		after := s.b
		s.b = content
		s.section(id)
		if s.err != nil {
			return nil, &ModuleError{s.err}
		}
		s.b = after
	}
	return kept, nil
}

// scanner reads what it must not believe. After its first error it finds nothing.
type scanner struct {
	b      []byte
	locals int // that functions may still have, all together
	err    error
}

var errDamaged = errors.New("it is damaged: it says that there is more than there is")

func (s *scanner) fail(err error) {
	if s.err == nil {
		s.err = err
	}
	s.b = nil
}

func (s *scanner) byte() byte {
	if len(s.b) == 0 {
		s.fail(errDamaged)
		return 0
	}
	c := s.b[0]
	s.b = s.b[1:]
	return c
}

func (s *scanner) uint() uint32 {
	v, n := binary.Uvarint(s.b)
	if n <= 0 || v > math.MaxUint32 {
		s.fail(errDamaged)
		return 0
	}
	s.b = s.b[n:]
	return uint32(v)
}

// count reads how many items follow, of a byte at least.
func (s *scanner) count() int {
	n := s.uint()
	if uint64(n) > uint64(len(s.b)) {
		s.fail(errDamaged)
		return 0
	}
	return int(n)
}

// bytes reads bytes after their count.
func (s *scanner) bytes() []byte {
	n := s.count()
	b := s.b[:n]
	s.b = s.b[n:]
	return b
}

// section reads a section's content.
func (s *scanner) section(id byte) {
	if id < sectionType || id > sectionData || id == sectionStart {
		return // without counts, or refused by who decodes it
	}
	for n := s.count(); n > 0 && s.err == nil; n-- {
		switch id {
		case sectionType:
			s.byte()
			s.bytes()
			s.bytes()
		case sectionImport:
			from, name := s.bytes(), s.bytes()
			if kind := s.byte(); kind != 0 {
				s.fail(errors.New("it wants what it must not have, and what is no function: " + string(from) + "." + string(name)))
			}
			s.uint()
		case sectionTable:
			s.byte()
			s.byte()
			if s.uint() > maxTable {
				s.fail(errors.New("its table is larger than 65536 functions"))
			}
			return // of one at most
		case sectionGlobal:
			s.byte()
			s.byte()
			s.constant()
		case sectionExport:
			s.bytes()
			s.byte()
			s.uint()
		case sectionElement:
			s.only(0)
			s.constant()
			for n := s.count(); n > 0; n-- {
				s.uint()
			}
		case sectionCode:
			s.function()
		case sectionData:
			if s.only(0, 1) == 0 {
				s.constant()
			}
			s.bytes()
		case sectionFunction, sectionMemory:
			s.uint()
		}
	}
}

// only expects one of the kinds of a segment that compilers make of Go.
func (s *scanner) only(kinds ...uint32) uint32 {
	kind := s.uint()
	for _, k := range kinds {
		if kind == k {
			return kind
		}
	}
	s.fail(errors.New("it has a segment of a kind that this host does not know"))
	return 0
}

// constant reads an expression that has a constant value.
func (s *scanner) constant() {
	for s.err == nil {
		switch s.byte() {
		case 0x0b: // end
			return
		case 0x23, 0x41, 0x42: // global.get, i32.const, i64.const
			for s.byte()&0x80 != 0 {
			}
		default:
			s.fail(errors.New("it has a constant of a kind that this host does not know"))
		}
	}
}

// function reads a function as far as its locals.
func (s *scanner) function() {
	code := s.bytes()
	after := s.b
	s.b = code
	for n := s.count(); n > 0 && s.err == nil; n-- {
		locals := s.uint()
		s.byte()
		if uint64(locals) > uint64(s.locals) {
			s.fail(errors.New("its functions have more locals than it has bytes"))
			return
		}
		s.locals -= int(locals)
	}
	if s.err == nil {
		s.b = after
	}
}
