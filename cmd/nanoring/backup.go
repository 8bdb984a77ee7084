package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"

	"github.com/nanoring/nanoring/core/wire"
	"github.com/nanoring/nanoring/native/disk"
	"github.com/spf13/cobra"
)

func backupCommand(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "backup FILE|-",
		Short: "Keep what a node knows of its ring in a file",
		Long: `Backup writes what the node that is asked knows of its ring, its ring file as it is
at the moment, to a file, or to its standard output for '-'. If that node does not
run, it is what its data folder has. 'nanoring restore' puts it back. Any node's
backup is as good as another's for who belongs to the ring; it is a node's own, too.`,
		Example: "  nanoring --data data/dev1 backup dev1.ring\n  nanoring --api http://127.0.0.1:7001 backup - | ssh vault 'cat >dev1.ring'",
		Args:    argument("the FILE to write, or -"),
		RunE: func(cmd *cobra.Command, args []string) error {
			to, out := args[0], stdout(cmd)
			if to == "-" && out.terminal() {
				return usage(cmd, errors.New("a ring file is nothing for a terminal: write it to a FILE, or into a pipe"))
			}
			c, err := o.client(cmd)
			if err != nil {
				return err
			}
			b, err := c.backup(cmd.Context())
			if err != nil {
				return err
			}
			kept, _, err := readBackup(b)
			if err != nil {
				return fmt.Errorf("%s gives no ring file: %w", c.where, err)
			}
			if to == "-" {
				return out.plain(b)
			}
			if err := replaceFile(to, b); err != nil {
				return fmt.Errorf("cannot write the backup: %w", err)
			}
			switch o.output {
			case "json":
				return out.value(map[string]any{"name": kept.Name, "ring": kept.Ring, "file": to, "bytes": len(b), "nodes": len(membersOf(kept))})
			case "names":
				out.line(kept.Name)
			default:
				out.printf("%s has what %s knows of ring %s: %s\n", to, kept.Name, kept.Ring, many(len(membersOf(kept)), "node"))
			}
			return nil
		},
	}
}

// backup returns the ring file of a node, from its folder if it does not run.
func (c *client) backup(ctx context.Context) ([]byte, error) {
	b, err := c.call(ctx, http.MethodGet, pathBackup, nil)
	if err == nil || c.data == "" || failureOf(err).status != exitNoNode {
		return b, err
	}
	for _, name := range []string{"ring", "ring.prev"} {
		if b, err := os.ReadFile(filepath.Join(c.data, name)); err == nil {
			if kept, _, err := readBackup(b); err == nil {
				return disk.EncodeRingFile(kept.Append(nil)), nil // as the node would go on
			}
		}
	}
	return nil, err
}

// readBackup reads a ring file, as an engine does. cut says what is wrong with its last
// changes, if they cannot be read.
func readBackup(b []byte) (s *wire.Snapshot, cut, err error) {
	snapshot, err := disk.DecodeRingFile(b)
	if snapshot == nil {
		return nil, nil, err
	}
	s = new(wire.Snapshot)
	return s, err, s.Decode(snapshot)
}

// membersOf returns the names that belong to the ring by a snapshot.
func membersOf(s *wire.Snapshot) map[string]bool {
	names := make(map[string]bool)
	for i := range s.Records {
		if r := &s.Records[i]; r.Set == wire.Nodes && r.Rank == 0 {
			names[r.Name] = true
		}
	}
	return names
}

// replaceFile makes a file have these bytes, for this user alone: all of them, or it is as
// it was. What is no file, like a device, is not replaced by one.
func replaceFile(path string, b []byte) error {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("%s is there, and is no file: choose another, or - for the standard output", path)
	}
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, "."+filepath.Base(path)+"-")
	if err != nil { // it names a file that nobody has heard of
		var at *fs.PathError
		if errors.As(err, &at) {
			err = at.Err
		}
		return fmt.Errorf("in the folder %s: %w", dir, err)
	}
	defer os.Remove(f.Name())
	defer f.Close()
	if _, err := f.Write(b); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
