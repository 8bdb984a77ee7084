package main

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"
)

func rttCommand(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "rtt A B",
		Short: "Measure the round trip between two nodes",
		Long: `Rtt has node A send node B three messages, now, and shows how long it took until
each was confirmed: over their connection, or, if they have none, on the way that
the ring has for messages, through others. For a guest its gateway confirms,
unless the guest listens to all.`,
		Example:           "  nanoring --data data/dev1 rtt dev2 dev3\n  nanoring --data data/dev1 rtt dev2 dev3 -o json",
		Args:              twoNames,
		ValidArgsFunction: o.completeTwo,
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := o.client(cmd)
			if err != nil {
				return err
			}
			type trip struct {
				Trips []int64 `json:"micros"`
				Link  *link   `json:"link"`
			}
			f, err := inquire[trip](cmd.Context(), c, "nanoring.rtt", args[1], args[0])
			if err != nil {
				return err
			}
			t, err := f.one(args[0])
			if err != nil {
				return err
			}
			out := stdout(cmd)
			switch {
			case o.output == "json":
				return out.indented(f.answers[0].raw)
			case len(t.Trips) == 0:
				return fmt.Errorf("%s has measured nothing", args[0])
			case o.output == "names":
				err := out.line(args[0], args[1])
				return err
			}
			slices.Sort(t.Trips)
			way := "not connected: through others"
			if t.Link != nil {
				way = t.Link.text()
			}
			err = out.printf("%s to %s and back: %s at best, %s at worst of %d (%s)\n", args[0], args[1], took(t.Trips[0]), took(t.Trips[len(t.Trips)-1]), len(t.Trips), way)
			return err
		},
	}
}
