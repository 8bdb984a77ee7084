package host_test

import (
	"testing"
	"time"

	"github.com/nanoring/nanoring/host"
)

// TestDeadline: what ends is what has run for so long, and not what a machine has not run. A look
// is a quarter of a second after the one before, or however long the process was stopped.
func TestDeadline(t *testing.T) {
	const quarter = time.Second / 4
	share := func(percent int) func(int) map[int]time.Duration {
		return func(look int) map[int]time.Duration {
			return map[int]time.Duration{7: time.Hour, 8: time.Minute + time.Duration(look*percent)*quarter/100}
		}
	}
	alone := func(quarters func(look int) int) func(int) map[int]time.Duration {
		return func(look int) map[int]time.Duration {
			return map[int]time.Duration{8: time.Duration(quarters(look)) * quarter}
		}
	}
	for name, c := range map[string]struct {
		ran          func(look int) map[int]time.Duration
		after, until int // looks
	}{
		"alone on its processor":        {share(100), 5, 5},
		"with another on it":            {share(50), 7, 9},
		"on a tenth of one":             {share(10), 30, 41},
		"not run at all":                {share(0), 100, 150},
		"nobody knows":                  {func(int) map[int]time.Duration { return nil }, 5, 5},
		"nearly done, and then not run": {alone(func(look int) int { return min(look, 3) }), 100, 150},
		"stopped, and then run":         {alone(func(look int) int { return max(look-20, 0) }), 22, 25},
	} {
		if got := host.Late(1000, c.ran); got < c.after || got > c.until {
			t.Errorf("%s: ended at look %d, not %d to %d", name, got, c.after, c.until)
		}
	}
}
