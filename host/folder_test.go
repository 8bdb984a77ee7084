package host_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
	"github.com/nanoring/nanoring/host"
)

// startIn makes and closes an engine of a small module, with a cache.
func startIn(t *testing.T, dir string) error {
	t.Helper()
	e, err := host.New(t.Context(), host.Config{Node: config("me"), Module: assembly{}.bytes(), Cache: dir})
	if err != nil {
		return err
	}
	return errors.Join(live(e), e.Close())
}

// kept returns the one file with compiled code.
func kept(t *testing.T, dir string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "wazero-*", "*"))
	if err != nil || len(files) != 1 {
		t.Fatalf("kept are %v, %v", files, err)
	}
	return files[0]
}

// TestCache: what was compiled is kept, and used only as it was written.
func TestCache(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "cache")
	if err := startIn(t, dir); err != nil {
		t.Fatal(err)
	}
	file := kept(t, dir)
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := startIn(t, dir); err != nil {
		t.Fatal(err)
	}
	if after, err := os.Stat(file); err != nil || !os.SameFile(before, after) {
		t.Errorf("it was compiled again: %v", err)
	}
	damage := func(what string, b []byte) {
		if err := os.WriteFile(file, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := startIn(t, dir); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		if b, err := os.ReadFile(kept(t, dir)); err != nil || string(b) != string(whole) {
			t.Errorf("%s: it was not compiled again: %v", what, err)
		}
	}
	for i := range whole {
		if i%7 == 0 {
			b := append([]byte(nil), whole...)
			b[i] ^= 0x10
			damage("a flipped bit", b)
		}
	}
	damage("half a file", whole[:len(whole)/2])
	damage("an empty file", nil)
	if err := os.WriteFile(filepath.Join(filepath.Dir(file), "stranger"), whole, 0o600); err != nil {
		t.Fatal(err)
	}
	damage("a file that nobody wrote", whole)
	if err := os.WriteFile(filepath.Join(dir, "SHA256SUMS"), []byte("\x00\n\n  \nabc  def\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	damage("a damaged list", whole)
}

func TestCacheThatCannotBe(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := startIn(t, file); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("it says %v", err)
	}
}

// TestShared: engines of one process compile a module once, and forget it with
// the last of them.
func TestShared(t *testing.T) {
	before := host.Programs()
	wasm := does("tick", nil).bytes()
	var wg sync.WaitGroup
	engines := make([]*host.Engine, 8)
	for i := range engines {
		wg.Go(func() {
			e, err := host.New(t.Context(), host.Config{Node: config("me"), Module: wasm})
			if err != nil {
				t.Error(err)
				return
			}
			engines[i] = e
		})
	}
	wg.Wait()
	if t.Failed() {
		return
	}
	if n := host.Programs(); n != before+1 {
		t.Errorf("%d modules are compiled", n-before)
	}
	for _, e := range engines {
		wg.Go(func() {
			for range 100 {
				if _, err := e.Step(core.Input{Kind: core.Tick}); err != nil {
					t.Error(err)
				}
			}
			e.Close()
			e.Close()
		})
	}
	wg.Wait()
	if n := host.Programs(); n != before {
		t.Errorf("%d modules are left", n-before)
	}
}

// TestConfig: what core.New refuses, a sandboxed engine refuses alike.
func TestConfig(t *testing.T) {
	for field, change := range map[string]func(*core.Config){
		"Ring":     func(c *core.Config) { c.Ring = "" },
		"Name":     func(c *core.Config) { c.Name = "a@b" },
		"Address":  func(c *core.Config) { c.Address = "nowhere" },
		"Join":     func(c *core.Config) { c.Join = []string{"a:1", ""} },
		"Tags":     func(c *core.Config) { c.Tags = append(c.Tags, wire.Tag{Key: "k", Value: strings.Repeat("v", 5000)}) },
		"Snapshot": func(c *core.Config) { c.Snapshot = []byte{} },
	} {
		cfg := config("me")
		change(&cfg)
		_, want := core.New(cfg)
		_, err := host.New(t.Context(), host.Config{Node: cfg})
		var bad *core.ConfigError
		if !errors.As(err, &bad) || bad.Field != field || err.Error() != want.Error() {
			t.Errorf("%s: %v, want %v", field, err, want)
		}
	}
}
