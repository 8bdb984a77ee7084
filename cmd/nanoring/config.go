package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/nanoring/nanoring/native"
	"github.com/pelletier/go-toml/v2"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func configCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Check a file of settings",
		Long: `A file of settings (--config) is in TOML; its keys are the names of the flags of
'nanoring node'. A flag beats the environment, which beats the file. The other
commands take from it where the node's data folder, its ring, the secret and the CA
of an https --api are, and 'nanoring sim' how fast and how patient nodes are.`,
		Example: `  nanoring config check /etc/nanoring.toml`,
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return usage(cmd, errors.New("say what to do: check")) },
	}
	cmd.AddCommand(&cobra.Command{
		Use:   "check FILE",
		Short: "Say what is wrong with a file of settings",
		Long: `Check says what is wrong with a file of settings, with its line, or that nothing
is: that a node can be made of it alone, without flags and environment. It reads
the secret and the certificates that the file names, and starts nothing.
'nanoring node --config FILE … --print-config' does so with flags.`,
		Example: `  nanoring config check /etc/nanoring.toml`,
		Args:    argument("the FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			n, err := checkConfig(args[0])
			if err != nil {
				return err
			}
			err = stdout(cmd).printf("%s is right, and sets %d\n", args[0], n)
			return err
		},
	})
	return cmd
}

// checkConfig makes a node's configuration of a file alone, and returns how much is set there.
func checkConfig(path string) (settings int, err error) {
	flags, o, f := newNodeFlags()
	o.config = path
	flags.VisitAll(func(f *pflag.Flag) { delete(f.Annotations, envOf) })
	wrong := func(err error) (int, error) {
		return 0, &failure{exitUsage, o.explain(err), "See 'nanoring node --help'."}
	}
	if err := o.readSources(flags, true); err != nil {
		return wrong(err)
	}
	c, err := f.parse(o)
	if err != nil {
		return wrong(err)
	}
	_, err = c.Check()
	hint := o.secretHint(err)
	if hint != "" { // the rest can be checked all the same
		c.SecretFile, c.Insecure, c.AllowOrigins = "", true, nil
		if _, other := c.Check(); other != nil {
			err, hint = other, ""
		}
	}
	switch {
	case err == nil:
		return len(o.sources), nil
	case hint != "":
		return 0, &failure{exitUsage, o.explain(err), "All else in it is right. " + hint}
	}
	return wrong(err)
}

// secretHint is what to do about a secret that is not there; "" if that is not what is wrong.
func (o *options) secretHint(err error) string {
	var field *native.ConfigError
	if !errors.As(err, &field) || field.Field != "SecretFile" || !errors.Is(err, fs.ErrNotExist) {
		return ""
	}
	return "A new ring's secret is made once, 'nanoring keygen --out " + quoted(o.secretFile) + "', and copied to each of its nodes; of a ring that there is, copy it from one."
}

// wrong is what is wrong with the settings, as they were given, and what to do.
func (o *options) wrong(cmd *cobra.Command, err error) *failure {
	f := usage(cmd, o.explain(err))
	f.hint = cmp.Or(o.secretHint(err), f.hint)
	return f
}

// printConfig prints the settings that are in force, as a file that --config takes.
func printConfig(cmd *cobra.Command, o *options, c native.Config) error {
	c, err := c.Check()
	if err != nil {
		return o.wrong(cmd, err)
	}
	out := stdout(cmd)
	out.line("# What is in force, and where it comes from. This is a file for --config.")
	for _, g := range nodeHelp {
		title := g.title
		for _, name := range strings.Fields(g.flags) {
			if f := cmd.Flag(name); f != nil && f.Annotations[fileOf] != nil {
				if title != "" {
					out.printf("\n# %s\n", title)
				}
				if err := out.line(o.line(f, c)); err != nil {
					return err
				}
				title = ""
			}
		}
	}
	return nil
}

// line is a setting's in a file. What follows from others is a comment.
func (o *options) line(f *pflag.Flag, c native.Config) string {
	var value any = f.Value.String()
	from := "the default"
	if s, given := o.sources[f.Name]; given {
		from = strings.TrimSuffix(s.name, ": "+f.Name)
	}
	follows := map[string]any{
		"patience": c.Times.Patience, "period": c.Times.Period, "ack-timeout": c.Times.AckTimeout, "max-guests": c.MaxGuests,
	}
	switch v, ok := follows[f.Name]; {
	case f.Name == "name":
		value = c.Name
	case f.Name == "profile" && o.sources["patience"].rank > o.sources["profile"].rank:
		from = "follows from nothing: patience is set"
	case ok && (!o.given(f.Name) || f.Name == "patience" && o.sources["profile"].rank > o.sources["patience"].rank):
		value, from = fmt.Sprint(v), "follows from patience"
		switch f.Name {
		case "patience":
			from = "follows from profile"
		case "max-guests":
			value, from = v, "follows from max-connections"
		}
	case f.Value.Type() == "bool":
		value = f.Value.String() == "true"
	case f.Value.Type() == "int":
		value = v
		if !ok {
			value = c.MaxConnections
		}
	}
	if list, ok := f.Value.(pflag.SliceValue); ok {
		value = list.GetSlice()
	}
	text, err := toml.Marshal(map[string]any{f.Name: value})
	if err != nil {
		return "# " + f.Name + ": " + err.Error()
	}
	line := strings.TrimSpace(string(text))
	if strings.HasPrefix(from, "follows") {
		line = "# " + line
	}
	return fmt.Sprintf("%-40s # %s", line, from)
}
