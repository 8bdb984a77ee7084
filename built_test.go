package nanoring

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const mostTracked = 256 << 10 // bytes of a file that somebody wrote

// larger are the files that may have more, and how much.
var larger = map[string]int64{
	"wasm/module/nanoring.wasm":    4 << 20,
	"wasm/module/nanoring.wasm.br": 1 << 20,
}

// programs are how those begin that were built, by system.
var programs = map[string]string{
	"\x7fELF": "ELF", "MZ": "PE", "!<arch>\n": "an archive of objects",
	"\xfe\xed\xfa\xce": "Mach-O", "\xfe\xed\xfa\xcf": "Mach-O", "\xce\xfa\xed\xfe": "Mach-O", "\xcf\xfa\xed\xfe": "Mach-O", "\xca\xfe\xba\xbe": "Mach-O",
	"\x00asm": "WebAssembly",
}

// TestNothingBuiltIsTracked: what is built has no place in the history, which nobody gets it out of again.
func TestNothingBuiltIsTracked(t *testing.T) {
	files := tracked(t)
	if len(files) < 500 {
		t.Fatalf("only %d files were looked at", len(files))
	}
	for _, file := range files {
		if wrong := built(t, file, file); wrong != "" {
			t.Errorf("%s is %s: take it out, or say here that it is to be there", file, wrong)
		}
	}
	for file := range larger {
		if !slices.Contains(files, file) {
			t.Errorf("%s is not there, and need not be said", file)
		}
	}
	// What it finds: this test's own program, and what others would be.
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if built(t, self, "cmd/nanoring/nanoring") == "" {
		t.Error("a program that go build has made is not found")
	}
	for head := range programs {
		file := filepath.Join(t.TempDir(), "x")
		if err := os.WriteFile(file, []byte(head+"..."), 0o600); err != nil {
			t.Fatal(err)
		}
		if built(t, file, "x") == "" {
			t.Errorf("what begins with %q is not found", head)
		}
	}
}

// built says what a file is that has no place, by the name that it has in the project; "" for nothing.
func built(t *testing.T, file, name string) string {
	t.Helper()
	f, err := os.Open(file)
	if os.IsNotExist(err) { // it is about to be deleted
		return ""
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	most, known := larger[name]
	if !known {
		most = mostTracked
	}
	if info.Size() > most {
		return fmt.Sprintf("%d bytes: there are %d at most", info.Size(), most)
	}
	head := make([]byte, 8)
	n, err := io.ReadFull(f, head)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		t.Fatal(err)
	}
	for begin, what := range programs {
		if !known && bytes.HasPrefix(head[:n], []byte(begin)) {
			return "a program (" + what + ")"
		}
	}
	return ""
}

// tracked returns the files that git has, or, where there is no git, as in an archive, all that are there.
func tracked(t *testing.T) (files []string) {
	t.Helper()
	if _, err := os.Stat(".git"); err == nil {
		out, err := exec.CommandContext(t.Context(), "git", "ls-files", "-z").Output()
		if err != nil {
			t.Fatalf("git ls-files: %v", err)
		}
		return strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
	}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && (d.Name() == "node_modules" || path == "bin" || path == "data") {
			return fs.SkipDir
		}
		if err == nil && d.Type().IsRegular() {
			files = append(files, filepath.ToSlash(path))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
