package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestDistSigning does the dry run that docs/releasing.md has.
func TestDistSigning(t *testing.T) {
	made(t, "")
	if _, err := exec.LookPath("gpg"); err != nil {
		t.Skip("there is no gpg")
	}
	page, err := os.ReadFile("../docs/releasing.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(page), "\n## Signing\n")
	section, _, _ = strings.Cut(section, "\n## ")
	var script strings.Builder
	lines := regexp.MustCompile(`(?m)^    \$ (.*)$`).FindAllStringSubmatch(section, -1)
	if len(lines) < 6 {
		t.Fatalf("docs/releasing.md has %d lines", len(lines))
	}
	for _, m := range lines {
		script.WriteString(m[1] + "\n")
	}
	whole, err := filepath.Abs(*dist)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.Symlink(whole, filepath.Join(dir, "dist")); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "bash", "-e")
	cmd.Dir, cmd.Stdin = dir, strings.NewReader(script.String())
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "Good signature from") {
		t.Errorf("%v\n%s", err, out)
	}
	if _, err := os.Stat(filepath.Join(whole, "SHA256SUMS.asc")); err == nil {
		t.Error("the dry run's signature is left")
	}
}
