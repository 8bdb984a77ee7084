package main

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

func statusCommand(o *options) *cobra.Command {
	return &cobra.Command{
		Use:     "status",
		Short:   "Show how a node is doing",
		Long:    "Status shows who the node is that is asked, where its data is, how many nodes it\nknows, and what is wrong with it, if anything is.",
		Example: "  nanoring --data data/dev1 status\n  nanoring --data data/dev1 status -o json",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := o.client(cmd)
			if err != nil {
				return err
			}
			b, err := c.call(cmd.Context(), http.MethodGet, pathStatus, nil)
			if err != nil {
				return err
			}
			var s status
			if err := decode(b, &s); err != nil {
				return err
			}
			out := stdout(cmd)
			switch o.output {
			case "json":
				return out.indented(b)
			case "names":
				err := out.line(s.Name)
				return err
			}
			t := out.table("NAME", s.Name)
			t.row("RING", s.Ring)
			t.row("ADDRESS", orDash(s.Address))
			t.row("DATA", s.Data)
			t.row("SINCE", s.Started.Local().Format(time.DateTime))
			t.row("NODES", fmt.Sprintf("%d, of which %d up", s.Members, s.Up))
			t.row("CONNECTIONS", strconv.Itoa(s.Connections))
			for i, text := range s.Join.rows() {
				t.row([]string{"JOIN", ""}[min(i, 1)], text)
			}
			if text := s.Messages.text(); text != "" {
				t.row("MESSAGES", text)
			}
			if len(s.Keys) > 0 {
				t.row("SECRETS", strings.Join(s.Keys, ", "))
			}
			for _, c := range s.Conditions {
				if c.Code != "clock" && c.Code != "own-clock" && c.Code != "joining" { // of which there is more to say
					t.row(strings.ToUpper(c.Severity), c.Text)
					t.row("", c.Do)
				}
			}
			for i, text := range s.clockRows() {
				t.row([]string{"CLOCK", ""}[min(i, 1)], text)
			}
			return t.Flush()
		},
	}
}

// talk is how much is said at a node, as the API has it.
type talk struct {
	Listeners int `json:"listeners"`
	Unread    int `json:"unread"`
	Recent    int `json:"recent"`
	Answering int `json:"answering"`
	Asking    int `json:"asking"`
}

// text says what there is of it.
func (t talk) text() string {
	var all []string
	for _, of := range []struct {
		n    int
		what string
	}{
		{t.Listeners, "%d listening"}, {t.Unread, "%d not read yet"}, {t.Recent, "%d kept for who comes back"},
		{t.Answering, "questions being answered: %d"}, {t.Asking, "questions asked: %d"},
	} {
		if of.n > 0 {
			all = append(all, fmt.Sprintf(of.what, of.n))
		}
	}
	return strings.Join(all, ", ")
}
