package nanoring

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestSecurityTable: every row of the table of threats names tests, and they are there.
func TestSecurityTable(t *testing.T) {
	doc, err := os.ReadFile("docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(doc), "\n| who | what they have |")
	table, _, _ = strings.Cut(table, "\n\n")
	rows := strings.Split(table, "\n")[2:] // below its head
	if len(rows) < 10 {
		t.Fatalf("the table has %d rows", len(rows))
	}
	there := make(map[string]bool)
	function := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
	err = filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		b, err := os.ReadFile(path)
		for _, m := range function.FindAllSubmatch(b, -1) {
			there[string(m[1])] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	name := regexp.MustCompile(`\b(?:Test|Fuzz)\w+`)
	for _, row := range rows {
		tests := name.FindAllString(row, -1)
		if len(tests) == 0 {
			t.Errorf("no test shows it: %s", row)
		}
		for _, test := range tests {
			if !there[test] {
				t.Errorf("there is no %s: %s", test, row)
			}
		}
	}
}
