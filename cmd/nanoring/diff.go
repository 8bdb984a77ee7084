package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"
)

// holding is what a node holds, as it answers.
type holding struct {
	Count   int      `json:"count"`
	Sums    []string `json:"sums"`
	Records []record `json:"records"`
	More    int      `json:"more"`
}

type record struct {
	Set   string    `json:"set"`
	Name  string    `json:"name"`
	Says  string    `json:"says"`
	Stamp time.Time `json:"stamp"`
	Hash  string    `json:"hash"`
}

// different is a record that two nodes do not have alike.
type different struct {
	Set  string  `json:"set"`
	Name string  `json:"name"`
	A    *record `json:"a"` // null if that one has none
	B    *record `json:"b"`
}

// mostHeaps is how many heaps of records are compared one by one.
const mostHeaps = 32

func diffCommand(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "diff A B",
		Short: "Show which records two nodes do not have alike",
		Long: `Diff shows which records of the ring two nodes hold differently: news that is on
its way to one of them, which is over in a moment, or something that keeps them
apart, if it is still so when you ask again.

The status is 0 if all records are the same, else 1.`,
		Example:           "  nanoring --data data/dev1 diff dev2 dev3\n  nanoring --data data/dev1 diff dev2 dev3 -o json",
		Args:              twoNames,
		ValidArgsFunction: o.completeTwo,
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := o.client(cmd)
			if err != nil {
				return err
			}
			all, more, err := c.diff(cmd.Context(), args[0], args[1])
			if err != nil {
				return err
			}
			out := stdout(cmd)
			switch {
			case o.output == "json":
				err = out.value(struct {
					Differ []different `json:"differ"`
					More   bool        `json:"more"`
				}{all, more})
			case o.output == "names":
				for _, d := range all {
					out.line(d.Name)
				}
			case len(all) == 0 && !more:
				out.line("all records are the same")
			default:
				t := out.table("SET", "NAME", args[0], args[1])
				for _, d := range all {
					t.row(d.Set, d.Name, d.A.text(), d.B.text())
				}
				err = t.Flush()
			}
			switch {
			case err != nil:
				return err
			case more:
				return fmt.Errorf("over %d records differ", len(all))
			case len(all) > 0:
				return fmt.Errorf("records that differ: %d", len(all))
			}
			return nil
		},
	}
}

func (r *record) text() string {
	if r == nil {
		return "-"
	}
	return r.Says + ", " + r.Stamp.Local().Format("2006-01-02 15:04:05.000000")
}

func (c *client) recordsOf(ctx context.Context, of, heap string) (holding, error) {
	f, err := inquire[holding](ctx, c, "nanoring.records", heap, of)
	if err != nil {
		return holding{}, err
	}
	return f.one(of)
}

// diff compares what two nodes hold.
func (c *client) diff(ctx context.Context, a, b string) (all []different, more bool, err error) {
	all = []different{}
	of, err := c.recordsOf(ctx, a, "")
	if err != nil {
		return nil, false, err
	}
	with, err := c.recordsOf(ctx, b, "")
	if err != nil {
		return nil, false, err
	}
	if len(of.Sums) != len(with.Sums) {
		return nil, false, fmt.Errorf("%s and %s are of versions that do not compare records alike", a, b)
	}
	looked := 0
	for i := range of.Sums {
		if of.Sums[i] == with.Sums[i] {
			continue
		}
		if looked++; looked > mostHeaps {
			return all, true, nil
		}
		ra, err := c.recordsOf(ctx, a, strconv.Itoa(i))
		if err != nil {
			return nil, false, err
		}
		rb, err := c.recordsOf(ctx, b, strconv.Itoa(i))
		if err != nil {
			return nil, false, err
		}
		all = append(all, differing(ra.Records, rb.Records)...)
		more = more || ra.More+rb.More > 0
	}
	return all, more, nil
}

// differing compares records, which are in order.
func differing(a, b []record) (all []different) {
	find := func(in []record, r *record) *record {
		i := slices.IndexFunc(in, func(o record) bool { return o.Set == r.Set && o.Name == r.Name })
		if i < 0 {
			return nil
		}
		return &in[i]
	}
	for i := range a {
		if other := find(b, &a[i]); other == nil || other.Hash != a[i].Hash {
			all = append(all, different{a[i].Set, a[i].Name, &a[i], other})
		}
	}
	for i := range b {
		if find(a, &b[i]) == nil {
			all = append(all, different{b[i].Set, b[i].Name, nil, &b[i]})
		}
	}
	return all
}
