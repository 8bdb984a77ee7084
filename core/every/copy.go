package every

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"unsafe"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/lww"
	"github.com/nanoring/nanoring/core/wire"
)

// Copying an engine: what it owns is copied, what never changes is shared. The plan
// of how is made once for each type; it works on an object whose words were copied
// already, and puts right what refers to something else.

// copier is one copying under way.
type copier struct {
	old, new unsafe.Pointer // the Ring, into which its owners point
	size     uintptr
	objects  map[unsafe.Pointer]object
}

type object struct {
	t   reflect.Type
	new unsafe.Pointer
}

// fix puts right what an object refers to; nil where it refers to nothing.
type fix func(*copier, unsafe.Pointer)

// shared are the types that nobody changes once they are made.
var shared = map[reflect.Type]bool{
	reflect.TypeFor[lww.Record]():    true,
	reflect.TypeFor[wire.Member]():   true,
	reflect.TypeFor[wire.Presence](): true,
	reflect.TypeFor[core.Config]():   true, // it lies in the Ring, which keeps what it refers to
}

// transient are the fields that say nothing between two steps: memory that is used again.
var transient = map[string]bool{
	"Ring.in": true, "debts.space": true, "output.effects": true, "output.events": true, "output.results": true, "output.buf": true, "output.joiners": true,
}

var ringType = reflect.TypeFor[core.Ring]()

// Copy returns an engine that goes on as this one does.
func Copy(r *core.Ring) *core.Ring {
	old := reflect.ValueOf(r).Elem()
	cfg := configOf(r)
	fresh, err := core.New(core.Config{Ring: cfg.Ring, Name: cfg.Name})
	if err != nil {
		panic(err) // it was made of that
	}
	now := reflect.ValueOf(fresh).Elem()
	c := &copier{old: old.Addr().UnsafePointer(), new: now.Addr().UnsafePointer(), size: ringType.Size(), objects: make(map[unsafe.Pointer]object, 32)}
	kept := make([]unsafe.Pointer, len(ringFuncs))
	for i, at := range ringFuncs {
		kept[i] = *(*unsafe.Pointer)(unsafe.Add(c.new, at))
	}
	now.Set(old)
	for i, at := range ringFuncs {
		*(*unsafe.Pointer)(unsafe.Add(c.new, at)) = kept[i]
	}
	ringFix(c, c.new)
	return fresh
}

func configOf(r *core.Ring) *core.Config {
	return (*core.Config)(unsafe.Add(unsafe.Pointer(r), configAt))
}

var (
	fixes     = make(map[reflect.Type]*planned)
	ringFuncs = funcsOf(ringType, 0)
	configAt  = offsetOf(ringType, "self", "cfg")
	ringFix   = fixOf(ringType)
	_         = fixOf(reflect.TypeFor[rand.PCG]()) // in an interface, where it would be met later only
)

// planned is a plan, perhaps still being made: types refer to themselves.
type planned struct {
	do   fix
	done bool
}

// offsetOf returns where in a struct a field of a field lies.
func offsetOf(t reflect.Type, path ...string) (at uintptr) {
	for _, name := range path {
		f, ok := t.FieldByName(name)
		if !ok {
			panic("every: " + t.String() + " has no " + name)
		}
		at, t = at+f.Offset, f.Type
	}
	return at
}

// funcsOf returns where in a struct functions lie. They are bound to the Ring that
// they were made for.
func funcsOf(t reflect.Type, base uintptr) (all []uintptr) {
	for i := range t.NumField() {
		switch f := t.Field(i); f.Type.Kind() {
		case reflect.Func:
			all = append(all, base+f.Offset)
		case reflect.Struct:
			all = append(all, funcsOf(f.Type, base+f.Offset)...)
		}
	}
	return all
}

// later is the plan of a type that refers to itself.
func later(t reflect.Type) fix {
	p := fixes[t]
	if p == nil {
		fixOf(t)
		p = fixes[t]
	}
	return func(c *copier, at unsafe.Pointer) {
		if p.do != nil {
			p.do(c, at)
		}
	}
}

func fixOf(t reflect.Type) fix {
	if p := fixes[t]; p != nil && p.done {
		return p.do
	}
	p := new(planned)
	fixes[t] = p
	p.do, p.done = makeFix(t), true
	return p.do
}

