package every

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"reflect"
	"slices"
	"unsafe"

	"github.com/cespare/xxhash/v2"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/lww"
)

// The sum of an engine says in what state it is: two with the same go on alike. All
// that it owns is in it, whatever the order of a map or of what was allocated. What
// says nothing is not: numbers that only grow where their order alone counts, timers
// that were stopped, memory that is used again, the time of the step before.

// irrelevant are the fields that do not matter to what an engine does next, beside
// those that are transient: takeTime sets the times before anything reads them.
var irrelevant = map[string]bool{
	"self.cfg": true, "clock.mono": true, "clock.now": true, "Record.Parsed": true,
	"Set.looks": true, "debts.by": true, "debt.chain": true, "output.most": true, "output.mostSaid": true, "output.roundOver": true,
}

// summer is one sum under way.
type summer struct {
	ring unsafe.Pointer
	b    []byte
	seen map[unsafe.Pointer]uint64
}

type sum func(*summer, unsafe.Pointer)

var (
	summers = make(map[reflect.Type]*sum)
	ringSum = sumOf(ringType)
	_       = sumOf(reflect.TypeFor[*rand.PCG]()) // in an interface, where it would be met later only
)

// Sum returns the sum of an engine.
func Sum(r *core.Ring) uint64 {
	s := summer{ring: unsafe.Pointer(r), b: make([]byte, 0, 4096), seen: make(map[unsafe.Pointer]uint64, 64)}
	cfg := configOf(r)
	s.uint(uint64(cfg.Instance.Start))
	s.uint(cfg.Instance.Nonce)
	ringSum(&s, s.ring)
	return xxhash.Sum64(s.b)
}

func (s *summer) uint(v uint64) { s.b = binary.LittleEndian.AppendUint64(s.b, v) }

func (s *summer) string(v string) {
	s.uint(uint64(len(v)))
	s.b = append(s.b, v...)
}

func sumOf(t reflect.Type) sum {
	do := summers[t]
	switch {
	case do == nil:
		do = new(sum)
		summers[t] = do
		*do = makeSum(t)
	case *do == nil: // it is being made: types refer to themselves
		return func(s *summer, at unsafe.Pointer) { (*do)(s, at) }
	}
	return *do
}

func makeSum(t reflect.Type) sum {
	switch t.Kind() {
	case reflect.Struct:
		return sumStruct(t)
	case reflect.Array:
		if k := t.Elem().Kind(); k >= reflect.Bool && k <= reflect.Complex128 {
			break // as it lies there
		}
		do, size, n := sumOf(t.Elem()), t.Elem().Size(), t.Len()
		return func(s *summer, at unsafe.Pointer) {
			for i := range n {
				do(s, unsafe.Add(at, uintptr(i)*size))
			}
		}
	case reflect.Pointer:
		return sumPointer(t.Elem())
	case reflect.Slice:
		do, size := sumOf(t.Elem()), t.Elem().Size()
		return func(s *summer, at unsafe.Pointer) {
			v := *(*[]struct{})(at) // of whatever: it is as long
			s.uint(uint64(len(v)))
			for i, data := 0, unsafe.Pointer(unsafe.SliceData(v)); i < len(v); i++ {
				do(s, unsafe.Add(data, uintptr(i)*size))
			}
		}
	case reflect.Map:
		return sumMap(t)
	case reflect.Interface:
		return func(s *summer, at unsafe.Pointer) {
			v := reflect.NewAt(t, at).Elem()
			if v.IsNil() {
				s.uint(0)
				return
			}
			p := v.Elem().UnsafePointer()
			sumOf(v.Elem().Type())(s, unsafe.Pointer(&p))
		}
	case reflect.String:
		return func(s *summer, at unsafe.Pointer) { s.string(*(*string)(at)) }
	case reflect.Func:
		return func(*summer, unsafe.Pointer) {}
	}
	size := int(t.Size())
	return func(s *summer, at unsafe.Pointer) { s.b = append(s.b, unsafe.Slice((*byte)(at), size)...) }
}

