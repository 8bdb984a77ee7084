package core_test

import (
	"testing"

	"github.com/nanoring/nanoring/core/story"
)

// TestScenarios plays the stories in testdata: see testdata/README.md. After a
// wanted change, go test ./core -run TestScenarios -rewrite records what happens
// now; read what it writes.
func TestScenarios(t *testing.T) { story.Play(t, "testdata", nil) }
