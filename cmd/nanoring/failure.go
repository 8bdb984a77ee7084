package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
)

// The exit statuses, as `nanoring --help` has them.
const (
	exitRefused = 1 // the node said no, or something else went wrong
	exitUsage   = 2
	exitNoNode  = 3 // no node answers
	exitRemoved = 4 // the node was removed from its ring
)

// failure is an error with the exit status that it ends in, and what to do
// about it.
type failure struct {
	status int
	err    error
	hint   string
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

func failureOf(err error) *failure {
	var f *failure
	if errors.As(err, &f) {
		return f
	}
	return &failure{status: exitRefused, err: err}
}

// usage makes a failure of a command line that cannot be meant.
func usage(cmd *cobra.Command, err error) *failure {
	return &failure{exitUsage, err, fmt.Sprintf("See '%s --help'.", cmd.CommandPath())}
}

// argument is for commands that take just one argument.
func argument(what string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		switch {
		case len(args) != 1:
			return fmt.Errorf("one argument is needed, %s", what)
		case args[0] == "":
			return fmt.Errorf("%s is empty", what)
		}
		return nil
	}
}
