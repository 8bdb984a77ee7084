// Command nanoring runs the nodes of a ring, and steers them.
package main

import (
	"context"
	"fmt"
	"io"
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
	text := fmt.Sprintln("nanoring:", f.err)
	if f.hint != "" {
		text += f.hint + "\n"
	}
	if cmd.Name() == "node" {
		say(os.Stderr, text) // whoever reads it may be stuck, and a node has to end
	} else {
		io.WriteString(os.Stderr, text)
	}
	return f.status
}
