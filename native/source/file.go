package source

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// mostText is how much of a file, or of a program's output, is read.
const mostText = 256 << 10

// file is a list of HOST:PORTs, one or more a line; # begins a comment.
type file struct{ text, path string }

// Addresses implements Source.
func (f *file) Addresses(context.Context) ([]string, error) {
	info, err := os.Stat(f.path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() { // a pipe would never end
		return nil, fmt.Errorf("%s is no file", f.path)
	}
	in, err := os.Open(f.path)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	b, err := io.ReadAll(io.LimitReader(in, mostText+1))
	if err != nil {
		return nil, err
	}
	return listed(b)
}

func (f *file) String() string { return f.text }

// Close implements Source.
func (f *file) Close() error { return nil }

// listed reads addresses that stand in a text.
func listed(b []byte) ([]string, error) {
	var long error
	if len(b) > mostText {
		b, long = b[:1+bytes.LastIndexByte(b[:mostText], '\n')], errors.New("it is longer than 256 KiB: the rest is left out")
	}
	var all []string
	for line := range strings.Lines(strings.TrimPrefix(string(b), "\ufeff")) {
		line, _, _ = strings.Cut(line, "#")
		all = append(all, strings.FieldsFunc(line, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' || r == '\r' || r == '\n' })...)
	}
	good, err := cleaned(all)
	if err == nil {
		err = long
	}
	return good, err
}
