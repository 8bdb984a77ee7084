//go:build !windows

package disk

import (
	"fmt"
	"os"

	"github.com/google/renameio/v2"
)

// pending is a file that is written in a folder, and takes the place of another when it is whole.
type pending = renameio.PendingFile

func newPending(dir, path string) (*pending, error) {
	return renameio.NewPendingFile(path, renameio.WithTempDir(dir), renameio.WithPermissions(0o600))
}

// syncFolder has the disk keep which names its files have.
func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Sync(); err != nil {
		return fmt.Errorf("fsync of the folder: %w", err)
	}
	return nil
}
