package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// reach is whom a node reaches, as it answers.
type reach struct {
	Name   string   `json:"name"`
	Dialed []dialed `json:"dialed"`
	Links  []link   `json:"links"`
	More   int      `json:"more"`
}

type dialed struct {
	Name   string `json:"name"`
	Micros int64  `json:"micros"`
	Error  string `json:"error"`
}

// link is a connection, as a node answers.
type link struct {
	Name   string `json:"name"`
	Guest  bool   `json:"guest"`
	Trip   int64  `json:"trip_micros"`
	Silent int64  `json:"silent_millis"`
}

func reachCommand(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "reach",
		Short: "Show who reaches whom",
		Long: `Reach has all nodes that are up dial all others, now, and shows what came of it:
the time from the dial to the answer, or refused, unreachable, timeout, or
untrusted; and the connections that there are, those of guests with their gateways
too. A ring needs few connections: that two nodes have none says nothing, that one
cannot dial the other says that a path is cut.

With -o matrix it is a table of who dials, the rows, and whom, the columns: a
guest's column has its gateways. With -o names it is a line for each who cannot
dial another. A node dials up to 64 others: those whose names come next, and around.`,
		Example:     "  nanoring --data data/dev1 reach\n  nanoring --data data/dev1 reach -o matrix\n  nanoring --data data/dev1 reach -o names",
		Args:        noArgs,
		Annotations: map[string]string{"output": "matrix"},
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := o.client(cmd)
			if err != nil {
				return err
			}
			f, err := inquire[reach](cmd.Context(), c, "nanoring.reach", "", "")
			if err != nil {
				return err
			}
			out := stdout(cmd)
			switch o.output {
			case "json":
				raw := []json.RawMessage{}
				for _, s := range f.answers {
					raw = append(raw, s.raw)
				}
				return out.value(struct {
					Nodes  []json.RawMessage `json:"nodes"`
					Silent []string          `json:"silent"`
				}{raw, append([]string{}, f.silent...)})
			case "names":
				for _, s := range f.answers {
					for _, d := range s.what.Dialed {
						if d.Error != "" {
							out.line(s.from + " " + d.Name)
						}
					}
				}
				return nil
			case "matrix":
				err = reachMatrix(&f, out)
			default:
				err = reachRows(&f, out)
			}
			if err == nil && len(f.silent) > 0 {
				err = out.printf("no answer from %s\n", strings.Join(f.silent, ", "))
			}
			return err
		},
	}
}

// cells are what came of each dial and what is connected, by who and whom.
func (r *reach) cells() (came, linked map[string]string) {
	came, linked = make(map[string]string), make(map[string]string)
	for _, d := range r.Dialed {
		came[d.Name] = d.Error
		if d.Error == "" {
			came[d.Name] = took(d.Micros)
		}
	}
	for _, l := range r.Links {
		linked[l.Name] = l.text()
	}
	return came, linked
}

func (l *link) text() string {
	text := "connected"
	if l.Guest {
		text = "guest"
	}
	if l.Trip > 0 {
		text += ", " + took(l.Trip)
	}
	return text + ", heard " + (time.Duration(l.Silent) * time.Millisecond).Round(100*time.Millisecond).String() + " ago"
}

func reachRows(f *found[reach], out printer) error {
	t := out.table("FROM", "TO", "DIALLED", "CONNECTION")
	for _, s := range f.answers {
		r := s.what
		came, linked := r.cells()
		all := append(slices.Collect(maps.Keys(came)), slices.Collect(maps.Keys(linked))...)
		slices.Sort(all)
		for _, to := range slices.Compact(all) {
			t.row(s.from, to, orDash(came[to]), orDash(linked[to]))
		}
		if r.More > 0 {
			t.row(s.from, fmt.Sprintf("and %d more", r.More), "", "")
		}
	}
	return t.Flush()
}

const mostCells = 1 << 22 // of a matrix: some 2,000 nodes

func reachMatrix(f *found[reach], out printer) error {
	names := make(map[string]bool)
	for _, s := range f.answers {
		names[s.from] = true
		for _, d := range s.what.Dialed {
			names[d.Name] = true
		}
		for _, l := range s.what.Links {
			names[l.Name] = true
		}
	}
	columns := slices.Sorted(maps.Keys(names))
	if len(f.answers)*len(columns) > mostCells {
		return fmt.Errorf("a matrix of %d rows and %d columns is none that anybody could look at: leave out -o matrix", len(f.answers), len(columns))
	}
	t := out.table(append([]string{"FROM \\ TO"}, columns...)...)
	for _, s := range f.answers {
		r := s.what
		came, _ := r.cells()
		row := []string{s.from}
		for _, to := range columns {
			cell := came[to]
			for _, l := range r.Links {
				if l.Name == to && l.Guest {
					cell = "guest"
				}
			}
			row = append(row, orDash(cell))
		}
		t.row(row...)
	}
	return t.Flush()
}
