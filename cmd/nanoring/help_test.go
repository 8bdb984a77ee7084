package main

import (
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// TestHelp holds every command to its help.
func TestHelp(t *testing.T) {
	root, _ := newRoot()
	var walk func(*cobra.Command)
	walk = func(cmd *cobra.Command) {
		path := cmd.CommandPath()
		if cmd.Short == "" || cmd.Long == "" {
			t.Errorf("%s has no help", path)
		}
		if !strings.Contains(cmd.Example, path) && !strings.Contains(cmd.Example, cmd.Name()) {
			t.Errorf("%s has no example", path)
		}
		for line := range strings.Lines(cmd.Long) {
			if len(line) > 85 {
				t.Errorf("%s: a line of its help is %d characters long", path, len(line))
			}
		}
		for _, c := range cmd.Commands() {
			walk(c)
		}
	}
	walk(root)
}
