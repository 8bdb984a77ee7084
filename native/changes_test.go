package native

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"syscall"
	"testing"

	"github.com/nanoring/nanoring/core/wire"
	"github.com/nanoring/nanoring/native/disk"
)

// pieces are what a node writes, as a disk is given them.
type pieces struct {
	mu   sync.Mutex
	fail error
	all  []piece
}

type piece struct {
	change bool
	bytes  int
	names  []string // of the records of a change
	err    error
}

func (p *pieces) write(f *disk.Folder, b []byte, change bool) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	one := piece{change: change, bytes: len(b), err: p.fail}
	if one.err == nil {
		one.err = writeRing(f, b, change)
	}
	if change {
		var c wire.Change
		if err := c.Decode(b); err != nil {
			return err
		}
		for _, r := range c.Records {
			one.names = append(one.names, r.Name)
		}
	}
	p.all = append(p.all, one)
	return one.err
}

func (p *pieces) failing(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fail = err
}

// last is what was written last.
func (p *pieces) last() piece {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.all[len(p.all)-1]
}

// TestWritesWhatHasChanged: an engine's first write is all it knows; then each is what has changed,
// but after one that failed, and of another engine. What is on disk is what the node knows.
func TestWritesWhatHasChanged(t *testing.T) {
	p := new(pieces)
	n := real(t, "dev1", func(c *Config) { c.writeRing = p.write })
	count := 0
	add := func() error {
		count++
		_, err := n.Add(t.Context(), fmt.Sprintf("n%02d", count), "127.0.0.1:1")
		return err
	}
	whole := func(when string, want bool) {
		t.Helper()
		if err := add(); err != nil {
			t.Fatal(when, err)
		}
		name := fmt.Sprintf("n%02d", count)
		if last := p.last(); last.change == want || last.change && !slices.Equal(last.names, []string{name}) {
			t.Errorf("%s: %+v for %s", when, last, name)
		}
		snapshot, err := disk.DecodeRingFile([]byte(have(n.cfg.Data, "ring")))
		var s wire.Snapshot
		if err = errors.Join(err, s.Decode(snapshot)); err != nil || !slices.ContainsFunc(s.Records, func(r wire.Record) bool { return r.Name == name }) {
			t.Errorf("%s: what is on disk has no %s, %v", when, name, err)
		}
	}
	eventually(t, "the first write", func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return len(p.all) > 0 && !p.all[0].change
	})
	for range 5 {
		whole("then", false)
	}
	p.failing(syscall.ENOSPC)
	if err := add(); !errors.Is(err, ErrNotWritten) || !p.last().change {
		t.Errorf("%v, %+v", err, p.last())
	}
	p.failing(nil)
	whole("after a failure", true)
	whole("then", false)
	if err := n.swap(soon(t), n.cfg.Engine); err != nil {
		t.Fatal(err)
	}
	whole("of another engine", true)
	whole("then", false)
	n.kill(t)
	later := again(t, n.cfg)
	if all := later.All(); len(all) != count+1 {
		t.Errorf("%d members are on disk, of %d", len(all), count+1)
	}
}
