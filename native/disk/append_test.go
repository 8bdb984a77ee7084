package disk

import (
	"bufio"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nanoring/nanoring/core/wire"
)

// state is the snapshot of which found says "state n": it has n members, and what next makes of it
// has one more.
func state(n int) []byte {
	s := wire.Snapshot{Ring: "red", Name: "n0"}
	for i := range n {
		s.Records = append(s.Records, node(fmt.Sprint("n", i), 1))
	}
	return s.Append(nil)
}

func next(n int) []byte {
	return (&wire.Change{Records: []wire.Record{node(fmt.Sprint("n", n), 1)}}).Append(nil)
}

// stateIn is what a start finds: how many members.
func stateIn(t *testing.T, dir string) int {
	t.Helper()
	var s wire.Snapshot
	if what := found(t, dir); s.Decode([]byte(what)) != nil {
		t.Fatalf("there is %q", what)
	}
	return len(s.Records)
}

// TestAppend: what was appended is found, after it is folded in as well, and a ring file of few
// members is not replaced at each change.
func TestAppend(t *testing.T) {
	dir := t.TempDir()
	f := open(t, dir)
	if err := f.Append(next(1)); err == nil || !strings.Contains(err.Error(), "follow") {
		t.Fatalf("after nothing: %v", err)
	}
	if err := f.Write(state(1)); err != nil {
		t.Fatal(err)
	}
	folds, before := 0, f.first
	for n := 1; n < 600; n++ {
		if err := f.Append(next(n)); err != nil {
			t.Fatal(err)
		}
		if f.first != before {
			folds, before = folds+1, f.first
		}
		if n%50 == 0 {
			if m, err := f.Load(); err != nil || string(m.Snapshot) != string(state(n+1)) {
				t.Fatalf("after %d there is %x, %v", n, m.Snapshot, err)
			}
		}
	}
	if folds < 2 || folds > 9 {
		t.Errorf("it was folded in %d times", folds)
	}
	if info, err := os.Stat(f.RingFile()); err != nil || info.Size() != f.Usage().Size {
		t.Errorf("%v, %v: it has %d bytes", info, err, f.Usage().Size)
	}
	for _, nonsense := range []string{"", "nonsense", string(state(3))} { // of an engine
		if err := f.Append([]byte(nonsense)); err == nil || !strings.Contains(err.Error(), "nonsense") {
			t.Errorf("%q: %v", nonsense, err)
		}
		if err := f.Append(next(600)); err == nil {
			t.Error("after an error there is an Append")
		}
		if err := f.Write(state(600)); err != nil {
			t.Fatal(err)
		}
	}
	put(t, dir, ringName, EncodeRingFile(state(2))) // what somebody else writes meanwhile is not written to
	if err := f.Append(next(600)); !errors.Is(err, errChanged) {
		t.Error(err)
	}
}

// appended are the ways in which a change is written: where there is room for it, and
// where it is folded in. prepare leaves the folder with state 2 in it.
var appended = map[string]func(f *Folder) error{
	"append": func(f *Folder) error { return errors.Join(f.Write(state(1)), f.Append(next(1))) },
	"fold": func(f *Folder) error {
		err := errors.Join(f.Write(state(1)), f.Append(next(1)))
		f.first = f.size
		for f.size-f.first+changeOverhead+int64(len(next(2))) <= leastLog { // to be refused room by the next
			err = errors.Join(err, f.Append(next(1)))
		}
		return err
	},
}

// TestAppendWhateverFails: an Append that fails leaves what was there before, or after it,
// whichever step it is, and the Write that follows is as any other.
func TestAppendWhateverFails(t *testing.T) {
	for name, prepare := range appended {
		for _, err := range []error{syscall.ENOSPC, syscall.EIO} {
			k := 0
			for failed := true; failed; k++ {
				dir := t.TempDir()
				f := open(t, dir)
				if err := prepare(f); err != nil {
					t.Fatal(err)
				}
				n := 0
				failed = false
				linked := true
				f.before = func(step string) error {
					if n++; n-1 != k {
						return nil
					}
					failed, linked = true, step != "link" // without it goes on
					return err
				}
				got := f.Append(next(2))
				f.before = nil
				if (failed && linked) != (got != nil) {
					t.Errorf("%s, %v at step %d: %v", name, err, k, got)
				}
				if got != nil && f.Append(next(3)) == nil {
					t.Errorf("%s, step %d: it goes on after an error", name, k)
				}
				f.Close()
				if now := stateIn(t, dir); now != 3 && (got == nil || now != 2) {
					t.Errorf("%s, step %d (%v): there is state %d", name, k, got, now)
				}
				f = open(t, dir)
				if err := f.Write(state(5)); err != nil {
					t.Error(err)
				}
				f.Close()
				if now := stateIn(t, dir); now != 5 {
					t.Errorf("%s, after step %d: there is state %d", name, k, now)
				}
			}
			if least := map[string]int{"append": 2, "fold": 6}[name]; k <= least {
				t.Errorf("%s fails at %d steps only", name, k-1)
			}
		}
	}
}

