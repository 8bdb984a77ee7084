package disk

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Each test here takes an operation that changes the folder, has it fail or the
// process end before each of its steps, and looks at what the next process finds.

// operations are what is done to a folder, by name.
var operations = map[string]func(*Folder) error{
	"write": func(f *Folder) error { return f.Write([]byte("three")) },
	"removed": func(f *Folder) error {
		return f.Removed(Marker{Removed: time.Unix(1_800_000_000, 0), Ring: "red", Name: "dev1"})
	},
	"forget": (*Folder).Forget,
	"unmark": (*Folder).Unmark,
	"set aside": func(f *Folder) error {
		m, err := f.Load()
		if err != nil {
			return err
		}
		return f.Use(m)
	},
}

// folders are those that an operation may find, by their files.
var folders = map[string]map[string][]byte{
	"both":         {ringName: EncodeRingFile([]byte("two")), prevName: EncodeRingFile([]byte("one"))},
	"ring alone":   {ringName: EncodeRingFile([]byte("two"))},
	"prev alone":   {prevName: EncodeRingFile([]byte("one"))},
	"ring damaged": {ringName: damaged("two"), prevName: EncodeRingFile([]byte("one"))},
	"nothing":      {},
}

func fill(t *testing.T, files map[string][]byte) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for name, b := range files {
		put(t, dir, name, b)
	}
	return dir
}

