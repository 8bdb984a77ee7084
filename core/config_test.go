package core_test

import (
	"errors"
	"testing"

	"github.com/nanoring/nanoring/core"
)

// TestReapAfterLimits: what a presence cannot say is refused at the start.
func TestReapAfterLimits(t *testing.T) {
	for after, ok := range map[int64]bool{
		0: true, core.Minute: true, 3650 * core.Day: true,
		-core.Minute: false, core.Minute - core.Second: false, core.Minute + 1: false, 3650*core.Day + core.Second: false,
	} {
		cfg := me()
		cfg.ReapAfter = after
		_, err := core.New(cfg)
		var wrong *core.ConfigError
		if ok != (err == nil) || err != nil && (!errors.As(err, &wrong) || wrong.Field != "ReapAfter") {
			t.Errorf("%d: %v", after, err)
		}
	}
}
