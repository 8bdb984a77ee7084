package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// mostSize is what a module can have of memory, or on a system of 32 bits a process.
const mostSize = min(4<<30, math.MaxInt>>30<<30)

// size is a flag's number of bytes.
type size int

var units = []struct {
	name  string
	bytes int
}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}}

// String prints it in the largest unit that it is a multiple of.
func (s *size) String() string { return formatSize(int(*s)) }

func formatSize(n int) string {
	for _, u := range units {
		if n >= u.bytes && n%u.bytes == 0 {
			return strconv.Itoa(n/u.bytes) + u.name
		}
	}
	return strconv.Itoa(n)
}

// Set implements pflag.Value.
func (s *size) Set(text string) error {
	for _, u := range units {
		if count, ok := strings.CutSuffix(text, u.name); ok {
			n, err := strconv.ParseUint(count, 10, 16)
			if err != nil || n == 0 || n*uint64(u.bytes) > mostSize {
				break
			}
			*s = size(int(n) * u.bytes)
			return nil
		}
	}
	return fmt.Errorf("%q is not a size like 64MiB or 1GiB, of %s at most", text, formatSize(mostSize))
}

// Type implements pflag.Value.
func (s *size) Type() string { return "size" }
