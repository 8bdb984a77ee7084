package host_test

import (
	"flag"
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/story"
)

var most = flag.Int("host.steps", 1000, "how many steps of each process of a story to give to both engines; 0 for all")

// TestStories plays the stories of core/testdata on machines that run both
// engines. A few of them last for weeks: there the first steps have to do,
// and every eighth process runs both to the end.
func TestStories(t *testing.T) {
	story.Play(t, "../core/testdata", func(cfg core.Config) (core.Engine, error) {
		w, err := newTwin(t, cfg)
		if err != nil {
			return nil, err
		}
		if cfg.Instance.Nonce%8 > 0 {
			w.most = *most
		}
		return w, nil
	})
}
