package native

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/native/disk"
)

// counting is an engine whose every Add and Del is a change, answered at once.
func counting() *fake {
	seq := uint64(0)
	f := newFake(func(in core.Input) []core.Effect {
		if in.Kind != core.Do || in.Command.Op != core.Add && in.Command.Op != core.Del {
			return nil
		}
		seq++
		return []core.Effect{
			{Kind: core.Dirty, Seq: seq},
			nodeEvent(in.Command.Name, core.Unknown),
			emit(core.Event{Kind: core.EventResult, ID: in.Command.ID, Seq: seq, Name: in.Command.Name}),
		}
	})
	f.snapshot = func() ([]byte, error) { return fmt.Appendf(nil, "change %d", seq), nil }
	return f
}

// slowDisk is a disk that waits until it may write, or fails.
type slowDisk struct {
	mu     sync.Mutex
	err    error
	gate   chan struct{} // nil: no waiting
	writes []string
}

func (d *slowDisk) write(f *disk.Folder, snapshot []byte, _ bool) error {
	if d.gate != nil {
		<-d.gate
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.err == nil {
		d.writes = append(d.writes, string(snapshot))
		return f.Write(snapshot)
	}
	return d.err
}

func (d *slowDisk) set(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.err = err
}

func startOn(t *testing.T, d *slowDisk, log *logged) *Node {
	cfg := config(t, "dev1")
	cfg.Engine, cfg.writeRing = counting().engine, d.write
	if log != nil {
		cfg.Log = log.logger()
	}
	return start(t, cfg)
}

func TestAnswersOnceOnDisk(t *testing.T) {
	d := &slowDisk{gate: make(chan struct{})}
	n := startOn(t, d, nil)
	answers := make(chan string, 100)
	add := func(name string) {
		go func() {
			_, err := n.Add(t.Context(), name, "127.0.0.1:1")
			answers <- fmt.Sprint(name, " ", err)
		}()
		eventually(t, "the change", func() bool { _, ok := n.Get(name); return ok })
	}
	for i := range 50 {
		add(fmt.Sprintf("n%02d", i)) // they all come while the first write is under way
	}
	if len(answers) != 0 {
		t.Fatal("answered before it was on disk")
	}
	d.gate <- struct{}{}
	if got := receive(t, "the first answer", answers); got != "n00 <nil>" {
		t.Fatal(got)
	}
	eventually(t, "the second write", func() bool {
		select {
		case d.gate <- struct{}{}:
			return true
		default:
			return false
		}
	})
	for range 49 {
		if got := receive(t, "the other answers", answers); !strings.HasSuffix(got, " <nil>") {
			t.Fatal(got)
		}
	}
	if got := strings.Join(d.writes, ", "); got != "change 1, change 50" {
		t.Fatalf("written: %s", got)
	}
	close(d.gate)
}

func TestDiskFull(t *testing.T) {
	var log logged
	d := &slowDisk{err: syscall.ENOSPC}
	n := startOn(t, d, &log)
	for _, name := range []string{"dev2", "dev3"} {
		_, err := n.Add(t.Context(), name, "127.0.0.1:1")
		if !errors.Is(err, ErrNotWritten) || !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "free some space there; it is tried again") {
			t.Fatal(err)
		}
	}
	if err := n.Del(t.Context(), "dev2"); !errors.Is(err, ErrNotWritten) {
		t.Fatal(err)
	}
	if n.Status().WriteError == "" || names(n.All()) != "dev2 dev3" {
		t.Fatalf("%+v", n.Status())
	}
	if got := log.count("cannot write the ring file"); got != 1 {
		t.Fatalf("logged %d times", got)
	}
	d.set(nil)
	eventually(t, "the next try", func() bool { return n.Status().WriteError == "" })
	if got := log.count("written again"); got != 1 {
		t.Fatalf("logged %d times", got)
	}
	if err := n.Del(t.Context(), "dev3"); err != nil {
		t.Fatal(err)
	}
	if n.Close(); d.writes[len(d.writes)-1] != "change 4" {
		t.Fatalf("written: %v", d.writes)
	}
}

