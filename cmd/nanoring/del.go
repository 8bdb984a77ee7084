package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/nanoring/nanoring/core/wire"
	"github.com/spf13/cobra"
)

func delCommand(o *options) *cobra.Command {
	s := several{o: o, does: "delete", done: sayRemoved}
	cmd := &cobra.Command{
		Use:        "del NAME...",
		SuggestFor: []string{"rm", "remove", "delete", "force-leave"},
		Short:      "Remove nodes from the ring",
		Long: `Del removes nodes from the ring, running or not. A node learns that it was removed,
deletes its ring file, and ends ten seconds later, unless it is added again before;
one that is not running learns it when it comes back. Del returns when the changes
are on the disk of the node that is told.

It takes several NAMEs, or a filter. Several are shown first, and you are asked on a
terminal; elsewhere those that a filter picks take --yes. If one NAME is no node's
nothing is done. The node that is told is deleted last, if it is among them.
` + filterHelp,
		Example: "  nanoring --data data/dev1 del dev2\n  nanoring --data data/dev1 del dev2 dev3 dev4 --yes\n  nanoring --data data/dev1 del -t zone=b --dry-run",
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			return completeMore(cmd, o, args)
		},
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if len(args) == 0 && !s.filtered() {
				return usage(cmd, errors.New("an argument is needed, the NAME of a node, or a filter"))
			}
			for _, name := range args {
				if err := wire.ValidName(name); err != nil {
					return usage(cmd, fmt.Errorf("%q is no NAME: %w", name, err))
				}
			}
			if s.client, err = o.client(cmd); err != nil {
				return err
			}
			if len(args) == 1 && !s.dryRun && !s.filtered() {
				return delOne(cmd, o, s.client, args[0])
			}
			picked, own, err := s.pick(cmd, args)
			if err != nil {
				return err
			}
			if slices.ContainsFunc(picked, func(m member) bool { return m.Name == own.Name }) {
				s.also = ", the one that is told among them"
			}
			if ok, err := s.agreed(cmd, picked, own.Members, len(args) > 0); !ok {
				return err
			}
			return s.each(cmd, picked, func(ctx context.Context, m *member) (bool, error) {
				return true, s.client.del(ctx, m.Name)
			})
		},
	}
	s.addTo(cmd)
	return cmd
}

func delOne(cmd *cobra.Command, o *options, c *client, name string) error {
	if err := c.del(cmd.Context(), name); err != nil {
		return err
	}
	switch out := stdout(cmd); o.output {
	case "json":
		return out.value(map[string]string{"name": name, "state": "removed"})
	case "names":
		out.line(name)
	default:
		sayRemoved(out, name)
	}
	return nil
}

func sayRemoved(out printer, name string) { out.printf("removed %s\n", name) }
