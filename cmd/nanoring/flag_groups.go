package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// flagGroup is some flags that belong together, by their names.
type flagGroup struct{ title, flags string }

// groupFlags has the help of a command show its flags, the shared ones too, in groups.
func groupFlags(cmd *cobra.Command, groups []flagGroup) {
	cmd.SetUsageFunc(func(cmd *cobra.Command) error {
		usageOf(cmd).lines("Usage:\n  " + cmd.UseLine() + "\n\nExamples:\n" + cmd.Example + "\n")
		cmd.InheritedFlags()
		var shown []string
		for _, g := range groups {
			names := strings.Fields(g.flags)
			shown = append(shown, names...)
			printFlags(cmd, g.title, names)
		}
		var rest []string
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if !slices.Contains(shown, f.Name) {
				rest = append(rest, f.Name)
			}
		})
		printFlags(cmd, "More", rest)
		return nil
	})
}

func printFlags(cmd *cobra.Command, title string, names []string) {
	some := pflag.NewFlagSet("", pflag.ContinueOnError)
	some.SortFlags = false
	for _, name := range names {
		if f := cmd.Flag(name); f != nil && !f.Hidden {
			some.AddFlag(f)
		}
	}
	if some.HasFlags() {
		usageOf(cmd).lines("\n" + title + ":\n" + some.FlagUsages())
	}
}
