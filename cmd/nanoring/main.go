// Command nanoring runs the nodes of a ring, and steers them.
package main

import (
	"context"
	"fmt"
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
	fmt.Fprintln(os.Stderr, "nanoring:", f.err)
	if f.hint != "" {
		fmt.Fprintln(os.Stderr, f.hint)
	}
	return f.status
}
