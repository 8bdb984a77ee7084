package main

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// notes writes what CHANGELOG.md says of the version.
func (r *release) notes() error {
	b, err := os.ReadFile(filepath.Join(r.root, "CHANGELOG.md"))
	if err != nil {
		return err
	}
	text, err := notesOf(string(b), r.version)
	if err != nil {
		return err
	}
	return os.WriteFile(r.file("-notes.md"), []byte(text), 0o644)
}

// notesOf returns the lines of a changelog that are a version's, without its heading.
func notesOf(changelog, version string) (string, error) {
	var text strings.Builder
	within := false
	for line := range strings.Lines(changelog) {
		if heading, is := strings.CutPrefix(line, "## "); is {
			name, _, _ := strings.Cut(strings.TrimSpace(heading), " ")
			within = name == version
		} else if within {
			text.WriteString(line)
		}
	}
	if strings.TrimSpace(text.String()) == "" {
		return "", fmt.Errorf("CHANGELOG.md says nothing of %s: give what is released a heading, ## %s", version, version)
	}
	return strings.Trim(text.String(), "\n") + "\n", nil
}

// sums writes the checksums of all that is there, as sha256sum does.
func (r *release) sums() error {
	files, err := os.ReadDir(r.out) // sorted
	if err != nil {
		return err
	}
	var text strings.Builder
	for _, f := range files {
		b, err := os.ReadFile(filepath.Join(r.out, f.Name()))
		if err != nil {
			return err
		}
		fmt.Fprintf(&text, "%x  %s\n", sha256.Sum256(b), f.Name())
	}
	return os.WriteFile(filepath.Join(r.out, "SHA256SUMS"), []byte(text.String()), 0o644)
}
