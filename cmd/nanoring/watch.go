package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/nanoring/nanoring/native"
	"github.com/spf13/cobra"
)

func watchCommand(o *options) *cobra.Command {
	var f filter
	var w watching
	cmd := &cobra.Command{
		Use:   "watch",
		Short: "Print what happens in the ring, as it happens",
		Long: `Watch prints the nodes that belong to the ring, then a line for everything that
happens, as the node that is asked sees it, until Ctrl-C. With -o json each line
is an event of the HTTP API.

With --since ID it goes on after the event of that id, which -o json shows; what is
not known any more is announced as a gap, and the nodes are printed anew. With
--retry it outlives its node: it says when that does not answer, tries again each
second, and goes on where it was, or announces a gap.

A node that says nothing for 19 seconds does not answer any more: status 3.
` + filterHelp + `
A node that is picked no more is told of, too.`,
		Example: "  nanoring --data data/dev1 watch\n  nanoring --data data/dev1 watch -t role=web -o json --retry",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.output == "names" {
				return usage(cmd, errors.New("watch has no output names: there are table, json"))
			}
			o.tokenLife = streamLife
			c, err := o.client(cmd)
			if err != nil {
				return err
			}
			w.client, w.out, w.output = c, stdout(cmd), o.output
			w.path = func(since string) (string, error) {
				query := make(url.Values)
				if since != "" {
					query.Set("since", since)
				}
				return f.ask(cmd, pathEvents, query)
			}
			ctx, release := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			defer release()
			err = w.run(ctx, stderr(cmd))
			if ctx.Err() != nil {
				return nil // Ctrl-C is how watching ends
			}
			return err
		},
	}
	cmd.Flags().StringVar(&w.since, "since", "", "`ID` of the last event that was seen")
	cmd.Flags().BoolVar(&w.retry, "retry", false, "go on when the node answers again")
	_ = cmd.RegisterFlagCompletionFunc("since", cobra.NoFileCompletions)
	f.addTo(cmd)
	return cmd
}

// watching prints what happens.
type watching struct {
	client *client
	path   func(since string) (string, error) // of the events after one
	out    printer
	output string
	since  string // the last event that was seen
	retry  bool

	known map[string]*member // as they were said last, by name
}

var errEventsLost = errors.New("events were lost, since this was too slow for them: watch again for the present state")

// run prints events until ctx or the node ends; with retry the node may come back.
func (w *watching) run(ctx context.Context, notices printer) error {
	w.known = make(map[string]*member)
	away := false
	for {
		path, err := w.path(w.since)
		if err != nil {
			return err
		}
		err = w.client.stream(ctx, path, func(data string) error {
			if away {
				away = false
				notices.printf("nanoring: the node at %s answers again\n", w.client.where)
			}
			return w.tell(data)
		})
		switch {
		case err == nil, !w.retry, ctx.Err() != nil:
			return err
		case errors.Is(err, errEventsLost): // the node knows more of them
		case failureOf(err).status != exitNoNode:
			return err
		case !away:
			away = true
			notices.printf("nanoring: %v; trying again\n", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(cmp.Or(w.client.tick, time.Second)):
		}
	}
}

// tell prints an event.
func (w *watching) tell(data string) error {
	var e event
	if err := decode([]byte(data), &e); err != nil {
		return err
	}
	var before *member
	if e.Node != nil {
		before = w.known[e.Node.Name]
		if w.known[e.Node.Name] = e.Node; e.Kind == "removed" {
			delete(w.known, e.Node.Name)
		}
	}
	if e.ID != "" {
		w.since = e.ID
	}
	var err error
	if w.output == "json" {
		err = w.out.json([]byte(data))
	} else {
		err = w.out.printf("%s  %s\n", e.when(), e.text(before))
	}
	if err == nil && e.Kind == "lost" {
		err = errEventsLost
	}
	return err
}

// event is an event of the API.
type event struct {
	Kind    string    `json:"kind"`
	ID      string    `json:"id"`
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

// text says it in words, of a node by what was said of it before: nil if nothing was.
func (e *event) text(before *member) string {
	if e.Node != nil {
		return e.Node.Name + " " + e.became(before)
	}
	switch e.Kind {
	case "ready":
		return "these are all; now what happens:"
	case "lost":
		return "some of what happened is missing here"
	case "gap":
		return "what happened since is not all known any more; the nodes are:"
	case "let-in":
		return fmt.Sprintf("this node and %s (%s) have let each other in", orDash(e.Name), orDash(e.Address))
	case native.KindHasJoined:
		return fmt.Sprintf("this node knows what %s knows of the ring: it has joined", orDash(e.Name))
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
func (e *event) became(before *member) string {
	is := fmt.Sprintf("is %s (%s)", e.Node.standing(), e.Node.where())
	switch e.Kind {
	case "joined":
		return "joined, and " + is
	case "restarted":
		return "was started again, and " + is
	case "removed":
		return "is removed: no member any more"
	case "updated":
		if before == nil || before.State != e.Node.State {
			return is + ", and something is new of it: its tags are " + cmp.Or(e.Node.labels(" "), "none")
		}
		return cmp.Or(strings.Join(e.Node.changes(before), "; "), is)
	}
	return is
}

// changes says in words what is said of the node, whose state is as it was, that was not before.
func (m *member) changes(before *member) (all []string) {
	if m.Cordoned != before.Cordoned {
		all = append(all, map[bool]string{true: "is cordoned: up, but given nothing new", false: "is cordoned no more"}[m.Cordoned])
	}
	if m.where() != before.where() {
		all = append(all, fmt.Sprintf("is at another address: %s, and not %s", m.where(), before.where()))
	}
	switch {
	case maps.Equal(m.Tags, before.Tags):
	case len(m.Tags) == 0:
		all = append(all, "has no tags any more")
	default:
		all = append(all, "has other tags: "+m.labels(" "))
	}
	return all
}
