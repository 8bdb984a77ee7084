package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/nanoring/nanoring/core/wire"
	"github.com/spf13/cobra"
)

func listenCommand(o *options) *cobra.Command {
	var since string
	cmd := &cobra.Command{
		Use:   "listen [TOPIC]...",
		Short: "Print the messages that a node hears, as they come",
		Long: `Listen prints a line for every message that is sent to all, or told the node that
is asked, on one of the topics, in which * stands for any characters; without any,
on all topics; a question has a ? behind its topic. It does so until Ctrl-C. With
-o json each line is an event of the HTTP API.

What is lost is announced. With --since ID it goes on after the message of that id,
which -o json shows, if the node still knows what came then.`,
		Example: `  nanoring --data data/dev1 listen
  nanoring --data data/dev1 listen 'chat.*' deploy
  nanoring --data data/dev1 listen deploy -o json | jq -r .payload`,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.output == "names" {
				return usage(cmd, errors.New("listen has no output names: there are table, json"))
			}
			query := make(url.Values)
			for _, pattern := range args {
				if err := wire.ValidPattern(pattern); err != nil {
					return usage(cmd, err)
				}
				query.Add("topic", pattern)
			}
			if since != "" {
				query.Set("since", since)
			}
			o.tokenLife = streamLife
			c, err := o.client(cmd)
			if err != nil {
				return err
			}
			path := pathMessages
			if len(query) > 0 {
				path += "?" + query.Encode()
			}
			ctx, release := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			defer release()
			err = c.listen(ctx, path, stdout(cmd), o.output)
			if ctx.Err() != nil {
				return nil // Ctrl-C is how listening ends
			}
			return err
		},
	}
	cmd.Flags().StringVar(&since, "since", "", "`ID` of the last message that was heard")
	_ = cmd.RegisterFlagCompletionFunc("since", cobra.NoFileCompletions)
	return cmd
}

// message is what is heard, as the API has it.
type message struct {
	Kind  string    `json:"kind"`
	At    time.Time `json:"at"`
	From  string    `json:"from"`
	Topic string    `json:"topic"`
	payload
	Told  bool      `json:"told"`
	Until time.Time `json:"until"`
}

// listen prints the messages of a path until ctx or the node ends.
func (c *client) listen(ctx context.Context, path string, out printer, output string) error {
	return c.stream(ctx, path, func(data string) error {
		var m message
		if err := decode([]byte(data), &m); err != nil {
			return err
		}
		var err error
		if output == "json" {
			err = out.json([]byte(data))
		} else {
			err = out.line(m.text())
		}
		return err
	})
}

// text says it in a line.
func (m *message) text() string {
	when := "            "
	if !m.At.IsZero() {
		when = m.At.Local().Format("15:04:05.000")
	}
	switch {
	case m.Kind == "ready":
		return when + "  listening:"
	case m.Kind == "gap" && m.From == "":
		return when + "  some messages were lost here"
	case m.Kind == "gap":
		return when + "  some messages of " + m.From + " were lost here"
	}
	text := fmt.Sprintf("%s  %s  %s", when, m.From, m.Topic)
	switch {
	case m.Told:
		text += " (told)"
	case !m.Until.IsZero():
		text += "?"
	}
	return strings.TrimRight(text+"  "+m.bytes(), " ")
}
