package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
)

// several is a command that does something to several nodes, for good: it is told which
// by names or by a filter, shows them first, and asks.
type several struct {
	filter
	yes, dryRun bool

	o      *options
	client *client
	does   string                         // delete
	done   func(out printer, name string) // says that it is
	also   string                         // what the question says of it
	none   string                         // what is said when it is no node
}

func (s *several) addTo(cmd *cobra.Command) {
	s.filter.addTo(cmd)
	cmd.Flags().BoolVarP(&s.yes, "yes", "y", false, "do not ask")
	cmd.Flags().BoolVar(&s.dryRun, "dry-run", false, "show which nodes it would be, and do nothing")
}

func (s *several) filtered() bool { return len(s.tags) > 0 || s.state != "" || s.name != "" }

// pick returns the nodes that are meant, in a list without doubles, the one that is asked
// last, and how many there are in all.
func (s *several) pick(cmd *cobra.Command, names []string) (picked []member, own status, err error) {
	if len(names) > 0 && s.filtered() {
		return nil, own, usage(cmd, errors.New("either NAMEs or a filter: not both"))
	}
	path, err := s.ask(cmd, pathNodes, nil)
	if err != nil {
		return nil, own, err
	}
	if own, err = s.client.status(cmd.Context()); err != nil {
		return nil, own, err
	}
	if picked, err = s.client.members(cmd.Context(), path); err != nil {
		return nil, own, err
	}
	if len(names) > 0 {
		known := make(map[string]member)
		for _, m := range picked {
			known[m.Name] = m
		}
		picked = nil
		var unknown []string
		for _, name := range slices.Compact(slices.Sorted(slices.Values(names))) {
			if m, ok := known[name]; ok {
				picked = append(picked, m)
			} else {
				unknown = append(unknown, fmt.Sprintf("%q", name))
			}
		}
		if len(unknown) > 0 {
			return nil, own, &failure{exitRefused, fmt.Errorf("no node of this ring is called %s: nothing was done", strings.Join(unknown, ", ")), hints["unknown-node"]}
		}
	}
	slices.SortStableFunc(picked, func(a, b member) int {
		switch own.Name {
		case a.Name:
			return 1
		case b.Name:
			return -1
		}
		return 0
	})
	return picked, own, nil
}

// agreed shows which nodes it is about, and says whether it is to be. One that was named
// is; so are several, where nobody can be asked, but not those that a filter has picked.
func (s *several) agreed(cmd *cobra.Command, picked []member, total int, byName bool) (bool, error) {
	if len(picked) == 0 && s.o.output == "table" {
		stderr(cmd).printf("%s: nothing to %s.\n", cmp.Or(s.none, "The filter picks no node"), s.does)
		return false, nil
	}
	asked := isTerminal(cmd.InOrStdin())
	switch {
	case s.dryRun, len(picked) == 0:
		return false, s.show(stdout(cmd), picked)
	case s.yes, byName && (len(picked) == 1 || !asked):
		return true, nil
	case !asked:
		return false, usage(cmd, fmt.Errorf("%s would be picked, of %d, and nobody can be asked here: say --yes; --dry-run shows which", many(len(picked), "node"), total))
	}
	to := stderr(cmd)
	if err := printMembers(to, picked); err != nil {
		return false, err
	}
	to.printf("%s %d of %s%s? [y/N] ", capital(s.does), len(picked), many(total, "node"), s.also)
	answer, _ := bufio.NewReader(cmd.InOrStdin()).ReadString('\n')
	if a := strings.ToLower(strings.TrimSpace(answer)); a != "y" && a != "yes" {
		return false, &failure{exitRefused, errors.New("nothing was done"), ""}
	}
	return true, nil
}

// show prints the nodes, and does nothing.
func (s *several) show(out printer, picked []member) error {
	switch s.o.output {
	case "json":
		return s.result(out, picked, "")
	case "names":
		for _, m := range picked {
			out.line(m.Name)
		}
		return nil
	}
	return printMembers(out, picked)
}

// each does it to one node after another, until one fails or Ctrl-C.
func (s *several) each(cmd *cobra.Command, picked []member, do func(context.Context, *member) (bool, error)) error {
	ctx, release := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
	defer release()
	out := stdout(cmd)
	var did []member
	var err error
	for i := range picked {
		m := &picked[i]
		ok := false
		if ok, err = do(ctx, m); err != nil {
			if ctx.Err() != nil {
				err = errors.New("called off")
			} else if no := (*refusal)(nil); errors.As(err, &no) && no.code == "unknown-node" { // by another operator
				stderr(cmd).printf("%s belongs to the ring no more\n", m.Name)
				err = nil
				continue
			}
			break
		}
		if !ok {
			continue
		}
		did = append(did, *m)
		switch s.o.output {
		case "names":
			out.line(m.Name)
		case "table":
			s.done(out, m.Name)
		}
	}
	if s.o.output == "json" {
		if err := s.result(out, did, "removed"); err != nil {
			return err
		}
	}
	if err != nil && len(picked) > 1 {
		f := *failureOf(err)
		f.err = fmt.Errorf("%w (%d of %d were done before)", err, len(did), len(picked))
		return &f
	}
	return err
}

// result is what has become of the nodes, as JSON.
func (s *several) result(out printer, list []member, state string) error {
	type one struct {
		Name  string `json:"name"`
		State string `json:"state"`
	}
	all := []one{}
	for _, m := range list {
		all = append(all, one{m.Name, cmp.Or(state, m.State)})
	}
	return out.value(map[string]any{"nodes": all})
}

// completeMore completes names behind others.
func completeMore(cmd *cobra.Command, o *options, args []string) ([]string, cobra.ShellCompDirective) {
	names, directive := completeNames(cmd, o, nil)
	return slices.DeleteFunc(names, func(name string) bool { return slices.Contains(args, name) }), directive
}

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// isTerminal says whether somebody sits at the other end, as far as can be told.
func isTerminal(f any) bool {
	file, ok := f.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	null, nullErr := os.Stat(os.DevNull)
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && (nullErr != nil || !os.SameFile(info, null))
}
