package host_test

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/andybalholm/brotli"
	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/sim"
	"github.com/nanoring/nanoring/host"
	"github.com/nanoring/nanoring/wasm/module"
)

var (
	keptSeeds  = flag.Int("host.kept", 3, "how many of the simulator's random stories TestKept lives with each module that a release had")
	keptSeed   = flag.Uint64("host.kept.seed", 1, "the first of their seeds")
	keptModule = flag.String("host.kept.module", "", "another `FILE` that TestKept takes for a release's: nanoring.wasm.br")
)

// TestKept lives random stories in rings of two versions: every other engine is the module of a release, and
// the others are today's. So each takes over from the other, too, and starts with the snapshot that the
// other has written, forward and back.
func TestKept(t *testing.T) {
	files, err := filepath.Glob("../testdata/released/*/nanoring.wasm.br")
	if err != nil {
		t.Fatal(err)
	}
	modules := make(map[string][]byte)
	if *keptModule != "" {
		files = append(files, *keptModule)
	}
	for _, file := range files {
		packed, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if modules[file], err = io.ReadAll(brotli.NewReader(bytes.NewReader(packed))); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
	}
	if len(modules) == 0 { // before the first release
		modules["today's"] = module.Wasm
	}
	for file, wasm := range modules {
		for seed := *keptSeed; seed < *keptSeed+uint64(*keptSeeds); seed++ {
			t.Run(fmt.Sprintf("%s/seed=%d", filepath.Base(filepath.Dir(file)), seed), func(t *testing.T) {
				t.Parallel()
				n, old := 0, 0
				tale := sim.Tale{Seed: seed, Crowd: -1, Talk: seed%4 == 0}
				w, err := tale.Live(sim.Config{New: func(cfg core.Config) (core.Engine, error) {
					if n++; n%2 == 0 {
						return core.New(cfg)
					}
					old++
					e, err := host.New(t.Context(), host.Config{Node: cfg, Module: wasm, Deadline: leisure})
					if err == nil {
						return e, nil
					}
					if _, other := core.New(cfg); other == nil { // what one has written the other has to read: see docs/upgrading.md
						t.Errorf("the module of %s does not start, as today's would: %v", file, err)
					}
					return nil, err
				}})
				w.Close()
				if err != nil {
					t.Errorf("with the module of %s: %v\nagain:\n\n    go test ./host -run TestKept -host.kept=1 -host.kept.seed=%d\n", file, err, seed)
				}
				if old < 2 || n-old < 2 {
					t.Errorf("of %d engines %d are the release's", n, old)
				}
			})
		}
	}
}
