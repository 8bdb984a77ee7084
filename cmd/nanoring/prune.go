package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/spf13/cobra"
)

const pruneRest = 100 * time.Millisecond // between two that are deleted

func pruneCommand(o *options) *cobra.Command {
	var downFor time.Duration
	s := several{o: o, does: "delete", done: sayRemoved, none: "No node that is picked has been down for so long, or has left so long ago"}
	cmd := &cobra.Command{
		Use:   "prune --down-for TIME",
		Short: "Remove nodes that are down for long",
		Long: `Prune removes the nodes from the ring that are down, or have left, for so long, as
the node that is asked knows it (it counts anew when it is started). They are shown
first, and you are asked on a terminal; elsewhere it takes --yes. Ten are deleted a
second, and one that has come back meanwhile is not.

Where more than half of the ring is down for so long it may be the node that is
asked that is cut off: so many are deleted on a terminal alone, or by name (del).
` + filterHelp,
		Example: "  nanoring --data data/dev1 prune --down-for 72h --dry-run\n  nanoring --data data/dev1 prune --down-for 72h -t role=worker --yes",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if downFor <= 0 {
				return usage(cmd, errors.New("--down-for is needed: for how long they have been down, as 72h"))
			}
			if s.client, err = o.client(cmd); err != nil {
				return err
			}
			picked, own, err := s.pick(cmd, nil)
			if err != nil {
				return err
			}
			before := time.Now().Add(-downFor)
			picked = slices.DeleteFunc(picked, func(m member) bool { return !m.goneSince(before) })
			if most := 2*len(picked) > own.Members; most {
				s.also = ", most of the ring (is this node the one that is cut off?)"
				if !s.dryRun && !isTerminal(cmd.InOrStdin()) {
					return &failure{exitRefused, fmt.Errorf("%d of %s are down for so long: nothing was done", len(picked), many(own.Members, "node")), "It may be the node that is asked that is cut off. If it is not, delete them on a terminal, or by name: nanoring del NAME..."}
				}
			}
			if ok, err := s.agreed(cmd, picked, own.Members, false); !ok {
				return err
			}
			rest := time.NewTicker(pruneRest)
			defer rest.Stop()
			return s.each(cmd, picked, func(ctx context.Context, m *member) (bool, error) {
				select {
				case <-rest.C:
				case <-ctx.Done():
					return false, ctx.Err()
				}
				b, err := s.client.call(ctx, http.MethodGet, pathNodes+"/"+segment(m.Name), nil)
				if err != nil {
					return false, err
				}
				var now member
				if err := decode(b, &now); err != nil {
					return false, err
				}
				if !now.goneSince(before) {
					stderr(cmd).printf("%s is %s again: it stays\n", m.Name, now.State)
					return false, nil
				}
				return true, s.client.del(ctx, m.Name)
			})
		},
	}
	cmd.Flags().DurationVar(&downFor, "down-for", 0, "for how long they have been down, or have left: 72h")
	_ = cmd.RegisterFlagCompletionFunc("down-for", cobra.NoFileCompletions)
	s.addTo(cmd)
	return cmd
}

// goneSince says whether the node is down, or has left, and was so at a time.
func (m *member) goneSince(at time.Time) bool {
	return (m.State == "down" || m.State == "left") && !m.Since.IsZero() && m.Since.Before(at)
}
