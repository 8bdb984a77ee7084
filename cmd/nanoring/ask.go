package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/nanoring/nanoring/core/wire"
	"github.com/spf13/cobra"
)

func askCommand(o *options) *cobra.Command {
	var f filter
	var limit int
	timeout := 5 * time.Second
	cmd := &cobra.Command{
		Use:   "ask TOPIC [PAYLOAD|-]",
		Short: "Ask all nodes that are up, and show what they answer",
		Long: `Ask asks all nodes that are up, and shows the answers as they come, then who was
asked and has not answered. Those answer where a command does (--on-question), a
program, or a page; a node where nobody does says so, and is not waited for.

It ends when all have answered, when there are as many answers as --limit says, or
after --timeout. If nobody answers its status is 1. With -o json each line is what
the HTTP API says; -o names prints who has answered.

` + payloadHelp + "\n" + filterHelp,
		Example: `  nanoring --data data/dev1 ask uptime
  nanoring --data data/dev1 ask jobs.find 42 --limit 1 --timeout 2s
  nanoring --data data/dev1 ask version -t role=web -o json`,
		Args:              arguments("the TOPIC"),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := topic(cmd, args[0]); err != nil {
				return err
			}
			switch {
			case timeout < time.Millisecond || timeout > wire.MaxWait*time.Millisecond:
				return usage(cmd, fmt.Errorf("--timeout %s: a question is open for 1ms to 10m", timeout))
			case limit < 0:
				return usage(cmd, fmt.Errorf("--limit %d is negative: 0 is for all answers", limit))
			}
			path, err := f.ask(cmd, pathQuestions, nil)
			if err != nil {
				return err
			}
			p, err := payloadOf(cmd, args, 1)
			if err != nil {
				return err
			}
			c, err := o.client(cmd)
			if err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), timeout+lookTimeout)
			defer cancel()
			lines, err := c.open(ctx, http.MethodPost, path, struct {
				Topic  string `json:"topic"`
				Limit  int    `json:"limit,omitempty"`
				Millis int64  `json:"timeout_millis"`
				payload
			}{args[0], limit, timeout.Milliseconds(), p})
			if err != nil {
				return err
			}
			defer lines.Close()
			return c.answers(lines, stdout(cmd), o.output, args[0], limit)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.DurationVar(&timeout, "timeout", timeout, "how long to wait for answers, 1ms to 10m")
	flags.IntVar(&limit, "limit", 0, "how many answers are enough; 0 is all")
	for _, name := range []string{"timeout", "limit"} {
		_ = cmd.RegisterFlagCompletionFunc(name, cobra.NoFileCompletions)
	}
	f.addTo(cmd)
	return cmd
}

// answer is a line of what a question is answered.
type answer struct {
	Kind string `json:"kind"`
	From string `json:"from"`
	payload
	Code    string   `json:"code"`
	Text    string   `json:"text"`
	Answers int      `json:"answers"`
	Silent  []string `json:"silent"`
	Problem *struct {
		Detail string `json:"detail"`
	} `json:"problem"`
}

// answers prints the answers as they come, and who has not, unless there were enough.
func (c *client) answers(from io.Reader, out printer, output, topic string, limit int) error {
	for lines := c.byLine(from); ; {
		line, err := lines.next()
		if err != nil {
			return c.ended(err)
		}
		var a answer
		if err := decode(line, &a); err != nil {
			return err
		}
		switch {
		case output == "json":
			err = out.json(line)
		case a.Kind == "answer" && output == "names":
			if a.Code == "" {
				err = out.line(a.From)
			}
		case a.Kind == "answer":
			err = a.print(out)
		case len(a.Silent) > 0 && output == "table" && (limit == 0 || a.Answers < limit):
			err = out.printf("no answer from %s\n", strings.Join(a.Silent, ", "))
		}
		switch {
		case err != nil:
			return err
		case a.Problem != nil:
			return errors.New(a.Problem.Detail)
		case a.Kind == "done" && a.Answers == 0:
			return &failure{exitRefused, errors.New("nobody answers " + topic), "A program or a page at a node answers, or a command: 'nanoring node --on-question " + quoted(topic+"=COMMAND") + "'. 'nanoring up' lists who was asked, with the filter if there was one."}
		case a.Kind == "done":
			return nil
		}
	}
}

// print says an answer in words. Lines after the first are set apart, so that none can be
// taken for somebody else's.
func (a *answer) print(out printer) error {
	if a.Code != "" {
		return out.printf("%s  (%s: %s)\n", a.From, a.Code, a.Text)
	}
	name := printable(a.From) + "  "
	lines := slices.Collect(strings.Lines(a.bytes()))
	if len(lines) == 0 {
		lines = []string{"\n"}
	}
	for i, line := range lines {
		if i == 1 {
			name = strings.Repeat(" ", len([]rune(name)))
		}
		if err := out.line(strings.TrimRight(name+strings.TrimRight(line, "\r\n"), " ")); err != nil {
			return err
		}
	}
	return nil
}
