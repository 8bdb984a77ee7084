package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/nanoring/nanoring/native/trust"
	"github.com/spf13/cobra"
)

func keygenCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "keygen",
		Short: "Make a secret for a ring",
		Long: `Keygen prints a new secret, to be the same file on every machine of a ring:
nodes that are started with it (--secret-file) let nobody in who does not have it,
and encrypt all that they say to each other. A file that it is written to is made
readable to its owner alone.

The comment above the secret has its id, by which logs and errors call it. To
rotate, put a new secret into the file beside the old one: docs/security.md.`,
		Example: `  nanoring keygen > ring.key
  nanoring node --secret-file ring.key --listen 10.0.0.5:7946`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			line := trust.NewSecret()
			secrets, err := trust.ParseSecrets([]byte(line))
			if err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			hide(out)
			_, err = fmt.Fprintf(out, "# the secret %s, made on %s\n%s\n", secrets[0].ID(), time.Now().UTC().Format(time.DateOnly), line)
			return err
		},
	}
}

// hide keeps a file that is written to from other users of the machine.
func hide(out io.Writer) {
	f, ok := out.(*os.File)
	if !ok {
		return
	}
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
		f.Chmod(0o600) // if it cannot be, the node that reads it warns
	}
}