func TestCloseSaysThatTheDiskIsFull(t *testing.T) {
	n := startOn(t, &slowDisk{err: syscall.ENOSPC}, nil)
	if _, err := n.Add(t.Context(), "dev2", "127.0.0.1:1"); !errors.Is(err, ErrNotWritten) {
		t.Fatal(err)
	}
	if err := n.Close(); !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), n.folder.RingFile()) {
		t.Fatal(err)
	}
}

// TestCloseDoesNotWaitForTheDisk has a disk that hangs. Nobody else gets the
// folder before it has done what it was asked for.
func TestCloseDoesNotWaitForTheDisk(t *testing.T) {
	d := &slowDisk{gate: make(chan struct{})}
	n := startOn(t, d, nil)
	answers := make(chan error, 2)
	for _, name := range []string{"dev2", "dev3"} { // the second waits for the first
		go func() {
			_, err := n.Add(t.Context(), name, "127.0.0.1:1")
			answers <- err
		}()
		eventually(t, "the change", func() bool { _, ok := n.Get(name); return ok })
	}
	if err := n.Close(); !errors.Is(err, errHangs) {
		t.Fatal(err)
	}
	for range 2 {
		if err := receive(t, "the answers", answers); !errors.Is(err, ErrNotWritten) {
			t.Fatal(err)
		}
	}
	cfg := n.cfg
	cfg.Engine, cfg.writeRing = newFake(nil).engine, nil
	if _, err := Start(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Fatal(err)
	}
	close(d.gate)
	eventually(t, "the folder", func() bool {
		next, err := Start(t.Context(), cfg)
		if err == nil {
			next.Close()
		}
		return err == nil
	})
	d.mu.Lock()
	defer d.mu.Unlock()
	if got := strings.Join(d.writes, ", "); got != "change 1, change 2" {
		t.Fatalf("written: %s", got)
	}
}

func TestLeaveSaysWhatItLeavesBehind(t *testing.T) {
	cfg := config(t, "dev1")
	cfg.Engine = serving().engine
	n := start(t, cfg)
	for _, name := range []string{"ring", "ring.prev"} { // the first becomes the marker
		if err := os.MkdirAll(filepath.Join(n.cfg.Data, name, "a folder"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := n.Leave(t.Context()); !errors.Is(err, ErrLeft) || !strings.Contains(err.Error(), "cannot be deleted") {
		t.Fatal(err)
	}
}

func TestCloseWritesTheLastState(t *testing.T) {
	f := newFake(func(in core.Input) []core.Effect {
		if in.Kind == core.Do && in.Command.Op == core.Stop {
			return []core.Effect{{Kind: core.Dirty, Seq: 7}, {Kind: core.Halt, Reason: core.HaltStopped}}
		}
		return nil
	})
	n := startFake(t, f)
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	snapshot, err := disk.DecodeRingFile([]byte(have(n.cfg.Data, "ring")))
	if err != nil || string(snapshot) != "snapshot" {
		t.Fatal(snapshot, err)
	}
}

func TestEngineBreaks(t *testing.T) {
	broken := errors.New("out of memory")
	cfg := config(t, "dev1")
	put(t, cfg.Data, "ring", disk.EncodeRingFile([]byte("before")))
	cfg.Engine = func(core.Config) (core.Engine, error) {
		f := newFake(nil)
		f.fail = broken
		return f, nil
	}
	n := start(t, cfg)
	receive(t, "the end", n.Done())
	if !errors.Is(n.Err(), broken) {
		t.Fatal(n.Err())
	}
	if have(cfg.Data, "ring") != string(disk.EncodeRingFile([]byte("before"))) {
		t.Fatal("the ring file was touched")
	}
}
