package main

import (
	"fmt"
	"os"
	"strings"

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
				err = fmt.Errorf("invalid value %q of $%s: %w", value, names[0], e)
			}
		}
	})
	return err
}
