package disk

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

// TestRefuse: an engine that cannot use a whole ring file gets the one before it, and
// files stay as they are until one is used.
func TestRefuse(t *testing.T) {
	why := errors.New("no snapshot of mine")
	one, two := EncodeRingFile([]byte("one")), EncodeRingFile([]byte("two"))
	for _, test := range []struct {
		name       string
		ring, prev []byte
		want       string
		says       string
	}{
		{name: "both whole", ring: two, prev: one, want: "one"},
		{name: "the one before damaged", ring: two, prev: damaged("one"), says: "checksum"},
		{name: "none before", ring: two, says: "no such file"},
		{name: "ring damaged, the one before refused", ring: damaged("two"), prev: one, says: "checksum"},
		{name: "ring missing, the one before refused", prev: one, says: "no such file"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			for name, b := range map[string][]byte{ringName: test.ring, prevName: test.prev} {
				if b != nil {
					put(t, dir, name, b)
				}
			}
			f := open(t, dir)
			m, err := f.Load()
			if err != nil {
				t.Fatal(err)
			}
			m, err = f.Refuse(m, why)
			if have(dir, ringName) != string(test.ring) || have(dir, prevName) != string(test.prev) {
				t.Error("a file was touched")
			}
			if test.want == "" {
				for _, part := range []string{f.RingFile(), f.path(prevName), test.says, "put back a copy", "--data"} {
					if err == nil || !errors.Is(err, ErrRefused) || !errors.Is(err, why) || !strings.Contains(err.Error(), part) {
						t.Fatalf("%q is not in: %v", part, err)
					}
				}
				return
			}
			if err != nil || string(m.Snapshot) != test.want || m.File != f.path(prevName) {
				t.Fatalf("%+v, %v", m, err)
			}
			if _, err := f.Refuse(m, why); !errors.Is(err, ErrRefused) || strings.Count(err.Error(), why.Error()) != 2 {
				t.Errorf("both refused: %v", err)
			}
			if err := f.Use(m); err != nil {
				t.Fatal(err)
			}
			if have(dir, damagedName) != string(test.ring) || have(dir, ringName) != "" {
				t.Error("the refused file was not kept")
			}
			if log := logOf(f); !strings.Contains(log, "the ring file cannot be used") || !strings.Contains(log, why.Error()) || !strings.Contains(log, f.path(damagedName)) {
				t.Errorf("the log says %s", log)
			}
		})
	}
}

// TestFill writes larger and larger snapshots: whatever is written is read back.
func TestFill(t *testing.T) {
	dir := t.TempDir()
	f := open(t, dir)
	for _, size := range []int{0, 1, 100, 65 << 20, 1000} {
		if err := f.Write(bytes.Repeat([]byte{'x'}, size)); err != nil {
			t.Fatalf("%d bytes: %v", size, err)
		}
		if m, err := f.Load(); err != nil || len(m.Snapshot) != size || m.File != f.RingFile() {
			t.Fatalf("after %d bytes: %d bytes of %s, %v", size, len(m.Snapshot), m.File, err)
		}
	}
	// One that another program has written is not touched.
	put(t, dir, ringName, make([]byte, 2000))
	if _, err := f.Load(); !errors.Is(err, ErrForeign) {
		t.Fatal(err)
	}
}
