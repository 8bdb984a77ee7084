package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// why is what a node knows of another, as the API has it.
type why struct {
	By    string    `json:"by"`
	Name  string    `json:"name"`
	State string    `json:"state"`
	Since time.Time `json:"since"`
	Link  *struct {
		Trip   int64 `json:"trip_micros"`
		Silent int64 `json:"silent_millis"`
	} `json:"link"`
	Evidence []struct {
		At    time.Time `json:"at"`
		Until time.Time `json:"until"`
		Text  string    `json:"text"`
	} `json:"evidence"`
}

func whyCommand(o *options) *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:   "why NAME",
		Short: "Show why a node is held for what it is held for",
		Long: `Why shows what the node that is asked knows of another, and how it came to: when
it did not answer, who was asked to probe it, whose dials its address refused,
which connections broke, who said that it is suspect, or down, who brought its
refutation, and when each state began. It is evidence, and no opinion: what
follows is shown by 'nanoring all'.

With --all it asks all nodes that are up: what one of them alone does not hear is
its own path's fault, or its own. A node keeps the last 32 pieces for each of the
256 names of which something happened last, for as long as it runs.`,
		Example: "  nanoring --data data/dev1 why dev3\n  nanoring --data data/dev1 why dev3 --all\n  nanoring --data data/dev1 why dev3 -o json",
		Args:    argument("the NAME of a node"),
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			return completeNames(cmd, o, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := o.client(cmd)
			if err != nil {
				return err
			}
			out := stdout(cmd)
			if all {
				return whyAll(cmd, c, o.output, args[0])
			}
			b, err := c.call(cmd.Context(), http.MethodGet, pathWhy+"?"+url.Values{"name": {args[0]}}.Encode(), nil)
			if err != nil {
				return err
			}
			var w why
			if err := decode(b, &w); err != nil {
				return err
			}
			switch o.output {
			case "json":
				return out.indented(b)
			case "names":
				err := out.line(w.By)
				return err
			}
			return w.print(out)
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "ask all nodes that are up")
	return cmd
}

func whyAll(cmd *cobra.Command, c *client, output, name string) error {
	f, err := inquire[why](cmd.Context(), c, "nanoring.why", name, "")
	if err != nil {
		return err
	}
	out, knows := stdout(cmd), false
	raw := []json.RawMessage{}
	for _, s := range f.answers {
		w := &s.what
		w.By, w.Name = s.from, name // whatever it says itself
		if w.State == "" && len(w.Evidence) == 0 {
			continue
		}
		knows = true
		raw = append(raw, s.raw)
		switch output {
		case "names":
			out.line(w.By)
		case "table":
			if len(raw) > 1 {
				out.line()
			}
			if err := w.print(out); err != nil {
				return err
			}
		}
	}
	if !knows {
		return fmt.Errorf("no node knows anything of %s", name)
	}
	switch {
	case output == "json":
		return out.value(struct {
			Answers []json.RawMessage `json:"answers"`
			Silent  []string          `json:"silent"`
		}{raw, append([]string{}, f.silent...)})
	case output == "table" && len(f.silent) > 0:
		out.printf("\nno answer from %s\n", strings.Join(f.silent, ", "))
	}
	return nil
}

// print shows it for people.
func (w *why) print(out printer) error {
	is := "does not belong to the ring"
	if w.State != "" {
		is = "is " + w.State
	}
	if !w.Since.IsZero() {
		is += " since " + w.Since.Local().Format(time.DateTime)
	}
	switch {
	case w.By == w.Name:
	case w.Link == nil:
		is += "; not connected"
	default:
		is += fmt.Sprintf("; connected, heard %s ago", (time.Duration(w.Link.Silent) * time.Millisecond).Round(100*time.Millisecond))
		if w.Link.Trip > 0 {
			is += ", last round trip " + took(w.Link.Trip)
		}
	}
	out.line(w.By + ": " + w.Name + " " + is)
	if len(w.Evidence) == 0 {
		err := out.line("  nothing happened lately")
		return err
	}
	for _, e := range w.Evidence {
		at := e.At.Local().Format("2006-01-02 15:04:05.000")
		if !e.Until.IsZero() {
			at += " to " + e.Until.Local().Format("15:04:05.000")
		}
		if err := out.line("  " + at + "  " + e.Text); err != nil {
			return err
		}
	}
	return nil
}

// took is a time in microseconds, for people.
func took(micros int64) string {
	d := time.Duration(micros) * time.Microsecond
	if d < 10*time.Millisecond {
		return d.Round(10 * time.Microsecond).String()
	}
	return d.Round(time.Millisecond).String()
}
