package main

import (
	"regexp"

	"github.com/spf13/cobra"
)

// safeWord is what every shell takes as it is, wherever it stands. A shell puts into its line, as it
// is, what several completions have in common, and asks for the next ones by that line.
var safeWord = regexp.MustCompile(`^[\pL\pN_][\pL\pN_./:@%+-]*$`)

// offered completes what comes from a node: no more of it than words. What else there is has to
// be typed, and quoted.
func offered(all []string) ([]string, cobra.ShellCompDirective) {
	var words []string
	for _, one := range all {
		if safeWord.MatchString(one) {
			words = append(words, one)
		}
	}
	return words, cobra.ShellCompDirectiveNoFileComp
}
