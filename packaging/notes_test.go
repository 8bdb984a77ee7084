package main

import (
	"os"
	"strings"
	"testing"

	"github.com/nanoring/nanoring"
)

func TestNotes(t *testing.T) {
	const changelog = "# Changelog\n\n## Unreleased\n\nnew\n\n## 0.2.0 (2027-01-01)\n\n### Added\n\n- b\n\n## 0.1.0\n\n- a\n"
	for version, want := range map[string]string{"0.2.0": "### Added\n\n- b\n", "0.1.0": "- a\n"} {
		if got, err := notesOf(changelog, version); got != want || err != nil {
			t.Errorf("%s: %q, %v", version, got, err)
		}
	}
	if _, err := notesOf(changelog, "0.3.0"); err == nil || !strings.Contains(err.Error(), "## 0.3.0") {
		t.Errorf("of a version that there is not: %v", err)
	}
	b, err := os.ReadFile("../CHANGELOG.md")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := notesOf(string(b), nanoring.Version); err != nil {
		t.Error(err)
	}
}
