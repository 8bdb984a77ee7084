package main

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/nanoring/nanoring/core/wire"
	"github.com/nanoring/nanoring/native"
	"github.com/spf13/cobra"
)

func allCommand(o *options) *cobra.Command {
	var f filter
	cmd := &cobra.Command{
		Use:        "all",
		SuggestFor: []string{"members", "list", "ls"},
		Short:      "List the nodes that belong to the ring",
		Long: `All lists the nodes that belong to the ring, up or not, as the node that is asked
knows them.

The states are: up; suspect, which did not answer and is still up until its time
is over; down; left, which said bye and may come back; and unknown, of which
nothing was heard yet. A node that is not let in since its clock is wrong is shown
with how far that is ahead of the clock of the node that is asked, or behind.
` + filterHelp,
		Example: "  nanoring --data data/dev1 all\n  nanoring --data data/dev1 all -t zone=a -t '!draining' -o names\n  nanoring --data data/dev1 all --state '!up'",
		Args:    noArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return list(cmd, o, pathNodes, &f, nil) },
	}
	f.addTo(cmd)
	return cmd
}

func upCommand(o *options) *cobra.Command {
	var f filter
	cmd := &cobra.Command{
		Use:     "up",
		Short:   "List the nodes that are up",
		Long:    "Up lists the nodes of the ring that are up, suspects among them, as the node\nthat is asked knows them.\n" + filterHelp,
		Example: "  nanoring --data data/dev1 up\n  nanoring --api http://127.0.0.1:7001 up -t 'role=web*' -o json",
		Args:    noArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return list(cmd, o, pathUp, &f, nil) },
	}
	f.addTo(cmd)
	return cmd
}

// list prints the nodes of a path that a filter picks.
func list(cmd *cobra.Command, o *options, path string, f *filter, query url.Values) error {
	path, err := f.ask(cmd, path, query)
	if err != nil {
		return err
	}
	c, err := o.client(cmd)
	if err != nil {
		return err
	}
	out := stdout(cmd)
	if o.output == "json" {
		b, err := c.call(cmd.Context(), http.MethodGet, path, nil)
		if err != nil {
			return err
		}
		return out.indented(b)
	}
	members, err := c.members(cmd.Context(), path)
	if err != nil {
		return err
	}
	if o.output == "names" {
		for _, m := range members {
			out.line(m.Name)
		}
		return nil
	}
	return printMembers(out, members)
}

// printMembers prints a table, with a column for tags where there are any.
func printMembers(w printer, members []member) error {
	head := []string{"NAME", "STATE", "ADDRESS", "SINCE"}
	tagged := slices.ContainsFunc(members, func(m member) bool { return len(m.Tags) > 0 })
	if tagged {
		head = append(head, "TAGS")
	}
	t := w.table(head...)
	for _, m := range members {
		cells := []string{m.Name, m.standing(), m.where(), m.since()}
		if tagged {
			cells = append(cells, m.labels(","))
		}
		t.row(cells...)
	}
	return t.Flush()
}

// labels are its tags, each behind the one before and what is to be between them.
func (m *member) labels(between string) string {
	var tags []string
	for _, key := range slices.Sorted(maps.Keys(m.Tags)) {
		tags = append(tags, key+"="+m.Tags[key])
	}
	return strings.Join(tags, between)
}

func addCommand(o *options) *cobra.Command {
	return &cobra.Command{
		Use:        "add [NAME@]HOST:PORT",
		SuggestFor: []string{"join"},
		Short:      "Add a node, joining its ring and this one",
		Long: `Add adds a node to the ring. If the node has a ring of its own, the two become
one, of all the nodes of both.

With a name, the node need not run yet: it is up as soon as it appears. Without,
the name is learnt from the node, which has to run. Add returns when the change is
on the disk of the node that is told.`,
		Example: "  nanoring --data data/dev1 add dev2@127.0.0.1:7002\n  nanoring --data data/dev1 add 127.0.0.1:7003",
		Args:    argument("NAME@HOST:PORT or HOST:PORT"),
		RunE: func(cmd *cobra.Command, args []string) error {
			name, address, named := strings.Cut(args[0], "@")
			if !named {
				name, address = "", args[0]
			}
			err := wire.ValidAddress(address)
			if named && err == nil {
				err = native.CheckName(name)
			}
			if err != nil {
				return usage(cmd, fmt.Errorf("%q is not NAME@HOST:PORT or HOST:PORT: %w", args[0], err))
			}
			c, err := o.client(cmd)
			if err != nil {
				return err
			}
			b, err := c.add(cmd.Context(), name, address)
			if err != nil {
				return err
			}
			var m member
			if err := decode(b, &m); err != nil {
				return err
			}
			switch out := stdout(cmd); o.output {
			case "json":
				return out.indented(b)
			case "names":
				out.line(m.Name)
			default:
				out.printf("added %s at %s\n", m.Name, m.where())
				if m.Reason == "no-answer" {
					stderr(cmd).printf("no node answers at %s yet: %s is up as soon as one does that goes by this name\n", m.where(), m.Name)
				}
			}
			return nil
		},
	}
}

// completeNames completes the name of a node, by asking a node.
func completeNames(cmd *cobra.Command, o *options, args []string) ([]string, cobra.ShellCompDirective) {
	var names []string
	if c, err := o.client(cmd); err == nil && len(args) == 0 {
		members, _ := c.members(cmd.Context(), pathNodes)
		for _, m := range members {
			names = append(names, m.Name)
		}
	}
	return offered(names)
}

// twoNames expects the names of two nodes.
func twoNames(_ *cobra.Command, args []string) error {
	switch {
	case len(args) != 2 || args[0] == "" || args[1] == "":
		return errors.New("two arguments are needed, the names of two nodes")
	case args[0] == args[1]:
		return fmt.Errorf("%q is named twice: two different nodes are needed", args[0])
	}
	return nil
}

// completeTwo completes each of them.
func (o *options) completeTwo(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	return completeNames(cmd, o, args[:max(len(args)-1, 0)])
}
