package disk

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func put(t *testing.T, dir, name string, b []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func have(dir, name string) string {
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return ""
	}
	return string(b)
}

// read returns the snapshot in a ring file, "" if there is none.
func read(t *testing.T, dir, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return ""
	}
	snapshot, err := DecodeRingFile(b)
	if err != nil {
		t.Fatal(name, err)
	}
	return string(snapshot)
}

// open opens a folder until the test ends.
func open(t *testing.T, dir string) *Folder {
	t.Helper()
	log := new(bytes.Buffer)
	f, err := Open(dir, slog.New(slog.NewTextHandler(log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	logs.Store(f, log)
	t.Cleanup(func() { f.Close() })
	return f
}

var logs sync.Map // of folders

// logOf returns what a folder has logged.
func logOf(f *Folder) string {
	log, _ := logs.Load(f)
	return log.(*bytes.Buffer).String()
}

func damaged(snapshot string) []byte {
	b := EncodeRingFile([]byte(snapshot))
	b[len(b)/2] ^= 1
	return b
}

func TestWriteKeepsTwoGenerations(t *testing.T) {
	dir := t.TempDir()
	f := open(t, dir)
	for i, s := range []string{"one", "two", "three", "four"} {
		if err := f.Write([]byte(s)); err != nil {
			t.Fatal(err)
		}
		if got := read(t, dir, ringName); got != s {
			t.Fatalf("ring is %q after writing %q", got, s)
		}
		if want := []string{"", "one", "two", "three"}[i]; read(t, dir, prevName) != want {
			t.Fatalf("ring.prev is %q after writing %q", read(t, dir, prevName), s)
		}
	}
	entries, _ := os.ReadDir(dir)
	if len(entries) != 3 { // the lock, too
		t.Fatalf("left behind: %v", entries)
	}
	if info, _ := os.Stat(filepath.Join(dir, ringName)); info.Mode() != 0o600 {
		t.Fatalf("the ring file is %v", info.Mode())
	}
}

// TestWriteAfterCrash begins where a crash may have left the folder.
func TestWriteAfterCrash(t *testing.T) {
	t.Run("ring.prev is linked already", func(t *testing.T) {
		dir := t.TempDir()
		put(t, dir, ringName, EncodeRingFile([]byte("one")))
		if err := os.Link(filepath.Join(dir, ringName), filepath.Join(dir, prevName)); err != nil {
			t.Fatal(err)
		}
		put(t, dir, ".ring123", []byte("half"))
		put(t, dir, ".removed123", []byte("half"))
		f := open(t, dir)
		if have(dir, ".ring123") != "" || have(dir, ".removed123") != "" {
			t.Fatal("half-written files stay")
		}
		if err := f.Write([]byte("two")); err != nil {
			t.Fatal(err)
		}
		if read(t, dir, ringName) != "two" || read(t, dir, prevName) != "one" {
			t.Fatalf("ring %q, ring.prev %q", have(dir, ringName), have(dir, prevName))
		}
	})
	t.Run("ring was moved aside", func(t *testing.T) {
		dir := t.TempDir()
		put(t, dir, prevName, EncodeRingFile([]byte("one")))
		if err := open(t, dir).Write([]byte("two")); err != nil {
			t.Fatal(err)
		}
		if read(t, dir, ringName) != "two" || read(t, dir, prevName) != "one" {
			t.Fatalf("ring %q, ring.prev %q", have(dir, ringName), have(dir, prevName))
		}
	})
}

func TestLoad(t *testing.T) {
	good, prev := EncodeRingFile([]byte("new")), EncodeRingFile([]byte("old"))
	misnamed := bytes.Clone(good)
	misnamed[0] ^= 1
	for _, test := range []struct {
		name       string
		ring, prev []byte
		want       string
		wrong      error // then the files are untouched
		says       string
		loud       bool
	}{
		{name: "nothing yet"},
		{name: "good", ring: good, prev: prev, want: "new"},
		{name: "good, the one before damaged", ring: good, prev: damaged("x"), want: "new"},
		{name: "damaged", ring: damaged("x"), prev: prev, want: "old", loud: true},
		{name: "its first bytes damaged", ring: misnamed, prev: prev, want: "old", loud: true},
		{name: "cut off", ring: good[:20], prev: prev, want: "old", loud: true},
		{name: "empty", ring: []byte{}, prev: prev, want: "old", loud: true},
		{name: "missing", prev: prev, want: "old", loud: true},
		{name: "both damaged", ring: damaged("x"), prev: damaged("y"), wrong: ErrDamaged},
		{name: "damaged and alone", ring: damaged("x"), wrong: ErrDamaged},
		{name: "missing, the one before damaged", prev: damaged("x"), wrong: ErrDamaged},
		{name: "foreign", ring: []byte("my letters"), prev: prev, wrong: ErrForeign, says: "move it away to go on"},
		{name: "foreign and alone", ring: []byte("my letters, of which there are many"), wrong: ErrForeign, says: "put a copy"},
		{name: "newer", ring: newerRing(), prev: prev, wrong: ErrVersion, says: "take the version"},
		{name: "newer in its last change", ring: newerChange(), prev: prev, wrong: ErrVersion, says: "take the version"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			if test.ring != nil {
				put(t, dir, ringName, test.ring)
			}
			if test.prev != nil {
				put(t, dir, prevName, test.prev)
			}
			f := open(t, dir)
			m, err := f.Load()
			if !errors.Is(err, test.wrong) || err == nil && string(m.Snapshot) != test.want {
				t.Fatalf("loaded %+v, %v", m, err)
			}
			if have(dir, ringName) != string(test.ring) || have(dir, prevName) != string(test.prev) {
				t.Error("a file was touched")
			}
			if m != nil {
				if err := f.Use(m); err != nil {
					t.Error(err)
				}
			}
			if loud := strings.Count(logOf(f), "level=ERROR") == 1; loud != test.loud {
				t.Errorf("loud: %v", loud)
			}
			if test.wrong != nil && (!strings.Contains(err.Error(), "--data") || !strings.Contains(err.Error(), test.says)) {
				t.Errorf("the error does not say what to do: %v", err)
			}
			if test.loud && test.ring != nil && have(dir, damagedName) != string(test.ring) {
				t.Error("the damaged file was not kept")
			}
		})
	}
}

// TestFolderTakenAway: a process that does not start may take away the lock that
// another one is about to take.
func TestFolderTakenAway(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	for range 50 {
		var both sync.WaitGroup
		for range 2 {
			both.Go(func() {
				if f, err := Open(dir, slog.New(slog.DiscardHandler)); err == nil {
					if held, err := f.lock.Stat(); err != nil || !sameFile(held, f.lock.Path()) {
						t.Error("it holds what is not there")
					}
					f.Abandon()
				} else if !strings.Contains(err.Error(), "in use") {
					t.Error(err)
				}
			})
		}
		both.Wait()
	}
	// Who found the folder or the lock there leaves it there, even if who had made
	// it is gone by then.
	if entries, _ := os.ReadDir(dir); len(entries) > 1 || len(entries) == 1 && entries[0].Name() != lockName {
		t.Errorf("left behind: %v", entries)
	}
}

func sameFile(held os.FileInfo, path string) bool {
	there, err := os.Stat(path)
	return err == nil && os.SameFile(held, there)
}
