package main

import (
	"net/url"

	"github.com/nanoring/nanoring/core"
	"github.com/spf13/cobra"
)

// filterHelp is how filters are told of in the help of each command that takes one.
const filterHelp = `
With filters, all of which have to hold, it is those that are picked: -t takes
KEY=PATTERN, KEY!=PATTERN (it is another, or not there), KEY (it is there) or !KEY;
--state and --name take PATTERN or !PATTERN. In a pattern * stands for any
characters, and all else for itself.`

// filter is what picks nodes, as flags.
type filter struct {
	tags        []string
	state, name string
}

// addTo gives a command its flags.
func (f *filter) addTo(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringArrayVarP(&f.tags, "tag", "t", nil, "`FILTER` of a tag: KEY=PATTERN, KEY!=PATTERN, KEY or !KEY; may be repeated")
	flags.StringVar(&f.state, "state", "", "`PATTERN` that the state is like, or !PATTERN")
	flags.StringVar(&f.name, "name", "", "`PATTERN` that the name is like, or !PATTERN")
	_ = cmd.RegisterFlagCompletionFunc("state", cobra.FixedCompletions(
		[]cobra.Completion{"up", "suspect", "down", "left", "unknown"}, cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.RegisterFlagCompletionFunc("tag", cobra.NoFileCompletions)
	_ = cmd.RegisterFlagCompletionFunc("name", cobra.NoFileCompletions)
}

// ask adds what picks nodes to the query of a path.
func (f *filter) ask(cmd *cobra.Command, path string, query url.Values) (string, error) {
	if _, err := core.ParseFilter(f.tags, f.state, f.name); err != nil {
		return "", usage(cmd, err)
	}
	if query == nil {
		query = make(url.Values)
	}
	for _, term := range f.tags {
		query.Add("tag", term)
	}
	if f.state != "" {
		query.Set("state", f.state)
	}
	if f.name != "" {
		query.Set("name", f.name)
	}
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	return path, nil
}
