package disk

import (
	"errors"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/nanoring/nanoring/core"
)

// TestTrapsAreFew: of many only the last are kept.
func TestTrapsAreFew(t *testing.T) {
	f := open(t, t.TempDir())
	var files []string
	for i := range 3 * maxTraps {
		trap := NewTrap(time.Unix(int64(i), 0), "", core.Input{Kind: core.Received, Frame: []byte("poison")}, errors.New("it broke"))
		if err := f.KeepTrap(trap); err != nil {
			t.Fatal(err)
		}
		files = append(files, f.TrapFile(trap))
	}
	kept, _ := filepath.Glob(filepath.Join(f.Traps(), "*"))
	if !slices.Equal(kept, files[2*maxTraps:]) {
		t.Errorf("%q", kept)
	}
}
