package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

func tagsCommand(o *options) *cobra.Command {
	var set, drop []string
	cmd := &cobra.Command{
		Use:   "tags",
		Short: "Show or change the tags of the node that is asked",
		Long: `Tags shows the tags of the node that is asked, and changes them first if it is told
to. All nodes of the ring hear of it at once. What was set survives a restart, but
for tags that the node is started with (--tag): they are then as they are there.`,
		Example: "  nanoring --data data/dev1 tags\n  nanoring --data data/dev1 tags --set role=web --set zone=a\n  nanoring --data data/dev1 tags --delete zone",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			patch := make(map[string]*string)
			for _, key := range drop {
				patch[key] = nil
			}
			for _, tag := range set {
				key, value, ok := strings.Cut(tag, "=")
				if !ok || key == "" {
					return usage(cmd, fmt.Errorf("--set %q is not KEY=VALUE", tag))
				}
				if _, twice := patch[key]; twice {
					return usage(cmd, fmt.Errorf("the tag %s is set or deleted twice", key))
				}
				patch[key] = &value
			}
			c, err := o.client(cmd)
			if err != nil {
				return err
			}
			method, body := http.MethodGet, any(nil)
			if len(patch) > 0 {
				method, body = http.MethodPatch, patch
			}
			b, err := c.call(cmd.Context(), method, pathTags, body)
			if err != nil {
				return err
			}
			if o.output == "json" {
				return stdout(cmd).indented(b)
			}
			return printTags(stdout(cmd), b, o.output)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringArrayVar(&set, "set", nil, "KEY=VALUE that the ring shall know of it; may be repeated")
	flags.StringArrayVar(&drop, "delete", nil, "KEY that it shall not; may be repeated")
	_ = cmd.RegisterFlagCompletionFunc("set", cobra.NoFileCompletions)
	_ = cmd.RegisterFlagCompletionFunc("delete", func(cmd *cobra.Command, _ []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		var t struct{ Tags map[string]string }
		if c, err := o.client(cmd); err == nil {
			if b, err := c.call(cmd.Context(), http.MethodGet, pathTags, nil); err == nil {
				_ = json.Unmarshal(b, &t)
			}
		}
		return offered(slices.Sorted(maps.Keys(t.Tags)))
	})
	return cmd
}

// printTags prints a table, with what a restart brings back, or the keys.
func printTags(w printer, b []byte, output string) error {
	var t struct{ Tags, Given map[string]string }
	if err := decode(b, &t); err != nil {
		return err
	}
	if output == "names" {
		for _, key := range slices.Sorted(maps.Keys(t.Tags)) {
			w.line(key)
		}
		return nil
	}
	table := w.table("TAG", "VALUE", "AFTER A RESTART")
	all := make(map[string]string)
	maps.Copy(all, t.Tags)
	maps.Copy(all, t.Given)
	for _, key := range slices.Sorted(maps.Keys(all)) {
		now, is := t.Tags[key]
		given, was := t.Given[key]
		then := "the same"
		if was && (!is || now != given) {
			then = given + ", by --tag"
		}
		if !is {
			now = "-"
		}
		table.row(key, now, then)
	}
	return table.Flush()
}
