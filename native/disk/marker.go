package disk

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"
)

// A Marker is what DATA/removed says to people.
type Marker struct {
	Removed time.Time `json:"removed"`
	Ring    string    `json:"ring"`
	Name    string    `json:"name"`
	Left    bool      `json:"left,omitempty"` // by its own operator's wish
}

const maxMarker = 4 << 10 // bytes of one that are read

// Removed leaves the marker and deletes the ring files. Until the marker is on disk
// they stay, so that whatever fails there is one of them: a start finds that the node
// was removed, or a member that its ring tells so again. An error says that ring files
// are left behind.
func (f *Folder) Removed(m Marker) error {
	if err := f.mark(); err != nil {
		return fmt.Errorf("it stays, since there is no marker yet: %w", err)
	}
	if err := f.Forget(); err != nil { // which makes room for what follows
		return err
	}
	b, err := json.Marshal(m)
	if err == nil {
		err = f.replace(markerName, append(b, '\n'), nil)
	}
	if err != nil {
		f.log.Warn("the marker of the removal does not say when it was: that it is there is what counts", "file", f.path(markerName), "err", err)
	}
	return nil
}

// mark makes the marker of what is there: a file changes its name on a full disk, too,
// and there is no moment with neither a ring file nor the marker. Ring files beside a
// marker count for nothing.
func (f *Folder) mark() error {
	if _, err := os.Lstat(f.path(markerName)); err == nil {
		return f.syncDir()
	}
	var failed error
	for _, to := range []func() error{
		func() error { return f.rename(ringName, markerName) },
		func() error { return f.rename(prevName, markerName) },
		func() error { return f.createEmpty(markerName) }, // nothing was ever written
		func() error { return f.link(lockName, markerName) },
	} {
		err := to()
		if err == nil {
			return f.syncDir()
		}
		if !errors.Is(err, fs.ErrNotExist) {
			failed = errors.Join(failed, err)
		}
	}
	return failed
}

// Marked says whether the marker is there, and what it says: nothing, if the disk
// had no room for it.
func (f *Folder) Marked() (m Marker, there bool, err error) {
	switch _, err := os.Lstat(f.path(markerName)); {
	case errors.Is(err, fs.ErrNotExist):
		return m, false, nil
	case err != nil:
		return m, false, err
	}
	if file, err := os.Open(f.path(markerName)); err == nil {
		defer file.Close()
		b, _ := io.ReadAll(io.LimitReader(file, maxMarker))
		if json.Unmarshal(b, &m) != nil {
			m = Marker{}
		}
	}
	return m, true, nil
}

// Forget deletes the ring files, the older first: what a crash leaves is a member
// that learns again that it is none.
func (f *Folder) Forget() error {
	for _, name := range []string{prevName, ringName} {
		if err := f.remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return f.syncDir()
}

// Unmark deletes what a removed node left behind, the marker last.
func (f *Folder) Unmark() error {
	if err := f.Forget(); err != nil {
		return err
	}
	if err := f.remove(markerName); err != nil {
		return err
	}
	return f.syncDir()
}
