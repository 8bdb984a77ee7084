package nanoring

import (
	"path/filepath"
	"regexp"
	"testing"
)

// TestExamplesSideBySide: no two examples want the same port or data folder, so that all can run at once.
func TestExamplesSideBySide(t *testing.T) {
	takes := regexp.MustCompile(`127\.0\.0\.1:\d+|\bdata/\w+`)
	programs, err := filepath.Glob("examples/*/main.go")
	if err != nil || len(programs) < 3 {
		t.Fatal(programs, err)
	}
	whose := make(map[string]string)
	for _, program := range programs {
		for _, what := range takes.FindAllString(text(t, program), -1) {
			if other := whose[what]; other != "" && other != program {
				t.Errorf("%s and %s both take %s", other, program, what)
			}
			whose[what] = program
		}
	}
}
