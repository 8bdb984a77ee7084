package sim

import (
	"reflect"

	"github.com/nanoring/nanoring/core"
)

// footprint is how much an engine holds on to: in the memory of all that can be
// reached from it, however it is called there.
type footprint struct{ bytes int }

// footprintOf walks through an engine.
func footprintOf(e core.Engine) (f footprint) {
	f.walk(reflect.ValueOf(e), make(map[place]bool))
	return f
}

var interner = reflect.TypeFor[*core.Interner]()

// place is where something is that was counted.
type place struct {
	at uintptr
	of reflect.Type
}

func (f *footprint) walk(v reflect.Value, seen map[place]bool) {
	once := func() bool {
		p := place{v.Pointer(), v.Type()}
		if v.IsNil() || seen[p] {
			return false
		}
		seen[p] = true
		return true
	}
	if v.Type() == interner {
		return // it has all that others hold, too
	}
	switch v.Kind() {
	case reflect.Interface:
		if !v.IsNil() {
			f.walk(v.Elem(), seen)
		}
	case reflect.Pointer:
		if once() {
			f.bytes += int(v.Type().Elem().Size())
			f.walk(v.Elem(), seen)
		}
	case reflect.String:
		f.bytes += v.Len()
	case reflect.Struct:
		for i := range v.NumField() {
			f.walk(v.Field(i), seen)
		}
	case reflect.Array:
		f.each(v, seen)
	case reflect.Slice:
		if once() {
			f.bytes += v.Cap() * int(v.Type().Elem().Size())
			v = v.Slice(0, v.Cap()) // also what was cut off can be reached
			f.each(v, seen)
		}
	case reflect.Map:
		if once() {
			f.bytes += v.Len() * int(v.Type().Key().Size()+v.Type().Elem().Size())
			for i := v.MapRange(); i.Next(); {
				f.walk(i.Key(), seen)
				f.walk(i.Value(), seen)
			}
		}
	}
}

func (f *footprint) each(v reflect.Value, seen map[place]bool) {
	if k := v.Type().Elem().Kind(); k <= reflect.Complex128 && k != reflect.Array {
		return // numbers
	}
	for i := range v.Len() {
		f.walk(v.Index(i), seen)
	}
}