// TestTornAppend: the machine stops when any number of a change's bytes are on disk. What was
// before is what a start finds; it keeps the file, says so, and goes on.
func TestTornAppend(t *testing.T) {
	change := next(2)
	for size := range len(change) + changeOverhead {
		dir := t.TempDir()
		f := open(t, dir)
		if err := errors.Join(f.Write(state(1)), f.Append(next(1))); err != nil {
			t.Fatal(err)
		}
		whole := f.size
		if err := f.Append(change); err != nil {
			t.Fatal(err)
		}
		f.Close()
		if err := os.Truncate(filepath.Join(dir, ringName), whole+int64(size)); err != nil {
			t.Fatal(err)
		}
		torn := have(dir, ringName)
		f = open(t, dir)
		m, err := f.Load()
		if err != nil || string(m.Snapshot) != string(state(2)) || f.Use(m) != nil {
			t.Fatalf("of %d bytes there is %+v, %v", size, m, err)
		}
		said, kept := logOf(f), have(dir, damagedName)
		if size == 0 {
			torn = ""
		}
		if (size > 0) != strings.Contains(said, "level=WARN msg=\"the last write of the ring file was cut off") || kept != torn {
			t.Errorf("of %d bytes: %d bytes are kept, and it says %s", size, len(kept), said)
		}
		if err := errors.Join(f.Write(state(3)), f.Append(next(3))); err != nil {
			t.Fatal(err)
		}
		f.Close()
		if n := stateIn(t, dir); n != 4 {
			t.Errorf("of %d bytes: then there is state %d", size, n)
		}
	}
}

// TestDamagedChange: a ring file whose changes are damaged is used up to there, which is later than
// the one before it; it is kept, and the log says what is missing.
func TestDamagedChange(t *testing.T) {
	dir := t.TempDir()
	f := open(t, dir)
	if err := errors.Join(f.Write(state(1)), f.Write(state(2)), f.Append(next(2)), f.Append(next(3)), f.Append(next(4))); err != nil {
		t.Fatal(err)
	}
	b := []byte(have(dir, ringName))
	b[len(b)-len(next(3))-changeOverhead-9] ^= 1 // of the second of three
	put(t, dir, ringName, b)
	for range 2 { // until it is written again, each start finds it so
		m, err := f.Load()
		if err != nil || string(m.Snapshot) != string(state(3)) || m.File != f.RingFile() || f.Use(m) != nil {
			t.Fatalf("%+v, %v", m, err)
		}
		if said := logOf(f); !strings.Contains(said, "level=ERROR msg=\"the ring file is damaged: going on from its beginning") || !strings.Contains(said, "nothing can be read") || !strings.Contains(said, f.path(damagedName)) {
			t.Errorf("it says %s", said)
		}
		if have(dir, damagedName) != string(b) || have(dir, ringName) != string(b) {
			t.Error("it was not kept")
		}
	}
	// If the engine cannot use it, the one before is had.
	m, _ := f.Load()
	if m, err := f.Refuse(m, errors.New("no")); err != nil || string(m.Snapshot) != string(state(1)) {
		t.Errorf("refused: %+v, %v", m, err)
	}
	// Of that one, too, the beginning counts.
	put(t, dir, prevName, b)
	put(t, dir, ringName, damaged("x"))
	if m, err := f.Load(); err != nil || string(m.Snapshot) != string(state(3)) || m.File != f.path(prevName) || !strings.Contains(m.instead.Error(), "only the beginning") {
		t.Errorf("of the one before: %+v, %v", m, err)
	}
	put(t, dir, ringName, append(EncodeRingFile([]byte("no snapshot")), b[len(b)-len(next(4))-changeOverhead:]...))
	if m, err := f.Load(); err != nil || string(m.Snapshot) != "no snapshot" || m.instead == nil {
		t.Errorf("changes of no snapshot: %+v, %v", m, err)
	}
}

// TestFoldOfDamaged: changes are not folded into what is damaged by then.
func TestFoldOfDamaged(t *testing.T) {
	dir := t.TempDir()
	f := open(t, dir)
	if err := appended["fold"](f); err != nil {
		t.Fatal(err)
	}
	b := []byte(have(dir, ringName))
	b[100] ^= 1
	put(t, dir, ringName, b)
	if err := f.Append(next(2)); !errors.Is(err, ErrDamaged) || have(dir, ringName) != string(b) {
		t.Errorf("%v", err)
	}
	if err := f.Write(state(3)); err != nil { // all that there is
		t.Fatal(err)
	}
}

