package main

import (
	"bytes"
	"encoding/json"
)

// fields is a JSON object whose keys keep their order.
type fields []field

type field struct {
	key   string
	value any
}

func (o *fields) add(key string, value any) { *o = append(*o, field{key, value}) }

func (o *fields) addTime(key string, micros int64) {
	o.add(key, micros)
	o.add(key+"Time", rfc3339(micros))
}

func (o fields) MarshalJSON() ([]byte, error) {
	b := []byte{'{'}
	for i, f := range o {
		if i > 0 {
			b = append(b, ',')
		}
		key, err := compact(f.key)
		if err != nil {
			return nil, err
		}
		value, err := compact(f.value)
		if err != nil {
			return nil, err
		}
		b = append(append(append(b, key...), ':'), value...)
	}
	return append(b, '}'), nil
}

// compact is json.Marshal without the escapes that only HTML needs.
func compact(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return b.Bytes(), err
}

// printFields prints o, indented; its records one by one.
func printFields(to printer, o fields) error {
	var w bytes.Buffer
	for i, f := range o {
		w.WriteString([]string{"{\n  ", ",\n  "}[min(i, 1)])
		if err := printJSON(&w, f.key, ""); err != nil {
			return err
		}
		w.WriteString(": ")
		rs, ok := f.value.(records)
		if !ok || len(rs) == 0 {
			if err := printJSON(&w, f.value, "  "); err != nil {
				return err
			}
			continue
		}
		for i := range rs {
			w.WriteString([]string{"[\n    ", ",\n    "}[min(i, 1)])
			shown, err := showRecord(&rs[i])
			if err != nil {
				return err
			}
			if err := printJSON(&w, shown, "    "); err != nil {
				return err
			}
			if err := to.json(w.Bytes()); err != nil { // there may be many
				return err
			}
			w.Reset()
		}
		w.WriteString("\n  ]")
	}
	w.WriteString("\n}\n")
	return to.json(w.Bytes())
}

func printJSON(w *bytes.Buffer, v any, indent string) error {
	b, err := compact(v)
	if err != nil {
		return err
	}
	return json.Indent(w, bytes.TrimSpace(b), indent, "  ")
}
