// Command nanoring runs the nodes of a ring, and steers them.
package main

import (
	"context"
	"os"
)

func main() {
	os.Exit(run(context.Background(), os.Args[1:]))
}

// run runs one command line and returns its exit status.
func run(ctx context.Context, args []string) int {
	root, begun := newRoot()
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return 0
	}
	f := failureOf(err)
	if !*begun { // what cobra finds before a command begins is about its usage
		f = usage(cmd, err)
	}
	print := func() {
		to := stderr(cmd)
		if *begun {
			to.line("nanoring:", f.err)
		} else { // cobra suggests commands in lines of their own, and has asked nobody
			to.lines("nanoring: " + f.Error() + "\n")
		}
		if f.hint != "" {
			to.line(f.hint)
		}
	}
	if cmd.Name() == "node" {
		say(print) // whoever reads it may be stuck, and a node has to end
	} else {
		print()
	}
	return f.status
}
