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
type file struct {
	text, path string
	read       func(path string) ([]byte, error)
	reading    chan contents // of a read that has not been waited for to its end; nil: none is under way
}

type contents struct {
	bytes []byte
	err   error
}

// Addresses implements Source. The disk of a file may hang, for which there is no remedy: the
// read goes on then, and is what the next call waits for.
func (f *file) Addresses(ctx context.Context) ([]string, error) {
	if f.reading == nil {
		reading := make(chan contents, 1)
		f.reading = reading
		go func() {
			b, err := f.read(f.path)
			reading <- contents{b, err}
		}()
	}
	select {
	case c := <-f.reading:
		f.reading = nil
		if c.err != nil {
			return nil, c.err
		}
		return listed(c.bytes)
	case <-ctx.Done():
		return nil, fmt.Errorf("%s is not read yet: its disk does not answer", f.path)
	}
}

// readFile reads so much of a file as there may be.
func readFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() { // a pipe would never end
		return nil, fmt.Errorf("%s is no file", path)
	}
	in, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	return io.ReadAll(io.LimitReader(in, mostText+1))
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
