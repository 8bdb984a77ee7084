package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/nanoring/nanoring/core/wire"
	"github.com/nanoring/nanoring/native/disk"
	"github.com/spf13/cobra"
)

func inspectCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "inspect FILE|-",
		Short: "Show a ring file or a frame as JSON",
		Long: `Inspect shows what is in a ring file, in an engine's snapshot or in a frame of
the protocol, as JSON for people; which of them it is, it finds out. Of a ring file
whose last changes are damaged it shows what it was before them, and says so. It
reads the file, or its standard input for '-', and asks no node. Programs should
read 'status', 'all' and 'up' instead: what inspect prints may change.`,
		Example: `  nanoring inspect data/dev1/ring
  nanoring inspect - <frame.bin`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return errors.New("one argument is needed, a FILE or -")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			b, err := readInspected(cmd.InOrStdin(), args[0], maxInspected)
			if err != nil {
				return err
			}
			v, err := inspect(b)
			if err != nil {
				return fmt.Errorf("cannot show %s: %w", args[0], err)
			}
			return printFields(stdout(cmd), v)
		},
	}
}

// maxInspected is over the size of every ring file: a snapshot and its envelope.
const maxInspected = 1 << 30

// readInspected reads a file, or standard input, of so many bytes at most.
func readInspected(stdin io.Reader, path string, most int64) ([]byte, error) {
	in := stdin
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		info, err := f.Stat()
		if err != nil {
			return nil, err
		}
		if info.IsDir() {
			return nil, fmt.Errorf("%s is a folder: a node's ring file is %s", path, filepath.Join(path, "ring"))
		}
		if info.Size() > most {
			return nil, tooLarge(path)
		}
		in = f
	}
	b, err := io.ReadAll(io.LimitReader(in, most+1))
	switch {
	case err != nil:
		return nil, err
	case len(b) == 0:
		return nil, fmt.Errorf("%s is empty", path)
	case int64(len(b)) > most:
		return nil, tooLarge(path)
	}
	return b, nil
}

func tooLarge(path string) error {
	return fmt.Errorf("%s is larger than any ring file (%d MiB)", path, maxInspected>>20)
}

// inspect finds out what b is, and returns it for printing.
func inspect(b []byte) (fields, error) {
	var s wire.Snapshot
	switch snapshot, err := disk.DecodeRingFile(b); {
	case snapshot != nil:
		if err := s.Decode(snapshot); disk.Later(err) {
			return nil, fmt.Errorf("a later version wrote it: %w: take that version, or one after it", err)
		} else if err != nil {
			return nil, fmt.Errorf("its envelope is a ring file's, but its content is not: %w", err)
		}
		o := showSnapshot("ring file", len(b), &s)
		if err != nil { // which is not the last that the node wrote
			o = append(o[:2:2], append(fields{{"damaged", err.Error()}}, o[2:]...)...)
		}
		return o, nil
	case !errors.Is(err, disk.ErrForeign):
		return nil, err
	}
	if b[0]>>4 != 9 { // the array that a frame and a snapshot are
		return nil, errors.New("it is neither a ring file, nor a snapshot, nor a frame of the protocol")
	}
	var f wire.Frame
	asFrame := f.Decode(b)
	if asFrame == nil {
		return showFrame(b, &f)
	}
	asSnapshot := s.Decode(b)
	if asSnapshot == nil {
		return showSnapshot("snapshot", len(b), &s), nil
	}
	return nil, fmt.Errorf("it is no ring file; read as a frame: %w; read as a snapshot: %w", asFrame, asSnapshot)
}
