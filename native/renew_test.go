package native

import (
	"crypto/sha256"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/nanoring/nanoring/core"
)

// boxed is an engine whose module has so many bytes.
type boxed struct {
	core.Engine
	size int
}

func (b boxed) MemorySize() int                     { return b.size }
func (boxed) ModuleDigest() (sum [sha256.Size]byte) { return sum }

// TestRenew: an engine whose module has grown is replaced, and nobody notices.
func TestRenew(t *testing.T) {
	const mib = 1 << 20
	for what, test := range map[string]struct {
		sizes []int // of one engine after the other
		gives int
		slow  bool
	}{
		"it has grown":        {[]int{30 * mib, 8 * mib, 9 * mib, 8 * mib}, 21 * mib, false},
		"the machine is slow": {[]int{30 * mib, 8 * mib}, 0, true},
		"it needs it":         {[]int{30 * mib, 25 * mib}, 0, false},
		"it is small":         {[]int{5 * mib, 1 * mib}, 0, false},
		"it is a native one":  {[]int{0, 0}, 0, false},
	} {
		t.Run(what, func(t *testing.T) {
			defer func(most time.Duration) { mostTrial = most }(mostTrial)
			if mostTrial = patience; test.slow {
				mostTrial = 0
			}
			made := 0
			cfg := config(t, "dev1")
			cfg.Tune = fast
			cfg.Engine = func(cfg core.Config) (core.Engine, error) {
				e, err := core.New(cfg)
				made++
				return boxed{e, test.sizes[min(made, len(test.sizes))-1]}, err
			}
			n := &mortal{start(t, cfg), cfg, nil}
			nodes := []*mortal{n, real(t, "dev2", join(n.Addr()))}
			agree(t, "", nodes...)
			rest(t, nodes)
			conns, all := open(t, n.Node), n.All()
			w := watch(t, n.Node)
			before, err := n.Engine(soon(t))
			must(t, err)
			got, err := n.Renew(soon(t))
			if err != nil || got != test.gives {
				t.Fatalf("%d bytes are given back, %v", got, err)
			}
			after, err := n.Engine(soon(t))
			must(t, err)
			if is := after.Since != before.Since; is != (test.gives > 0) || after.Memory != before.Memory-test.gives {
				t.Errorf("%+v; before: %+v", after, before)
			}
			if got, err := n.Renew(soon(t)); err != nil || got != 0 {
				t.Errorf("again: %d, %v", got, err)
			}
			if now := open(t, n.Node); !reflect.DeepEqual(now, conns) || !reflect.DeepEqual(n.All(), all) {
				t.Errorf("connections %v, %+v; before: %v, %+v", now, n.All(), conns, all)
			}
			w.heldUp(t, "dev1", nil)
			n.Close()
			if _, err := n.Renew(soon(t)); !errors.Is(err, ErrStopped) {
				t.Errorf("when it has ended: %v", err)
			}
		})
	}
}
