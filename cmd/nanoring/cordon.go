package main

import (
	"fmt"

	"github.com/nanoring/nanoring/core/wire"
	"github.com/spf13/cobra"
)

// cordonCommand is cordon, or uncordon.
func cordonCommand(o *options, on bool) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "cordon [NAME]",
		Short: "Have a node be given nothing new",
		Long: `Cordon has a node be given nothing new, the one that is asked or another: it is up,
but owns no keys, and guests that are new to it are sent on to other gateways. The
guests that it has stay; 'nanoring drain' moves them, too.

The node says so itself, so it has to be up. Cordon returns when it does. It goes on
doing so when it is started again, until it is uncordoned.`,
		Example: "  nanoring --data data/dev1 cordon\n  nanoring --data data/dev1 cordon dev2",
	}
	done := "is cordoned"
	if !on {
		cmd.Use, cmd.Short = "uncordon [NAME]", "Have a node be given new things again"
		cmd.Long = "Uncordon ends what cordon or drain began, at the node that is asked or at another. A\ndrain that is under way is called off."
		cmd.Example = "  nanoring --data data/dev1 uncordon\n  nanoring --data data/dev1 uncordon dev2"
		done = "is cordoned no more"
	}
	cmd.Args = cobra.MaximumNArgs(1)
	cmd.ValidArgsFunction = func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		return completeNames(cmd, o, args)
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := o.client(cmd)
		if err != nil {
			return err
		}
		var name string
		if len(args) > 0 {
			if name = args[0]; wire.ValidName(name) != nil {
				return usage(cmd, fmt.Errorf("%q is no NAME: %w", name, wire.ValidName(name)))
			}
		} else {
			s, err := c.status(cmd.Context())
			if err != nil {
				return err
			}
			name = s.Name
		}
		b, err := c.setCordon(cmd.Context(), on, name)
		if err != nil {
			return err
		}
		switch out := stdout(cmd); o.output {
		case "json":
			return out.indented(b)
		case "names":
			out.line(name)
		default:
			out.line(name, done)
		}
		return nil
	}
	return cmd
}
