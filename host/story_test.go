package host_test

import (
	"testing"

	"github.com/nanoring/nanoring/core/story"
)

// TestStories plays the stories of core/testdata on machines that run both engines.
func TestStories(t *testing.T) { story.Play(t, "../core/testdata", twins(t)) }
