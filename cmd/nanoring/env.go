package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// envOf names the environment variable that a flag can be given by.
const envOf = "env"

// markEnv lets each of the flags be given by the environment too.
func markEnv(flags *pflag.FlagSet) {
	flags.VisitAll(func(f *pflag.Flag) {
		name := "NANORING_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		flags.SetAnnotation(f.Name, envOf, []string{name})
		f.Usage += " [$" + name + "]"
	})
}

// invalid says that a flag, given as where, cannot have a value.
func invalid(value, where string, f *pflag.Flag, err error) error {
	what := map[string]string{"bool": "true or false", "int": "a whole number"}[f.Value.Type()]
	if what == "" {
		return fmt.Errorf("invalid value %q of %s: %w", value, where, err)
	}
	return fmt.Errorf("invalid value %q of %s: it is %s", value, where, what)
}

// badFlag says the same of what the command line gives.
func badFlag(_ *cobra.Command, err error) error {
	var bad *pflag.InvalidValueError
	if errors.As(err, &bad) {
		return invalid(bad.GetValue(), "--"+bad.GetFlag().Name, bad.GetFlag(), bad.Unwrap())
	}
	return err
}

// readEnv gives the flags that the command line leaves out their values from
// the environment.
func readEnv(flags *pflag.FlagSet) error {
	var err error
	flags.VisitAll(func(f *pflag.Flag) {
		names := f.Annotations[envOf]
		if len(names) == 0 || f.Changed {
			return
		}
		if value, ok := os.LookupEnv(names[0]); ok && value != "" {
			if e := f.Value.Set(value); e != nil && err == nil {
				err = invalid(value, "$"+names[0], f, e)
			}
		}
	})
	return err
}
