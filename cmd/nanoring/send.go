package main

import (
	"fmt"
	"net/http"

	"github.com/nanoring/nanoring/core/wire"
	"github.com/spf13/cobra"
)

func sendCommand(o *options) *cobra.Command {
	var f filter
	cmd := &cobra.Command{
		Use:   "send TOPIC [PAYLOAD|-]",
		Short: "Send a message to all nodes that are up",
		Long: `Send sends a message to all nodes that are up. Whoever listens there to the topic
hears it, once: 'nanoring listen', a command that a node runs (--on-message), a
program, a page. Nobody who was away hears it later. It returns when the node that
is asked has taken it.

` + payloadHelp + "\n" + filterHelp,
		Example: `  nanoring --data data/dev1 send deploy v1.2.3
  nanoring --data data/dev1 send cache.flush -t role=web
  date | nanoring --data data/dev1 send clock -`,
		Args:              arguments("the TOPIC"),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := topic(cmd, args[0]); err != nil {
				return err
			}
			path, err := f.ask(cmd, pathMessages, nil)
			if err != nil {
				return err
			}
			if err := o.say(cmd, path, "", args, 1); err != nil {
				return err
			}
			switch out := stdout(cmd); o.output {
			case "json":
				return out.value(map[string]string{"topic": args[0]})
			case "table":
				out.line("sent", args[0])
			}
			return nil
		},
	}
	f.addTo(cmd)
	return cmd
}

func tellCommand(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "tell NAME TOPIC [PAYLOAD|-]",
		Short: "Send a message to one node",
		Long: `Tell sends a message to one node alone, wherever it hangs: to a page, too. It
returns when that node has heard it, and fails if nobody there listens to the
topic, or if it does not confirm within 30 seconds.

` + payloadHelp,
		Example: `  nanoring --data data/dev1 tell dev2 reload
  nanoring --data data/dev1 tell tab-7 chat.room 'hello there'`,
		Args: arguments("the NAME of a node", "the TOPIC"),
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			return completeNames(cmd, o, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := wire.ValidName(args[0]); err != nil {
				return usage(cmd, fmt.Errorf("%q is no NAME: %w", args[0], err))
			}
			if err := topic(cmd, args[1]); err != nil {
				return err
			}
			if err := o.say(cmd, pathMessages, args[0], args, 2); err != nil {
				return untold(err, args[0], args[1])
			}
			switch out := stdout(cmd); o.output {
			case "json":
				return out.value(map[string]string{"name": args[0], "topic": args[1]})
			case "names":
				out.line(args[0])
			default:
				out.printf("%s has heard %s\n", args[0], args[1])
			}
			return nil
		},
	}
}

// untold adds what to do when a node was not told.
func untold(err error, name, topic string) error {
	f := failureOf(err)
	if no, ok := f.err.(*refusal); ok {
		switch no.code {
		case "nobody":
			f.hint = "A program or a page there listens, or a command: 'nanoring node --on-message " + quoted(topic+"=COMMAND") + "'. Questions are for 'nanoring ask'."
		case "unreachable":
			f.hint = "See whether it is up: nanoring why " + quoted(name)
		}
	}
	return f
}

// say sends, to one node or to all, what the arguments up to the payload say.
func (o *options) say(cmd *cobra.Command, path, to string, args []string, at int) error {
	p, err := payloadOf(cmd, args, at)
	if err != nil {
		return err
	}
	c, err := o.client(cmd)
	if err != nil {
		return err
	}
	_, err = c.call(cmd.Context(), http.MethodPost, path, struct {
		To    string `json:"to,omitempty"`
		Topic string `json:"topic"`
		payload
	}{to, args[at-1], p})
	return err
}
