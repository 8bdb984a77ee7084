package native

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
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

func damaged(snapshot string) []byte {
	b := EncodeRingFile([]byte(snapshot))
	b[len(b)/2] ^= 1
	return b
}

func TestWriteRingKeepsTwoGenerations(t *testing.T) {
	dir := t.TempDir()
	for i, s := range []string{"one", "two", "three", "four"} {
		if err := writeRing(dir, []byte(s)); err != nil {
			t.Fatal(err)
		}
		if got := have(dir, ringName); got != s {
			t.Fatalf("ring is %q after writing %q", got, s)
		}
		if want := []string{"", "one", "two", "three"}[i]; have(dir, prevName) != want {
			t.Fatalf("ring.prev is %q after writing %q", have(dir, prevName), s)
		}
	}
	entries, _ := os.ReadDir(dir)
	if len(entries) != 2 {
		t.Fatalf("left behind: %v", entries)
	}
	if info, _ := os.Stat(filepath.Join(dir, ringName)); info.Mode() != 0o600 {
		t.Fatalf("the ring file is %v", info.Mode())
	}
}

// TestWriteRingAfterCrash begins where a crash may have left the folder.
func TestWriteRingAfterCrash(t *testing.T) {
	t.Run("ring.prev is linked already", func(t *testing.T) {
		dir := t.TempDir()
		put(t, dir, ringName, []byte("one"))
		if err := os.Link(filepath.Join(dir, ringName), filepath.Join(dir, prevName)); err != nil {
			t.Fatal(err)
		}
		put(t, dir, ".ring123", []byte("half"))
		if err := writeRing(dir, []byte("two")); err != nil {
			t.Fatal(err)
		}
		if have(dir, ringName) != "two" || have(dir, prevName) != "one" {
			t.Fatalf("ring %q, ring.prev %q", have(dir, ringName), have(dir, prevName))
		}
		f, err := openFolder(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer f.close()
		if have(dir, ".ring123") != "" || have(dir, ".ring.prev") != "" {
			t.Fatal("half-written files stay")
		}
	})
	t.Run("ring was moved aside", func(t *testing.T) {
		dir := t.TempDir()
		put(t, dir, prevName, []byte("one"))
		if err := writeRing(dir, []byte("two")); err != nil {
			t.Fatal(err)
		}
		if have(dir, ringName) != "two" || have(dir, prevName) != "one" {
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
		{name: "both damaged", ring: damaged("x"), prev: damaged("y"), wrong: ErrRingDamaged},
		{name: "damaged and alone", ring: damaged("x"), wrong: ErrRingDamaged},
		{name: "missing, the one before damaged", prev: damaged("x"), wrong: ErrRingDamaged},
		{name: "foreign", ring: []byte("my letters"), prev: prev, wrong: ErrRingForeign, says: "move it away to go on"},
		{name: "foreign and alone", ring: []byte("my letters, of which there are many"), wrong: ErrRingForeign, says: "put a copy"},
		{name: "newer", ring: newerRing(), prev: prev, wrong: ErrRingVersion, says: "start the version"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			if test.ring != nil {
				put(t, dir, ringName, test.ring)
			}
			if test.prev != nil {
				put(t, dir, prevName, test.prev)
			}
			f, err := openFolder(dir)
			if err != nil {
				t.Fatal(err)
			}
			defer f.close()
			var log logged
			snapshot, damaged, err := f.load(log.logger())
			if !errors.Is(err, test.wrong) || string(snapshot) != test.want {
				t.Fatalf("loaded %q, %v", snapshot, err)
			}
			if have(dir, ringName) != string(test.ring) || have(dir, prevName) != string(test.prev) {
				t.Error("a file was touched")
			}
			if damaged != nil {
				if err := f.setAside(log.logger(), damaged); err != nil {
					t.Error(err)
				}
			}
			if loud := log.count("level=ERROR") == 1; loud != test.loud {
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

func TestStartRefusesDamagedRing(t *testing.T) {
	cfg := config(t, "dev1")
	cfg.Engine = newFake(nil).engine
	put(t, cfg.Data, ringName, damaged("x"))
	if _, err := Start(t.Context(), cfg); !errors.Is(err, ErrRingDamaged) {
		t.Fatal(err)
	}
	if have(cfg.Data, ringName) != string(damaged("x")) {
		t.Fatal("the damaged file was touched")
	}
}

// TestRefusedStartLeavesNothing starts nodes that cannot be, some in folders that
// are not there, some where a ring file is.
func TestRefusedStartLeavesNothing(t *testing.T) {
	busy := startFake(t, newFake(nil)).Addr()
	for name, change := range map[string]func(*Config){
		"busy port": func(c *Config) { c.Listen = busy },
		"engine": func(c *Config) {
			c.Engine = func(core.Config) (core.Engine, error) { return nil, errors.New("no engine") }
		},
		"configuration": func(c *Config) { c.Name = "a@b" },
		"too many tags": func(c *Config) { c.Tags = []wire.Tag{{Key: "x", Value: strings.Repeat("x", wire.MaxValue)}} },
	} {
		t.Run(name, func(t *testing.T) {
			cfg := config(t, "dev1")
			cfg.Data = filepath.Join(cfg.Data, "a", "b")
			change(&cfg)
			if _, err := Start(t.Context(), cfg); err == nil {
				t.Fatal("it starts")
			}
			if entries, _ := os.ReadDir(filepath.Dir(filepath.Dir(cfg.Data))); len(entries) != 0 {
				t.Errorf("left behind: %v", entries)
			}
			if err := os.MkdirAll(cfg.Data, 0o700); err != nil {
				t.Fatal(err)
			}
			put(t, cfg.Data, ringName, damaged("x"))
			put(t, cfg.Data, prevName, EncodeRingFile((&wire.Snapshot{Ring: testRing, Name: "dev1"}).Append(nil)))
			if _, err := Start(t.Context(), cfg); err == nil {
				t.Fatal("it starts")
			}
			if entries, _ := os.ReadDir(cfg.Data); len(entries) != 2 || have(cfg.Data, ringName) != string(damaged("x")) {
				t.Errorf("left behind: %v", entries)
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
				if f, err := openFolder(dir); err == nil {
					if held, err := f.lock.Stat(); err != nil || !sameFile(held, f.lock.Path()) {
						t.Error("it holds what is not there")
					}
					f.abandon()
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

func TestOthersFolder(t *testing.T) {
	for _, test := range []struct{ name, ring, says string }{
		{"dev2", "red", "belongs to node dev1 of ring red, not to dev2 of red"},
		{"dev1", "blue", "belongs to node dev1 of ring red, not to dev1 of blue"},
	} {
		cfg := config(t, test.name)
		cfg.Ring = test.ring
		put(t, cfg.Data, ringName, EncodeRingFile((&wire.Snapshot{Ring: "red", Name: "dev1"}).Append(nil)))
		_, err := Start(t.Context(), cfg)
		if err == nil || !strings.Contains(err.Error(), test.says) || !strings.Contains(err.Error(), `--name "dev1" --ring "red"`) {
			t.Error(err)
		}
	}
}

func TestSecondProcessInFolder(t *testing.T) {
	n := startFake(t, newFake(nil))
	cfg := config(t, "dev2")
	cfg.Data = n.cfg.Data
	_, err := Start(t.Context(), cfg)
	if err == nil || !strings.Contains(err.Error(), "in use by another process") {
		t.Fatal(err)
	}
	n.Close()
	cfg.Engine = newFake(nil).engine
	start(t, cfg)
}

func TestUnusableFolder(t *testing.T) {
	cfg := config(t, "dev1")
	put(t, cfg.Data, "file", []byte("I am no folder"))
	cfg.Data = filepath.Join(cfg.Data, "file", "data")
	if _, err := Start(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "cannot make the data folder") {
		t.Fatal(err)
	}
	cfg.Data = filepath.Join(t.TempDir(), "a", "b")
	cfg.Engine = newFake(nil).engine
	start(t, cfg)
	if info, err := os.Stat(cfg.Data); err != nil || info.Mode().Perm() != 0o700 {
		t.Fatal(info.Mode(), err)
	}
}

// halting is an engine that halts as it starts.
func halting(why core.Reason) *fake {
	return newFake(func(in core.Input) []core.Effect {
		if in.Kind != core.Start {
			return nil
		}
		return []core.Effect{{Kind: core.Dirty, Seq: 1}, {Kind: core.Halt, Reason: why, Text: "over there"}}
	})
}

func TestHowItEnds(t *testing.T) {
	for _, test := range []struct {
		why    core.Reason
		err    error
		ring   bool // the ring file stays
		marker bool
	}{
		{core.HaltStopped, nil, true, false},
		{core.HaltLeft, ErrLeft, false, false},
		{core.HaltRemoved, ErrRemoved, false, true},
		{core.HaltNameTaken, ErrNameTaken, true, false},
	} {
		t.Run(test.why.String(), func(t *testing.T) {
			cfg := config(t, "dev1")
			put(t, cfg.Data, ringName, EncodeRingFile([]byte("a")))
			put(t, cfg.Data, prevName, EncodeRingFile([]byte("b")))
			cfg.Engine = halting(test.why).engine
			n := start(t, cfg)
			receive(t, "the end", n.Done())
			if err := n.Err(); !errors.Is(err, test.err) || n.Close() != err {
				t.Fatalf("ended with %v", err)
			}
			if have(cfg.Data, ringName) != "" != test.ring || have(cfg.Data, prevName) != "" != test.ring || have(cfg.Data, markerName) != "" != test.marker {
				t.Error("not the files there should be")
			}
			var taken *NameTakenError
			if errors.As(n.Err(), &taken) && !strings.Contains(taken.Error(), "over there") {
				t.Errorf("%v", taken)
			}
			if err := n.Del(t.Context(), "dev2"); !errors.Is(err, ErrStopped) {
				t.Errorf("a command after the end: %v", err)
			}
		})
	}
}

func TestRemovedMarker(t *testing.T) {
	learnt := time.Unix(1_800_000_000, 0)
	removed := func(t *testing.T) Config {
		cfg := config(t, "dev1")
		now := learnt
		cfg.Clock = func() time.Time { return now }
		cfg.Engine = newFake(func(in core.Input) []core.Effect {
			if in.Kind == core.Start {
				return []core.Effect{emit(core.Event{Kind: core.EventLeaving, Name: "dev1"})}
			}
			now = learnt.Add(10 * time.Second) // RemovalGrace later
			return []core.Effect{{Kind: core.Halt, Reason: core.HaltRemoved}}
		}).engine
		start(t, cfg).Close()
		put(t, cfg.Data, ringName, []byte("what a crash left")) // it counts for nothing
		return cfg
	}
	var made core.Config
	engine := func(cfg core.Config) (core.Engine, error) {
		made = cfg
		return newFake(nil), nil
	}
	t.Run("join", func(t *testing.T) {
		cfg := removed(t)
		cfg.Join = []string{"127.0.0.1:1"}
		_, err := Start(t.Context(), cfg)
		var before *RemovedError
		if !errors.Is(err, ErrRemoved) || !errors.As(err, &before) || !before.Learnt.Equal(learnt) {
			t.Fatalf("%v, %+v", err, before)
		}
		if !strings.Contains(have(cfg.Data, markerName), `"name":"dev1"`) {
			t.Fatal("the marker does not stay")
		}
	})
	t.Run("rejoin", func(t *testing.T) {
		cfg := removed(t)
		cfg.Join, cfg.Rejoin, cfg.Engine = []string{"127.0.0.1:1"}, true, engine
		start(t, cfg)
		if !made.Rejoin || made.Snapshot != nil || have(cfg.Data, markerName) != "" {
			t.Fatalf("%+v, marker %q", made, have(cfg.Data, markerName))
		}
	})
	t.Run("alone", func(t *testing.T) {
		cfg := removed(t)
		cfg.Engine = engine
		start(t, cfg)
		if made.Rejoin || made.Snapshot != nil || have(cfg.Data, markerName) != "" {
			t.Fatalf("%+v, marker %q", made, have(cfg.Data, markerName))
		}
	})
	t.Run("a start that fails leaves it", func(t *testing.T) {
		cfg := removed(t)
		cfg.Rejoin = true
		cfg.Engine = func(core.Config) (core.Engine, error) { return nil, errors.New("no engine") }
		if _, err := Start(t.Context(), cfg); err == nil || have(cfg.Data, markerName) == "" {
			t.Fatal(err)
		}
	})
}