// TestKilledAppending ends a process before each step of an Append.
func TestKilledAppending(t *testing.T) {
	for name := range appended {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for k := 0; ; k++ {
				dir := t.TempDir()
				over := killedAt(t, k, name, dir)
				if n := stateIn(t, dir); n != 3 && (over || n != 2) {
					t.Errorf("killed before step %d: there is state %d", k, n)
				}
				if over {
					if k < 2 {
						t.Errorf("it has %d steps", k)
					}
					return
				}
			}
		})
	}
}

const loopEnv = "NANORING_TEST_LOOP"

// beLooping appends, and says how far it is each time, until it is killed.
func beLooping(dir string) {
	f, err := Open(dir, slog.New(slog.DiscardHandler))
	if err != nil {
		panic(err)
	}
	m, err := f.Load()
	if err == nil {
		err = f.Use(m)
	}
	var s wire.Snapshot
	if m.Snapshot != nil {
		err = errors.Join(err, s.Decode(m.Snapshot))
	} else {
		s.Decode(state(1))
	}
	err = errors.Join(err, f.Write(s.Append(nil)))
	for n := len(s.Records); err == nil; n++ {
		fmt.Println(n)
		err = f.Append(next(n))
	}
	panic(err)
}

// TestKilledInALoop kills a process that appends as fast as it can (SIGKILL), at any
// moment, again and again: what it said was written is there, and nothing that was not.
func TestKilledInALoop(t *testing.T) {
	dir := t.TempDir()
	acked := 0
	for round := range 15 {
		cmd := exec.CommandContext(t.Context(), os.Args[0])
		cmd.Env = append(os.Environ(), loopEnv+"="+dir)
		out, err := cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		after := acked + 1 + rand.IntN(60)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			n, err := strconv.Atoi(lines.Text())
			if err != nil || n < acked {
				t.Fatalf("in round %d it says %q, after %d", round, lines.Text(), acked)
			}
			if acked = n; n == after { // it goes on meanwhile
				time.AfterFunc(time.Duration(rand.IntN(3000))*time.Microsecond, func() { cmd.Process.Kill() })
			}
		}
		cmd.Wait()
		n := stateIn(t, dir)
		if n != acked && n != acked+1 {
			t.Fatalf("in round %d it said that it had written state %d, and there is %d", round, acked, n)
		}
		acked = n
	}
	t.Logf("%d changes", acked)
}

// inMemory is a folder for a test, where an fsync takes no time if there is such a place.
func inMemory(t *testing.T) string {
	dir, err := os.MkdirTemp("/dev/shm", "nanoring-test-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// TestBytesPerChange: of 10,000 members each changes, one at a time. What is written is no more than
// three times what has changed, each in one write and one fsync but where all is folded in; a
// snapshot for each would be some ten thousand times as much.
func TestBytesPerChange(t *testing.T) {
	const members = 10_000
	s := wire.Snapshot{Ring: "red", Name: "n0"}
	record := func(i int, stamp int64) []wire.Record {
		name := fmt.Sprintf("server-%05d", i)
		return []wire.Record{node(name, stamp), presence(name, stamp)}
	}
	const epoch = 1_800_000_000_000_000
	for i := range members {
		s.Records = append(s.Records, record(i, epoch)...)
	}
	f := open(t, inMemory(t))
	if err := f.Write(s.Append(nil)); err != nil {
		t.Fatal(err)
	}
	syncs := map[string]int{}
	f.before = func(step string) error { syncs[step]++; return nil }
	begun, changed := f.Usage().Written, 0
	for i := range members {
		c := wire.Change{Wall: epoch + int64(i), LastContact: epoch + int64(i), Records: record(i, epoch+int64(i))}
		for _, r := range c.Records {
			changed += r.Size()
		}
		if err := f.Append(c.Append(nil)); err != nil {
			t.Fatal(err)
		}
	}
	written := f.Usage().Written - begun
	t.Logf("%d bytes have changed, %d were written: %.2f for each; a snapshot has %d; %d fsyncs, and %d of the folder", changed, written, float64(written)/float64(changed), len(s.Append(nil)), syncs["sync"], syncs["syncdir"])
	if written > 3*uint64(changed) {
		t.Error("that is too much")
	}
	if syncs["sync"] != members || syncs["syncdir"] > 3 {
		t.Errorf("%v", syncs)
	}
}
