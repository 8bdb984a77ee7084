package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"unicode"
	"unicode/utf16"
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
func printFields(to io.Writer, o fields) error {
	w := &printer{Writer: bufio.NewWriter(to)}
	for i, f := range o {
		w.WriteString([]string{"{\n  ", ",\n  "}[min(i, 1)])
		w.json(f.key, "")
		w.WriteString(": ")
		rs, ok := f.value.(records)
		if !ok || len(rs) == 0 {
			w.json(f.value, "  ")
			continue
		}
		for i := range rs {
			w.WriteString([]string{"[\n    ", ",\n    "}[min(i, 1)])
			shown, err := showRecord(&rs[i])
			w.fail(err)
			w.json(shown, "    ")
		}
		w.WriteString("\n  ]")
	}
	w.WriteString("\n}\n")
	w.fail(w.Flush())
	return w.err
}

type printer struct {
	*bufio.Writer
	err error // the first, but for the writer's, which Flush repeats
}

func (w *printer) fail(err error) {
	if w.err == nil {
		w.err = err
	}
}

// json prints v so that it does nothing to a terminal.
func (w *printer) json(v any, indent string) {
	b, err := compact(v)
	if err != nil {
		w.fail(err)
		return
	}
	var indented bytes.Buffer
	w.fail(json.Indent(&indented, bytes.TrimSpace(b), indent, "  "))
	for _, c := range indented.String() {
		switch {
		case unicode.IsPrint(c), c == '\n':
			w.WriteRune(c)
		case c > 0xffff:
			high, low := utf16.EncodeRune(c)
			fmt.Fprintf(w, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(w, `\u%04x`, c)
		}
	}
}