// found is what a start finds: "removed", a snapshot, or "" for a new node. If the
// files cannot be used it is the error.
func found(t *testing.T, dir string) string {
	t.Helper()
	f, err := Open(dir, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	_, marked, err := f.Marked()
	if err != nil {
		t.Fatal(err)
	}
	if marked {
		return "removed"
	}
	m, err := f.Load()
	if err != nil {
		return err.Error()
	}
	return string(m.Snapshot)
}

// needsRoom are the steps that a full disk has fail.
var needsRoom = map[string]bool{"create": true, "write": true, "sync": true}

// TestRemovedWhateverFails: after a removal nobody finds a folder that is as good as
// new, with which a node would join its ring again.
func TestRemovedWhateverFails(t *testing.T) {
	for name, files := range folders {
		for _, test := range []struct {
			err   error
			only  map[string]bool // the steps that fail; all if nil
			after bool            // all later ones fail, too
		}{
			{syscall.ENOSPC, needsRoom, true},
			{syscall.EIO, nil, false},
			{syscall.EROFS, nil, true},
		} {
			k := 0
			for failed := true; failed; k++ {
				dir := fill(t, files)
				f := open(t, dir)
				n := 0
				failed = false
				f.before = func(step string) error {
					n++
					if n-1 < k || n-1 > k && !test.after || test.only != nil && !test.only[step] {
						return nil
					}
					failed = true
					return test.err
				}
				err := operations["removed"](f)
				f.Close()
				got := found(t, dir)
				what := fmt.Sprintf("%s, %v at step %d", name, test.err, k)
				switch {
				case got == "" && err == nil, got == "" && name != "nothing":
					t.Errorf("%s (%v): it is as a new node's", what, err)
				case got != "removed" && err == nil:
					t.Errorf("%s: it says that it is removed, and has %q", what, got)
				case got != "removed" && (!failed || test.err == syscall.ENOSPC):
					t.Errorf("%s (%v): it has no marker, but %q", what, err, got)
				}
			}
			if k < 4 {
				t.Errorf("%s: %v at %d steps only", name, test.err, k)
			}
		}
	}
}

// TestRemovedSaysWhen: where there is room the marker says it; where there is none
// for a moment, nothing, until it is removed again.
func TestRemovedSaysWhen(t *testing.T) {
	dir := fill(t, folders["both"])
	f := open(t, dir)
	f.before = func(step string) error {
		if needsRoom[step] {
			return syscall.ENOSPC
		}
		return nil
	}
	if err := operations["removed"](f); err != nil {
		t.Fatal(err)
	}
	if m, there, err := f.Marked(); !there || err != nil || m != (Marker{}) {
		t.Errorf("%+v, %t, %v", m, there, err)
	}
	if !strings.Contains(logOf(f), "does not say when") {
		t.Error("nobody is told")
	}
	f.before = nil
	if err := operations["removed"](f); err != nil {
		t.Fatal(err)
	}
	if m, there, err := f.Marked(); !there || err != nil || m.Name != "dev1" || m.Ring != "red" || m.Removed.Unix() != 1_800_000_000 {
		t.Errorf("%+v, %t, %v", m, there, err)
	}
	if err := f.Unmark(); err != nil {
		t.Fatal(err)
	}
	f.Close()
	if got := found(t, dir); got != "" {
		t.Errorf("after Unmark there is %q", got)
	}
}

// TestWriteWhateverFails: a write that fails leaves a generation that can be used,
// the new one or that of before, and the next write is as any other.
func TestWriteWhateverFails(t *testing.T) {
	for name, files := range folders {
		before := found(t, fill(t, files))
		k := 0
		for failed := true; failed; k++ {
			dir := fill(t, files)
			f := open(t, dir)
			if name == "ring damaged" { // as a start does
				if err := operations["set aside"](f); err != nil {
					t.Fatal(err)
				}
			}
			n := 0
			failed = false
			f.before = func(string) error {
				if n++; n-1 == k {
					failed = true
					return syscall.EIO
				}
				return nil
			}
			err := operations["write"](f)
			f.before = nil
			f.Close()
			if got := found(t, dir); got != "three" && (err == nil || got != before) {
				t.Errorf("%s, step %d (%v): there is %q", name, k, err, got)
			}
			f = open(t, dir)
			if err := f.Write([]byte("four")); err != nil {
				t.Error(err)
			}
			f.Close()
			if got := found(t, dir); got != "four" {
				t.Errorf("%s, after step %d: there is %q", name, k, got)
			}
		}
		if k < 6 {
			t.Errorf("%s: it fails at %d steps only", name, k)
		}
	}
}

// TestKilled ends a process before each step of each operation.
func TestKilled(t *testing.T) {
	for _, test := range []struct {
		operation, folder string
		may               []string // what the next process may find
	}{
		{"write", "both", []string{"two", "three"}},
		{"write", "ring alone", []string{"two", "three"}},
		{"write", "prev alone", []string{"one", "three"}},
		{"removed", "both", []string{"two", "removed"}},
		{"removed", "ring alone", []string{"two", "removed"}},
		{"removed", "prev alone", []string{"one", "removed"}},
		{"forget", "both", []string{"two", ""}},
		{"unmark", "marked", []string{"removed", ""}},
		{"set aside", "ring damaged", []string{"one"}},
	} {
		t.Run(test.operation+" "+test.folder, func(t *testing.T) {
			t.Parallel()
			files := folders[test.folder]
			if test.folder == "marked" {
				files = map[string][]byte{markerName: []byte("{}"), ringName: EncodeRingFile([]byte("two"))}
			}
			for k := 0; ; k++ {
				dir := fill(t, files)
				over := killedAt(t, k, test.operation, dir)
				got := found(t, dir)
				ok := false
				for _, may := range test.may {
					ok = ok || got == may
				}
				if !ok || over && got != test.may[len(test.may)-1] {
					t.Errorf("killed before step %d: there is %q", k, got)
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

const killedEnv = "NANORING_TEST_KILLED"

// killedAt has another process do an operation, and end before its step k. It says
// whether the operation was over before.
func killedAt(t *testing.T, k int, operation, dir string) (over bool) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), killedEnv+"="+strconv.Itoa(k)+" "+operation+"@"+dir)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return true
	case errors.As(err, &exit) && exit.ExitCode() == 9:
		return false
	}
	t.Fatalf("%v: %s", err, out)
	return false
}

func TestMain(m *testing.M) {
	if how := os.Getenv(killedEnv); how != "" {
		beKilled(how)
		return
	}
	if dir := os.Getenv(loopEnv); dir != "" {
		beLooping(dir)
	}
	os.Exit(m.Run())
}

func beKilled(how string) {
	at, rest, _ := strings.Cut(how, " ")
	k, _ := strconv.Atoi(at)
	operation, dir, _ := strings.Cut(rest, "@")
	f, err := Open(dir, slog.New(slog.DiscardHandler))
	do := operations[operation]
	if prepare := appended[operation]; prepare != nil && err == nil {
		err = prepare(f)
		do = func(f *Folder) error { return f.Append(next(2)) }
	}
	if err == nil {
		n := 0
		f.before = func(string) error {
			if n++; n-1 == k {
				os.Exit(9) // no deferred function runs
			}
			return nil
		}
		err = do(f)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
