package main

import (
	"fmt"
	"os"
	"time"

	"github.com/nanoring/nanoring/native/trust"
	"github.com/spf13/cobra"
)

func keygenCommand() *cobra.Command {
	var to string
	cmd := &cobra.Command{
		Use:   "keygen",
		Short: "Make a secret for a ring",
		Long: `Keygen prints a new secret, to be the same file on every machine of a ring:
nodes that are started with it (--secret-file) let nobody in who does not have it,
and encrypt all that they say to each other. With --out it writes it to a file that
is its owner's alone, and replaces none that is there.

The comment above the secret has its id, by which logs and errors call it. To
rotate, put a new secret into the file beside the old one: docs/security.md.`,
		Example: `  nanoring keygen --out ring.key
  nanoring node --secret-file ring.key --listen 10.0.0.5:7946`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			line := trust.NewSecret()
			secrets, err := trust.ParseSecrets([]byte(line))
			if err != nil {
				return err
			}
			text := fmt.Sprintf("# the secret %s, made on %s\n%s\n", secrets[0].ID(), time.Now().UTC().Format(time.DateOnly), line)
			if _, err := os.Lstat(to); to != "" && err == nil {
				return &failure{exitRefused, fmt.Errorf("%s is there: nothing was written", to), "A ring whose secret is lost is locked to all: move the file away first, if it is of none."}
			}
			return give(cmd, to, []byte(text))
		},
	}
	outFlag(cmd, &to)
	return cmd
}

// outFlag has a command write to a file what is to be somebody's alone.
func outFlag(cmd *cobra.Command, to *string) {
	cmd.Flags().StringVar(to, "out", "", "`FILE` to write it to, for its owner alone (mode 0600), instead of the standard output")
}

// give writes what is to be its owner's alone to a file, or prints it.
func give(cmd *cobra.Command, to string, b []byte) error {
	if to == "" {
		return stdout(cmd).secret(b)
	}
	if err := replaceFile(to, b); err != nil {
		return fmt.Errorf("cannot write --out: %w: choose another file, or none", err)
	}
	return nil
}
