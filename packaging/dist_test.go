package main

import (
	"archive/tar"
	"archive/zip"
	"crypto/sha256"
	"debug/buildinfo"
	"debug/elf"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/nanoring/nanoring"
)

var dist = flag.String("dist", "", "the folder that make release has made, to be looked at")

func made(t *testing.T, rest string) string {
	t.Helper()
	if *dist == "" {
		t.Skip("make release-check looks at a release")
	}
	return filepath.Join(*dist, "nanoring-"+nanoring.Version+rest)
}

// TestDistSums: each file has the checksum that SHA256SUMS says, and there is no other.
func TestDistSums(t *testing.T) {
	made(t, "")
	text, err := os.ReadFile(filepath.Join(*dist, "SHA256SUMS"))
	if err != nil {
		t.Fatal(err)
	}
	var want strings.Builder
	for _, name := range names(t, *dist) {
		if name == "SHA256SUMS" || strings.HasPrefix(name, "SHA256SUMS.") { // its signature comes later
			continue
		}
		b, err := os.ReadFile(filepath.Join(*dist, name))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&want, "%x  %s\n", sha256.Sum256(b), name)
	}
	if want.String() != string(text) {
		t.Errorf("SHA256SUMS says\n%s\nand there is\n%s", text, want.String())
	}
}

// TestDistPrograms: each archive has a program for what its name says, which needs nothing of the system and is
// of one commit; that of this machine runs.
func TestDistPrograms(t *testing.T) {
	made(t, "")
	seen := 0
	for _, of := range targets {
		program := filepath.Join(t.TempDir(), of.program())
		if !unarchive(t, of, program) {
			t.Logf("%s was not made", of)
			continue
		}
		seen++
		info, err := buildinfo.ReadFile(program)
		if err != nil {
			t.Fatal(err)
		}
		settings := make(map[string]string)
		for _, s := range info.Settings {
			settings[s.Key] = s.Value
		}
		for key, want := range map[string]string{"GOOS": of.system, "GOARCH": of.arch, "GOARM": of.variant, "CGO_ENABLED": "0", "-trimpath": "true", "vcs.modified": "false"} {
			if settings[key] != want {
				t.Errorf("%s: %s is %q", of, key, settings[key])
			}
		}
		if of.system == "linux" {
			f, err := elf.Open(program)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range f.Progs {
				if p.Type == elf.PT_INTERP || p.Type == elf.PT_DYNAMIC {
					t.Errorf("%s is not static", of)
				}
			}
			f.Close()
		}
		if of.system == runtime.GOOS && of.arch == runtime.GOARCH {
			out, err := exec.CommandContext(t.Context(), program, "--version").Output()
			if err != nil || !strings.HasPrefix(string(out), "nanoring "+nanoring.Version) {
				t.Errorf("it says %q, %v", out, err)
			}
		}
	}
	if seen == 0 {
		t.Error("there is no program")
	}
}

// unarchive takes the program out of the archive of a target. It says false if there is none.
func unarchive(t *testing.T, of target, to string) bool {
	t.Helper()
	name := made(t, "-"+of.file())
	want := filepath.Base(name) + "/" + of.program()
	write := func(b []byte) {
		if err := os.WriteFile(to, b, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if of.system == "windows" {
		z, err := zip.OpenReader(name + ".zip")
		if os.IsNotExist(err) {
			return false
		}
		if err != nil {
			t.Fatal(err)
		}
		defer z.Close()
		f, err := z.Open(want)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(f)
		if err != nil {
			t.Fatal(err)
		}
		write(b)
		return true
	}
	b, err := os.ReadFile(name + ".tar.gz")
	if os.IsNotExist(err) {
		return false
	}
	if err != nil {
		t.Fatal(err)
	}
	untar(t, b, func(h *tar.Header, text string) {
		if h.Name == want && h.Mode == 0o755 {
			write([]byte(text))
		}
	})
	return true
}

// TestDistMaterials: what the programs say that they are made of is said, with the version of Go, and nothing else.
func TestDistMaterials(t *testing.T) {
	b, err := os.ReadFile(made(t, ".cdx.json"))
	if err != nil {
		t.Fatal(err)
	}
	var bom struct {
		BomFormat  string
		Components []struct{ Name, Version, Purl string }
	}
	if err := json.Unmarshal(b, &bom); err != nil || bom.BomFormat != "CycloneDX" {
		t.Fatalf("%q, %v", bom.BomFormat, err)
	}
	found := make(map[string]string)
	for _, c := range bom.Components {
		found[c.Name] = c.Purl
	}
	want := make(map[string]string)
	for _, of := range targets {
		program := filepath.Join(t.TempDir(), of.program())
		if !unarchive(t, of, program) {
			continue
		}
		info, err := buildinfo.ReadFile(program)
		if err != nil {
			t.Fatal(err)
		}
		want["std"] = "pkg:golang/std@" + strings.TrimPrefix(info.GoVersion, "go")
		for _, m := range info.Deps {
			want[m.Path] = "pkg:golang/" + m.Path + "@" + m.Version
		}
	}
	if len(want) < 10 || !maps.Equal(found, want) {
		t.Errorf("it says %v, and the programs %v", found, want)
	}
}

// TestDistNpm: the package that npm would get has its command, its library and its types.
func TestDistNpm(t *testing.T) {
	b, err := os.ReadFile(made(t, "-npm.tgz"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	untar(t, b, func(h *tar.Header, text string) {
		to := filepath.Join(dir, filepath.FromSlash(h.Name))
		if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, []byte(text), os.FileMode(h.Mode)); err != nil {
			t.Fatal(err)
		}
	})
	for _, name := range []string{"package.json", "LICENSE", "README.md", "lib/nanoring.js", "lib/nanoring.wasm", "types/nanoring.d.ts"} {
		if _, err := os.Stat(filepath.Join(dir, "package", name)); err != nil {
			t.Error(err)
		}
	}
	for _, name := range documentedNpm(t) { // npm takes a path without ./ for a repository of GitHub; to pack is to publish nowhere
		pack := exec.CommandContext(t.Context(), "npm", "pack", "--dry-run", "--offline", name)
		pack.Dir = filepath.Dir(*dist)
		if out, err := pack.CombinedOutput(); err != nil {
			t.Errorf("npm pack %s: %v\n%s", name, err, out)
		}
	}
	check := exec.CommandContext(t.Context(), "node", "--check", filepath.Join(dir, "package/bin/nanoring.js")) // older ones have no WebSocket to run it with
	if out, err := check.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// documentedNpm returns what docs/releasing.md has npm publish.
func documentedNpm(t *testing.T) (names []string) {
	t.Helper()
	page, err := os.ReadFile("../docs/releasing.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`(?m)^    \$ npm publish --dry-run (\S+)`).FindAllStringSubmatch(string(page), -1) {
		names = append(names, strings.ReplaceAll(m[1], "0.1.0", nanoring.Version))
	}
	if len(names) == 0 {
		t.Error("docs/releasing.md publishes no npm package")
	}
	return names
}
