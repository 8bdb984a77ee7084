package main

import (
	"fmt"
	"net/url"
	"strconv"

	"github.com/spf13/cobra"
)

// maxOwners is how many the API returns.
const maxOwners = 64

func ownerCommand(o *options) *cobra.Command {
	count := 1
	var f filter
	cmd := &cobra.Command{
		Use:   "owner KEY",
		Short: "Show which nodes own a key",
		Long: `Owner shows the nodes to which a key is given, the first owner first, of those
that are up, suspects among them, not ephemeral and not cordoned: all of them if
they are fewer than asked for. A key is any text that is not empty.

All nodes that see the same nodes up answer the same, and nothing is stored: the
owners follow from the key and the names. When a node comes or goes, keys move
only to it or from it.
` + filterHelp,
		Example:           "  nanoring --data data/dev1 owner user:42\n  nanoring --data data/dev1 owner user:42 -n 3 -t role=web -o names",
		Args:              argument("the KEY"),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			if count < 1 || count > maxOwners {
				return usage(cmd, fmt.Errorf("-n %d: there are 1 to %d owners", count, maxOwners))
			}
			return list(cmd, o, pathOwners+"/"+segment(args[0]), &f, url.Values{"n": {strconv.Itoa(count)}})
		},
	}
	f.addTo(cmd)
	cmd.Flags().IntVarP(&count, "count", "n", count, fmt.Sprintf("how many owners, 1 to %d", maxOwners))
	return cmd
}