func sumStruct(t reflect.Type) sum {
	if t.Name() == "timers" {
		return sumTimers(t)
	}
	type field struct {
		at uintptr
		do sum
	}
	var fields []field
	for i := range t.NumField() {
		f := t.Field(i)
		switch name := t.Name() + "." + f.Name; {
		case transient[name] || irrelevant[name] || f.Type.Size() == 0:
		case f.Type.Name() == "timers": // before all that refers to one
			fields = append([]field{{f.Offset, sumOf(f.Type)}}, fields...)
		default:
			fields = append(fields, field{f.Offset, sumOf(f.Type)})
		}
	}
	return func(s *summer, at unsafe.Pointer) {
		for i := range fields {
			fields[i].do(s, unsafe.Add(at, fields[i].at))
		}
	}
}

func sumPointer(t reflect.Type) sum {
	do := sumOf(t)
	kindAt := uintptr(0)
	if t.Name() == "timer" {
		kindAt = offsetOf(t, "kind")
	}
	return func(s *summer, at unsafe.Pointer) {
		p := *(*unsafe.Pointer)(at)
		switch in := uintptr(p) - uintptr(s.ring); {
		case p == nil, kindAt != 0 && *(*uint8)(unsafe.Add(p, kindAt)) == 0: // a stopped timer
			s.uint(0)
			return
		case in < ringType.Size():
			s.uint(1<<32 | uint64(in))
			return
		case t == reflect.TypeFor[lww.Record]():
			s.uint((*lww.Record)(p).Sum())
			return
		}
		if n, ok := s.seen[p]; ok {
			s.uint(n)
			return
		}
		n := uint64(len(s.seen) + 2)
		s.seen[p] = n
		s.uint(n)
		do(s, p)
	}
}

func sumMap(t reflect.Type) sum {
	key, value := sumOf(t.Key()), sumOf(t.Elem())
	type entry struct {
		key   []byte
		value reflect.Value
	}
	return func(s *summer, at unsafe.Pointer) {
		m := reflect.NewAt(t, at).Elem()
		s.uint(uint64(m.Len()))
		if m.Len() == 0 {
			return
		}
		all := make([]entry, 0, m.Len())
		for it := m.MapRange(); it.Next(); {
			k, v := reflect.New(t.Key()), reflect.New(t.Elem())
			k.Elem().SetIterKey(it)
			v.Elem().SetIterValue(it)
			start := len(s.b)
			key(s, k.UnsafePointer())
			all = append(all, entry{slices.Clone(s.b[start:]), v})
			s.b = s.b[:start]
		}
		slices.SortFunc(all, func(a, b entry) int { return bytes.Compare(a.key, b.key) })
		for i := range all {
			s.b = append(s.b, all[i].key...)
			value(s, all[i].value.UnsafePointer())
		}
	}
}

// sumTimers sums those that are armed, in the order in which they will be due.
func sumTimers(t reflect.Type) sum {
	heap, _ := t.FieldByName("heap")
	one := heap.Type.Elem().Elem()
	atAt, nAt, kindAt := offsetOf(one, "at"), offsetOf(one, "n"), offsetOf(one, "kind")
	nameAt, idAt := offsetOf(one, "name"), offsetOf(one, "id")
	return func(s *summer, at unsafe.Pointer) {
		h := *(*[]unsafe.Pointer)(unsafe.Add(at, heap.Offset))
		armed := make([]unsafe.Pointer, 0, len(h))
		for _, p := range h {
			if *(*uint8)(unsafe.Add(p, kindAt)) != 0 {
				armed = append(armed, p)
			}
		}
		slices.SortFunc(armed, func(a, b unsafe.Pointer) int {
			if d := *(*int64)(unsafe.Add(a, atAt)) - *(*int64)(unsafe.Add(b, atAt)); d != 0 {
				return int(d)
			}
			return int(*(*uint64)(unsafe.Add(a, nAt)) - *(*uint64)(unsafe.Add(b, nAt)))
		})
		s.uint(uint64(len(armed)))
		for _, p := range armed {
			s.seen[p] = uint64(len(s.seen) + 2)
			s.uint(uint64(*(*int64)(unsafe.Add(p, atAt))))
			s.b = append(s.b, *(*uint8)(unsafe.Add(p, kindAt)))
			s.string(*(*string)(unsafe.Add(p, nameAt)))
			s.uint(*(*uint64)(unsafe.Add(p, idAt)))
		}
	}
}
