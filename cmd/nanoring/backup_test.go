package main

import (
	"os"
	"path/filepath"
	"testing"
)

// TestReplaceFile: a file is replaced by one, and what is none stays.
func TestReplaceFile(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	for range 2 {
		if err := replaceFile(in("file"), []byte("new")); err != nil {
			t.Fatal(err)
		}
	}
	if err := mkfifo(in("pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("pipe", in("link")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(in("folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"pipe", "link", "folder"} {
		before, err := os.Lstat(in(name))
		if err != nil {
			t.Fatal(err)
		}
		if err := replaceFile(in(name), []byte("new")); err == nil {
			t.Errorf("the %s is replaced", name)
		}
		if after, err := os.Lstat(in(name)); err != nil || after.Mode() != before.Mode() {
			t.Errorf("the %s is another: %v", name, err)
		}
	}
	if left, _ := os.ReadDir(dir); len(left) != 4 {
		t.Errorf("there are %d files, not 4", len(left))
	}
}
