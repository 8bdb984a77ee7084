package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"
)

func drainCommand(o *options) *cobra.Command {
	timeout := time.Minute
	cmd := &cobra.Command{
		Use:   "drain",
		Short: "Cordon a node, move its guests to other gateways, and stop it",
		Long: `Drain cordons the node that is asked, has its guests, like tabs, go to other
gateways, one after another, and stops it when none is left, and it answers no
question any more. Nobody sees them down.
The node stays a member, and comes back cordoned: then uncordon it. (A node that is
run with --drain-timeout drains when it is told to stop, and does not come back so.)

If guests are left when the time is over, as can be if no other gateway is reached
by them, drain says so, and the node runs on, cordoned. So it does after Ctrl-C.`,
		Example: "  nanoring --data data/dev1 drain\n  nanoring --data data/dev1 drain --timeout 5m",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if timeout <= 0 {
				return usage(cmd, fmt.Errorf("--timeout %s: it has to be longer", timeout))
			}
			c, err := o.client(cmd)
			if err != nil {
				return err
			}
			s, err := c.status(cmd.Context())
			if err != nil {
				return err
			}
			signals, release := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			defer release()
			ctx, cancel := context.WithTimeout(signals, timeout)
			defer cancel()
			left, err := c.drain(ctx, s.Name, stdout(cmd), o.output)
			switch {
			case signals.Err() != nil:
				return &failure{exitRefused, errors.New("called off: " + s.Name + " runs on, cordoned" + left.text()), uncordonHint}
			case ctx.Err() != nil:
				return &failure{exitRefused, fmt.Errorf("after %s %s runs on, cordoned%s", timeout, s.Name, left.text()), uncordonHint}
			}
			return err
		},
	}
	cmd.Flags().DurationVar(&timeout, "timeout", timeout, "how long the guests have")
	_ = cmd.RegisterFlagCompletionFunc("timeout", cobra.NoFileCompletions)
	return cmd
}

const uncordonHint = "Drain it again, stop its process, or end it all with: nanoring uncordon"

// draining is how a drain goes, as the API has it.
type draining struct {
	Guests    int  `json:"guests"`
	Questions int  `json:"questions"`
	Drained   bool `json:"drained"`
	Problem   *struct {
		Code   string `json:"code"`
		Detail string `json:"detail"`
	} `json:"problem"`
}

// drain shows how it goes until the node has stopped, and returns what was left last.
func (c *client) drain(ctx context.Context, name string, out printer, output string) (left draining, err error) {
	answer, err := c.open(ctx, http.MethodPost, pathDrain, nil)
	if err != nil {
		return left, err
	}
	defer answer.Close()
	for lines := c.byLine(answer); ; {
		line, err := lines.next()
		if err != nil {
			return left, c.noNode(err)
		}
		var d draining
		if err := decode(line, &d); err != nil {
			return left, err
		}
		left = d
		switch {
		case d.Problem != nil:
			return left, &failure{exitRefused, errors.New(d.Problem.Detail), ""}
		case output == "json":
			err = out.json(line)
		case output == "names":
			if d.Drained {
				err = out.line(name)
			}
		case d.Drained:
			err = out.printf("%s is drained, and has stopped: it comes back cordoned\n", name)
		default:
			err = out.printf("%s is cordoned%s\n", name, left.text())
		}
		if err != nil || d.Drained {
			return left, err
		}
	}
}

// text is what is left to do.
func (d *draining) text() string {
	text := ", and has no guests"
	if d.Guests > 0 {
		text = ", and has " + many(d.Guests, "guest")
	}
	if d.Questions > 0 {
		text += ", and answers " + many(d.Questions, "question")
	}
	return text
}

func many(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}
