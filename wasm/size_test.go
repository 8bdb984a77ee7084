package main

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// BenchmarkSize reports what fills the module: it is built with the names of its
// functions, and their code counted by package.
func BenchmarkSize(b *testing.B) {
	var m sizes
	for b.Loop() {
		path := filepath.Join(b.TempDir(), "named.wasm")
		build := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-buildmode=c-shared", "-ldflags=-w -buildid=", "-o", path, ".")
		build.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "GOEXPERIMENT=nogreenteagc")
		if out, err := build.CombinedOutput(); err != nil {
			b.Fatalf("%v: %s", err, out)
		}
		wasm, err := os.ReadFile(path)
		if err != nil {
			b.Fatal(err)
		}
		m = sizesOf(wasm)
	}
	report := fmt.Sprintf("code %d, data %d; names %d, which the module does not have; code by package:\n", m.code, m.data, m.names)
	packages := slices.Collect(maps.Keys(m.packages))
	slices.SortFunc(packages, func(p, q string) int { return cmp.Compare(m.packages[q], m.packages[p]) })
	for i, p := range packages[:min(len(packages), 20)] { // four a line: a benchmark may log ten
		report += fmt.Sprintf("%9d %-22s", m.packages[p], p)
		if i%4 == 3 {
			report += "\n"
		}
	}
	b.Log(report)
}

// sizes are the bytes of a module's sections, and of its code by package.
type sizes struct {
	code, data, names int
	packages          map[string]int
}

// sizesOf reads a module as the Go linker writes it.
func sizesOf(wasm []byte) sizes {
	m := sizes{packages: make(map[string]int)}
	var functions []int // sizes
	imported := 0
	names := make(map[int]string)
	for rest := wasm[8:]; len(rest) > 0; {
		id := rest[0]
		var section []byte
		section, rest = block(rest[1:])
		switch id {
		case 2: // imports
			imported, _ = integer(section)
		case 10: // code
			m.code = len(section)
			for _, section = integer(section); len(section) > 0; {
				var body []byte
				body, section = block(section)
				functions = append(functions, len(body))
			}
		case 11:
			m.data = len(section)
		case 0: // custom
			if kind, content := block(section); string(kind) == "name" {
				m.names = len(section)
				readNames(content, names)
			}
		}
	}
	for i, size := range functions {
		m.packages[packageOf(names[imported+i])] += size
	}
	return m
}

// readNames reads the names of functions in a name section.
func readNames(content []byte, names map[int]string) {
	for len(content) > 0 {
		id := content[0]
		var part []byte
		if part, content = block(content[1:]); id != 1 {
			continue
		}
		for _, part = integer(part); len(part) > 0; {
			var index int
			var name []byte
			index, part = integer(part)
			name, part = block(part)
			names[index] = string(name)
		}
	}
}

// packageOf returns the package of a function as the linker names it, with
// underscores for slashes; what is exported has none.
func packageOf(name string) string {
	name = strings.TrimPrefix(name, "github.com_")
	name = strings.TrimPrefix(name, "nanoring_nanoring_")
	p, _, _ := strings.Cut(name, ".")
	return p
}

func integer(b []byte) (int, []byte) {
	n, size := binary.Uvarint(b)
	return int(n), b[size:]
}

func block(b []byte) ([]byte, []byte) {
	n, b := integer(b)
	return b[:n], b[n:]
}

func TestPackageOf(t *testing.T) {
	for name, want := range map[string]string{
		"github.com_nanoring_nanoring_core.__Ring_.merge": "core",
		"github.com_nanoring_nanoring_core_wire.head":     "core_wire",
		"github.com_cespare_xxhash_v2.Sum64":              "cespare_xxhash_v2",
		"runtime.mallocgc":                                "runtime",
		"slices.Insert_go.shape.___github.com_nanoring_nanoring_core_lww.Record_go.shape._uint8_": "slices",
		"tick": "tick",
	} {
		if got := packageOf(name); got != want {
			t.Errorf("%s: %s, not %s", name, got, want)
		}
	}
}

func TestSizesOf(t *testing.T) {
	wasm := slices.Concat([]byte("\x00asm\x01\x00\x00\x00"),
		[]byte{10, 7, 2, 2, 0, 0x0b, 2, 0, 0x0b}, // two functions
		[]byte{0, 16, 4}, []byte("name"), []byte{1, 9, 2, 0, 3}, []byte("a.b"), []byte{1, 1}, []byte("c"))
	m := sizesOf(wasm)
	if want := map[string]int{"a": 2, "c": 2}; !maps.Equal(m.packages, want) || m.code != 7 || m.names != 16 {
		t.Errorf("%+v, not %v", m, want)
	}
}
