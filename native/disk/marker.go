package disk

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"time"

	"github.com/google/renameio/v2"
)

// Forget deletes the ring files, the older first: what a crash leaves is a
// member that learns again that it is none.
func (f *Folder) Forget() error {
	for _, name := range []string{prevName, ringName} {
		if err := os.Remove(f.path(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return syncDir(f.dir)
}

// A Marker is what DATA/removed says to people.
type Marker struct {
	Removed time.Time `json:"removed"`
	Ring    string    `json:"ring"`
	Name    string    `json:"name"`
}

// Removed leaves the marker and deletes the ring files, in this order: ring
// files beside a marker count for nothing.
func (f *Folder) Removed(m Marker) error {
	b, err := json.Marshal(m)
	if err != nil {
		return err
	}
	err = renameio.WriteFile(f.path(markerName), append(b, '\n'), 0o600, renameio.WithTempDir(f.dir))
	if err == nil {
		err = syncDir(f.dir)
	}
	return errors.Join(err, f.Forget())
}

// Marked says whether the marker is there, and what it says.
func (f *Folder) Marked() (m Marker, there bool, err error) {
	b, err := os.ReadFile(f.path(markerName))
	if errors.Is(err, fs.ErrNotExist) {
		return m, false, nil
	}
	if err != nil {
		return m, false, err
	}
	_ = json.Unmarshal(b, &m) // that it is there is what counts
	return m, true, nil
}

// Unmark deletes what a removed node left behind.
func (f *Folder) Unmark() error {
	if err := f.Forget(); err != nil {
		return err
	}
	if err := os.Remove(f.path(markerName)); err != nil {
		return err
	}
	return syncDir(f.dir)
}