func makeFix(t reflect.Type) fix {
	if shared[t] || t.Size() == 0 {
		return nil
	}
	switch t.Kind() {
	case reflect.Struct:
		return fixStruct(t)
	case reflect.Array:
		return fixArray(t)
	case reflect.Pointer:
		if shared[t.Elem()] {
			return nil
		}
		return fixPointer(t.Elem())
	case reflect.Slice:
		return fixSlice(t)
	case reflect.Map:
		return fixMap(t)
	case reflect.Interface:
		return fixInterface(t)
	case reflect.Func:
		return nil // see funcsOf
	case reflect.Chan, reflect.UnsafePointer:
		panic("every: an engine with a " + t.String() + " cannot be copied")
	}
	return nil
}

func fixStruct(t reflect.Type) fix {
	type field struct {
		at uintptr
		do fix
	}
	var fields []field
	for i := range t.NumField() {
		f := t.Field(i)
		do := func(_ *copier, at unsafe.Pointer) { reflect.NewAt(f.Type, at).Elem().SetZero() }
		switch {
		case !transient[t.Name()+"."+f.Name]:
			do = fixOf(f.Type)
		case f.Type.Kind() == reflect.Map:
			do = func(_ *copier, at unsafe.Pointer) { reflect.NewAt(f.Type, at).Elem().Set(reflect.MakeMap(f.Type)) }
		}
		if do != nil {
			fields = append(fields, field{f.Offset, do})
		}
	}
	if fields == nil {
		return nil
	}
	return func(c *copier, at unsafe.Pointer) {
		for i := range fields {
			fields[i].do(c, unsafe.Add(at, fields[i].at))
		}
	}
}

func fixArray(t reflect.Type) fix {
	do, size, n := fixOf(t.Elem()), t.Elem().Size(), t.Len()
	if do == nil {
		return nil
	}
	return func(c *copier, at unsafe.Pointer) {
		for i := range n {
			do(c, unsafe.Add(at, uintptr(i)*size))
		}
	}
}

func fixPointer(t reflect.Type) fix {
	do := later(t)
	return func(c *copier, at unsafe.Pointer) {
		if p := (*unsafe.Pointer)(at); *p != nil {
			*p = c.pointee(*p, t, do)
		}
	}
}

// pointee returns the copy of what is at old.
func (c *copier) pointee(old unsafe.Pointer, t reflect.Type, do fix) unsafe.Pointer {
	if at := uintptr(old) - uintptr(c.old); at < c.size {
		return unsafe.Add(c.new, at)
	}
	if o, ok := c.objects[old]; ok {
		if o.t != t {
			panic(fmt.Sprintf("every: a %s begins with a %s to which something refers", o.t, t))
		}
		return o.new
	}
	copied := reflect.New(t)
	copied.Elem().Set(reflect.NewAt(t, old).Elem())
	now := copied.UnsafePointer()
	c.objects[old] = object{t, now}
	do(c, now)
	return now
}

func fixSlice(t reflect.Type) fix {
	do, size := later(t.Elem()), t.Elem().Size()
	return func(c *copier, at unsafe.Pointer) {
		s := reflect.NewAt(t, at).Elem()
		if s.IsNil() {
			return
		}
		n := s.Len() // what lies behind it is nobody's
		copied := reflect.MakeSlice(t, n, n)
		reflect.Copy(copied, s)
		s.Set(copied)
		for i, data := 0, copied.UnsafePointer(); i < n; i++ {
			do(c, unsafe.Add(data, uintptr(i)*size))
		}
	}
}

func fixMap(t reflect.Type) fix {
	do := later(t.Elem())
	if fixOf(t.Key()) != nil {
		panic("every: a map by " + t.Key().String() + " cannot be copied")
	}
	return func(c *copier, at unsafe.Pointer) {
		m := reflect.NewAt(t, at).Elem()
		if m.IsNil() {
			return
		}
		copied := reflect.MakeMapWithSize(t, m.Len())
		for it := m.MapRange(); it.Next(); {
			v := reflect.New(t.Elem())
			v.Elem().SetIterValue(it)
			do(c, v.UnsafePointer())
			copied.SetMapIndex(it.Key(), v.Elem())
		}
		m.Set(copied)
	}
}

func fixInterface(t reflect.Type) fix {
	return func(c *copier, at unsafe.Pointer) {
		i := reflect.NewAt(t, at).Elem()
		if i.IsNil() {
			return
		}
		v := i.Elem()
		if v.Kind() != reflect.Pointer {
			panic("every: a " + v.Type().String() + " in an interface cannot be copied")
		}
		e := v.Type().Elem()
		i.Set(reflect.NewAt(e, c.pointee(v.UnsafePointer(), e, later(e))))
	}
}
