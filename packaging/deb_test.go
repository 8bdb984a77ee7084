package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"strconv"
	"strings"
	"testing"
)

// deb is what a Debian package says: its fields, its scripts and lists, and its files.
type deb struct {
	fields  map[string]string
	control map[string]string
	files   map[string]*tar.Header
	content map[string]string
}

func readDeb(t *testing.T, name string) deb {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	rest, ok := bytes.CutPrefix(b, []byte("!<arch>\n"))
	if !ok {
		t.Fatalf("%s is no archive", name)
	}
	d := deb{fields: make(map[string]string), control: make(map[string]string), files: make(map[string]*tar.Header), content: make(map[string]string)}
	for len(rest) >= 60 {
		member := strings.TrimRight(string(rest[:16]), " /")
		size, err := strconv.Atoi(strings.TrimSpace(string(rest[48:58])))
		if err != nil || 60+size > len(rest) {
			t.Fatalf("%s, %s: %v", name, member, err)
		}
		data := rest[60 : 60+size]
		rest = rest[min(60+size+size%2, len(rest)):]
		switch member {
		case "control.tar.gz":
			untar(t, data, func(h *tar.Header, text string) { d.control[strings.TrimPrefix(h.Name, "./")] = text })
		case "data.tar.gz":
			untar(t, data, func(h *tar.Header, text string) {
				path := "/" + strings.Trim(strings.TrimPrefix(h.Name, "."), "/")
				d.files[path], d.content[path] = h, text
			})
		}
	}
	for line := range strings.Lines(d.control["control"]) {
		if name, value, ok := strings.Cut(line, ": "); ok {
			d.fields[name] = strings.TrimSpace(value)
		}
	}
	return d
}

// untar tells of each member of a .tar.gz.
func untar(t *testing.T, packed []byte, each func(h *tar.Header, text string)) {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		each(h, string(text))
	}
}
