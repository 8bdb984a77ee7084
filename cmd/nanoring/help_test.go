package main

import (
	"slices"
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

// TestHelpHasNoIdleFlags: of the flags that all commands share, help has those
// that the command does something with.
func TestHelpHasNoIdleFlags(t *testing.T) {
	for name, want := range map[string]string{
		"node": "config data ring secret-file", "demo": "", "keygen": "", "token": "config ring secret-file", "version": "output", "config check": "", "sim": "config output", "inspect": "", "completion": "", "completion bash": "", "up": "api config data output ring secret-file token api-ca",
	} {
		root, _ := newRoot()
		var out strings.Builder
		root.SetOut(&out)
		root.SetArgs(append(strings.Fields(name), "--help"))
		if err := root.Execute(); err != nil {
			t.Fatal(err)
		}
		_, global, grouped := strings.Cut(out.String(), "Global Flags:")
		if !grouped {
			_, global, _ = strings.Cut(out.String(), "Who it is, and its ring:")
		}
		for _, flag := range []string{"api", "api-ca", "config", "data", "output", "ring", "secret-file", "token"} {
			if got := strings.Contains(global, "--"+flag+" "); got != slices.Contains(strings.Fields(want), flag) {
				t.Errorf("%s: has --%s: %v", name, flag, got)
			}
		}
	}
}
