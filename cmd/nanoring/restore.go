package main

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
	"github.com/nanoring/nanoring/native/disk"
	"github.com/spf13/cobra"
)

func restoreCommand(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "restore FILE|-",
		Short: "Put what a node knew of its ring into its data folder",
		Long: `Restore puts a ring file, as 'nanoring backup' writes it, into the data folder of a
node that does not run, and says how to start it. The folder must have no ring file
that can be used, nor belong to a node that was removed.

What is in it is a memory: who was deleted since stays deleted, also if most of the
ring is restored, for the node asks those who know better; if it was deleted itself
it learns that, and ends with status 4. If all nodes are restored nobody knows
better.`,
		Example: "  nanoring restore dev1.ring --data data/dev1\n  ssh vault cat dev1.ring | nanoring restore - --data data/dev1",
		Args:    argument("the FILE to restore, or -"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.data == "" {
				return usage(cmd, errors.New("no data folder: say where the node's is with --data"))
			}
			b, err := readInspected(cmd.InOrStdin(), args[0], maxInspected)
			if err != nil {
				return err
			}
			s, cut, err := readBackup(b)
			if err == nil {
				_, err = core.New(core.Config{Ring: s.Ring, Name: s.Name, Snapshot: s.Append(nil)})
			}
			if err != nil {
				return fmt.Errorf("cannot restore %s: %w", args[0], err)
			}
			out, total := stdout(cmd), len(membersOf(s))
			left := forgetOthers(s)
			if err := restore(o.data, s); err != nil {
				return err
			}
			switch o.output {
			case "json":
				return out.value(map[string]any{"name": s.Name, "ring": s.Ring, "at": time.UnixMicro(s.Wall).UTC(), "nodes": total - left, "left_out": left})
			case "names":
				out.line(s.Name)
				return nil
			}
			out.printf("%s has what %s knew of ring %s on %s: %s\n", o.data, s.Name, s.Ring, time.UnixMicro(s.Wall).Local().Format(time.DateTime), many(total-left, "node"))
			if cut != nil {
				out.printf("What it said last was left out: %v.\n", cut)
			}
			if left > 0 {
				out.printf("It had never agreed with another node: %d that it had been told of were left out; add them again.\n", left)
			}
			out.line(startCommand(s, o.data))
			return nil
		},
	}
}

// forgetOthers leaves all others out of the memory of a node that had never agreed with
// one of them, and says how many members they were: nobody would ask whether they were
// deleted since.
func forgetOthers(s *wire.Snapshot) (left int) {
	if s.LastContact != 0 {
		return 0
	}
	before := len(membersOf(s))
	s.Records = slices.DeleteFunc(s.Records, func(r wire.Record) bool { return r.Name != s.Name })
	return before - len(membersOf(s))
}

// restore writes a snapshot into a folder where no node runs, or can be started as it is.
func restore(data string, s *wire.Snapshot) (err error) {
	f, err := disk.Open(data, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Abandon()
		} else {
			err = f.Close()
		}
	}()
	switch m, marked, err := f.Marked(); {
	case err != nil:
		return err
	case marked:
		return fmt.Errorf("the node of %s%s was removed from its ring: nothing is restored; start it with --join HOST:PORT --rejoin, or restore into another folder (--data)", data, named(m.Name))
	}
	switch memory, err := f.Load(); {
	case err == nil && memory.Snapshot != nil:
		return fmt.Errorf("%s has a ring file, %s: nothing is restored; move it and ring.prev away first, or restore into another folder (--data)", data, memory.File)
	case err != nil && !errors.Is(err, disk.ErrDamaged):
		return err
	}
	if err := f.Writable(); err != nil {
		return err
	}
	return f.Write(s.Append(nil))
}

func named(name string) string {
	if name == "" {
		return ""
	}
	return ", " + name + ","
}
