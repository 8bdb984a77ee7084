package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestCommit: what is not committed is an error, and a commit without the tag is no release.
func TestCommit(t *testing.T) {
	r := &release{root: t.TempDir(), version: "1.2.3"}
	git := func(args ...string) {
		t.Helper()
		if _, err := r.git(append([]string{"-c", "user.name=x", "-c", "user.email=x@example.org"}, args...)...); err != nil {
			t.Fatal(err)
		}
	}
	write := func(name string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(r.root, name), []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("GIT_COMMITTER_DATE", "1700000000 +0500")
	git("init", "-q")
	write("a")
	git("add", ".")
	git("commit", "-q", "-m", "one")

	write("new file")
	if err := r.commit(); err == nil || !strings.Contains(err.Error(), `?? "new file"`) || !strings.Contains(err.Error(), "Commit it, or take it away") {
		t.Errorf("with a file that is not committed: %v", err)
	}
	if err := os.Remove(filepath.Join(r.root, "new file")); err != nil {
		t.Fatal(err)
	}
	if err := r.commit(); err != nil || !strings.Contains(r.noRelease, "has not the tag v1.2.3") || !strings.Contains(r.noRelease, "there is none of this name") {
		t.Errorf("without a tag: %v, %q", err, r.noRelease)
	}
	git("tag", "v1.2.3")
	r.noRelease = ""
	for _, file := range []string{"core/wire/testdata/vectors.json", "native/openapi.json", "wasm/module/nanoring.wasm.br"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(r.root, file)), 0o700); err != nil {
			t.Fatal(err)
		}
		write(file)
	}
	again := func() {
		git("add", ".")
		git("commit", "-q", "-m", "again")
		git("tag", "-f", "v1.2.3")
	}
	again()
	if err := r.commit(); err == nil || !strings.Contains(err.Error(), "run make keep, commit what it writes") {
		t.Errorf("with its tag, and nothing kept: %v", err)
	}
	keep := func(as map[string]string) {
		t.Helper()
		for name, has := range as {
			if err := os.WriteFile(filepath.Join(r.root, "testdata/released/1.2.3", name), []byte(has), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		again()
	}
	if err := os.MkdirAll(filepath.Join(r.root, "testdata/released/1.2.3"), 0o700); err != nil {
		t.Fatal(err)
	}
	keep(map[string]string{"vectors.json": "core/wire/testdata/vectors.json", "openapi.json": "native/openapi.json", "nanoring.wasm.br": "another"})
	if err := r.commit(); err == nil || !strings.Contains(err.Error(), "nanoring.wasm.br of this commit is not what") {
		t.Errorf("with another module kept: %v", err)
	}
	keep(map[string]string{"nanoring.wasm.br": "wasm/module/nanoring.wasm.br"})
	if err := r.commit(); err != nil || r.noRelease != "" || r.when.Unix() != 1700000000 {
		t.Errorf("with its tag: %v, %q, %s", err, r.noRelease, r.when)
	}
	write("a2")
	git("add", ".")
	git("commit", "-q", "-m", "two")
	if err := r.commit(); err != nil || !strings.Contains(r.noRelease, ": it is at ") {
		t.Errorf("after it: %v, %q", err, r.noRelease)
	}
}
