package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"
)

func watchCommand(o *options) *cobra.Command {
	var f filter
	var since string
	cmd := &cobra.Command{
		Use:   "watch",
		Short: "Print what happens in the ring, as it happens",
		Long: `Watch prints the nodes that belong to the ring, then a line for everything that
happens, as the node that is asked sees it, until Ctrl-C. With -o json each line
is an event of the HTTP API.

With --since ID it goes on after the event of that id, which -o json shows; what is
not known any more is announced as a gap, and the nodes are printed anew.
` + filterHelp + `
A node that is picked no more is told of, too.`,
		Example: "  nanoring --data data/dev1 watch\n  nanoring --data data/dev1 watch -t role=web -o json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.output == "names" {
				return usage(cmd, errors.New("watch has no output names: there are table, json"))
			}
			c, err := o.client(cmd)
			if err != nil {
				return err
			}
			query := make(url.Values)
			if since != "" {
				query.Set("since", since)
			}
			path, err := f.ask(cmd, pathEvents, query)
			if err != nil {
				return err
			}
			ctx, release := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			defer release()
			err = c.watch(ctx, path, cmd.OutOrStdout(), o.output)
			if ctx.Err() != nil {
				return nil // Ctrl-C is how watching ends
			}
			return err
		},
	}
	cmd.Flags().StringVar(&since, "since", "", "`ID` of the last event that was seen")
	_ = cmd.RegisterFlagCompletionFunc("since", cobra.NoFileCompletions)
	f.addTo(cmd)
	return cmd
}

// watch prints the events of a path until ctx or the node ends.
func (c *client) watch(ctx context.Context, path string, out io.Writer, output string) error {
	return c.stream(ctx, path, func(data string) error {
		var e event
		if err := decode([]byte(data), &e); err != nil {
			return err
		}
		var err error
		if output == "json" {
			_, err = io.WriteString(out, data)
		} else {
			_, err = fmt.Fprintf(out, "%s  %s\n", e.when(), printable(e.text()))
		}
		if err == nil && e.Kind == "lost" {
			err = errors.New("events were lost, since this was too slow for them: watch again for the present state")
		}
		return err
	})
}

// event is an event of the API.
type event struct {
	Kind    string    `json:"kind"`
	At      time.Time `json:"at"`
	Node    *member   `json:"node"`
	Name    string    `json:"name"`
	Address string    `json:"address"`
	Code    string    `json:"code"`
	Text    string    `json:"text"`
	Ahead   int64     `json:"ahead_micros"`
}

// when is the time at which the node saw it, which is not known of what is there already.
func (e *event) when() string {
	if e.At.IsZero() {
		return "            "
	}
	return e.At.Local().Format("15:04:05.000")
}

// text says it in words.
func (e *event) text() string {
	if e.Node != nil {
		return e.Node.Name + " " + e.became()
	}
	switch e.Kind {
	case "ready":
		return "these are all; now what happens:"
	case "gap":
		return "what happened since is not all known any more; the nodes are:"
	case "refused":
		return fmt.Sprintf("a connection with %s (%s) was turned away, %s: %s", orDash(e.Name), orDash(e.Address), e.Code, e.Text)
	case "skew":
		ahead := time.Duration(e.Ahead) * time.Microsecond
		if ahead == 0 {
			return fmt.Sprintf("the clock of %s (%s) agrees with this node's again", orDash(e.Name), orDash(e.Address))
		}
		text := fmt.Sprintf("the clock of %s (%s) differs from this node's by %s", orDash(e.Name), orDash(e.Address), ahead.Round(time.Millisecond))
		if e.Code != "" {
			text += ": they do not let each other in"
		}
		return text
	case "leaving":
		return "this node was removed from the ring, and will end unless it is added again"
	case "stays":
		return "this node was added again, and stays"
	case "stale":
		return "this node was apart for too long to be believed, and asks others first"
	case "fresh":
		return "this node is not stale any more"
	}
	return e.Kind
}

// became says in words what became of the node.
func (e *event) became() string {
	is := fmt.Sprintf("is %s (%s)", e.Node.standing(), e.Node.where())
	switch e.Kind {
	case "joined":
		return "joined, and " + is
	case "restarted":
		return "was started again, and " + is
	case "removed":
		return "is removed: no member any more"
	case "updated":
		return is + ", and has other tags, or another address: " + orDash(e.Node.labels(" "))
	}
	return is
}
