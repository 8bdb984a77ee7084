package native

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
	"github.com/nanoring/nanoring/native/disk"
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
	b := disk.EncodeRingFile([]byte(snapshot))
	b[len(b)/2] ^= 1
	return b
}

func TestStartRefusesDamagedRing(t *testing.T) {
	cfg := config(t, "dev1")
	cfg.Engine = newFake(nil).engine
	put(t, cfg.Data, "ring", damaged("x"))
	if _, err := Start(t.Context(), cfg); !errors.Is(err, disk.ErrDamaged) {
		t.Fatal(err)
	}
	if have(cfg.Data, "ring") != string(damaged("x")) {
		t.Fatal("the damaged file was touched")
	}
}

// TestStartWithRefusedRing: a ring file that is whole, and yet none to the engine, is
// as a damaged one; if its node or its version is another, it is left alone.
func TestStartWithRefusedRing(t *testing.T) {
	good := disk.EncodeRingFile((&wire.Snapshot{Ring: testRing, Name: "dev1", Records: []wire.Record{{Set: wire.Nodes, Name: "dev7", Stamp: 1, Value: wire.Member{Address: "127.0.0.1:1"}.Value()}}}).Append(nil))
	for name, test := range map[string]struct {
		snapshot string
		says     string // "": it starts
	}{
		"no snapshot":          {"hello", ""},
		"cut off":              {string(good[18:60]), ""},
		"of a newer version":   {"\x96\x02\xa3red\xa4dev1\x00\x00\x90", "take that version, or one after it"},
		"with what is newer":   {"\x97\x01\xa3red\xa4dev1\x00\x00\x90\x81\xa1z\xc3", "take that version, or one after it"},
		"of somebody's else's": {string((&wire.Snapshot{Ring: testRing, Name: "dev2"}).Append(nil)), "belongs to node dev2"},
	} {
		t.Run(name, func(t *testing.T) {
			var log logged
			cfg := config(t, "dev1")
			cfg.Log = log.logger()
			refused := string(disk.EncodeRingFile([]byte(test.snapshot)))
			put(t, cfg.Data, "ring", []byte(refused))
			put(t, cfg.Data, "ring.prev", good)
			n, err := Start(t.Context(), cfg)
			if test.says != "" {
				if err == nil || !strings.Contains(err.Error(), test.says) || !strings.Contains(err.Error(), filepath.Join(cfg.Data, "ring")) || have(cfg.Data, "ring") != refused {
					t.Fatal(err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if _, there := n.Get("dev7"); !there {
				t.Error("it does not know what ring.prev says")
			}
			if log.count("the ring file cannot be used") != 1 {
				t.Error("the log does not say so")
			}
			n.Close()
			if have(cfg.Data, "ring.damaged") != refused {
				t.Error("it was not kept")
			}
			os.Remove(filepath.Join(cfg.Data, "ring.prev"))
			put(t, cfg.Data, "ring", []byte(refused))
			if _, err := Start(t.Context(), cfg); !errors.Is(err, disk.ErrRefused) || have(cfg.Data, "ring") != refused {
				t.Errorf("without another: %v", err)
			}
		})
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
			put(t, cfg.Data, "ring", damaged("x"))
			put(t, cfg.Data, "ring.prev", disk.EncodeRingFile((&wire.Snapshot{Ring: testRing, Name: "dev1"}).Append(nil)))
			if _, err := Start(t.Context(), cfg); err == nil {
				t.Fatal("it starts")
			}
			if entries, _ := os.ReadDir(cfg.Data); len(entries) != 2 || have(cfg.Data, "ring") != string(damaged("x")) {
				t.Errorf("left behind: %v", entries)
			}
		})
	}
}

func TestOthersFolder(t *testing.T) {
	for _, test := range []struct{ name, ring, says string }{
		{"dev2", "red", "belongs to node dev1 of ring red, not to dev2 of red"},
		{"dev1", "blue", "belongs to node dev1 of ring red, not to dev1 of blue"},
	} {
		cfg := config(t, test.name)
		cfg.Ring = test.ring
		put(t, cfg.Data, "ring", disk.EncodeRingFile((&wire.Snapshot{Ring: "red", Name: "dev1"}).Append(nil)))
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
		{core.HaltLeft, ErrLeft, false, true},
		{core.HaltRemoved, ErrRemoved, false, true},
		{core.HaltNameTaken, ErrNameTaken, true, false},
	} {
		t.Run(test.why.String(), func(t *testing.T) {
			cfg := config(t, "dev1")
			put(t, cfg.Data, "ring", disk.EncodeRingFile([]byte("a")))
			put(t, cfg.Data, "ring.prev", disk.EncodeRingFile([]byte("b")))
			cfg.Engine = halting(test.why).engine
			n := start(t, cfg)
			receive(t, "the end", n.Done())
			if err := n.Err(); !errors.Is(err, test.err) || n.Close() != err {
				t.Fatalf("ended with %v", err)
			}
			if have(cfg.Data, "ring") != "" != test.ring || have(cfg.Data, "ring.prev") != "" != test.ring || have(cfg.Data, "removed") != "" != test.marker {
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
		put(t, cfg.Data, "ring", []byte("what a crash left")) // it counts for nothing
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
		if !strings.Contains(have(cfg.Data, "removed"), `"name":"dev1"`) {
			t.Fatal("the marker does not stay")
		}
	})
	t.Run("rejoin", func(t *testing.T) {
		cfg := removed(t)
		cfg.Join, cfg.Rejoin, cfg.Engine = []string{"127.0.0.1:1"}, true, engine
		start(t, cfg)
		if !made.Rejoin || made.Snapshot != nil || have(cfg.Data, "removed") != "" {
			t.Fatalf("%+v, marker %q", made, have(cfg.Data, "removed"))
		}
	})
	t.Run("alone", func(t *testing.T) {
		cfg := removed(t)
		cfg.Engine = engine
		start(t, cfg)
		if made.Rejoin || made.Snapshot != nil || have(cfg.Data, "removed") != "" {
			t.Fatalf("%+v, marker %q", made, have(cfg.Data, "removed"))
		}
	})
	t.Run("a start that fails leaves it", func(t *testing.T) {
		cfg := removed(t)
		cfg.Rejoin = true
		cfg.Engine = func(core.Config) (core.Engine, error) { return nil, errors.New("no engine") }
		if _, err := Start(t.Context(), cfg); err == nil || have(cfg.Data, "removed") == "" {
			t.Fatal(err)
		}
	})
}
