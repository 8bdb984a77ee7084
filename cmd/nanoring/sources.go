package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"

	"github.com/nanoring/nanoring/native"
	"github.com/spf13/pflag"
)

// Of a flag: the environment variable that it can be given by, and whether a file of settings may.
const (
	envOf  = "env"
	fileOf = "file"
)

// Where a setting comes from; what is greater beats what is less.
const (
	fromDefault = iota
	fromFile
	fromEnv
	fromFlag
)

// source is where a setting comes from, and how to name it there.
type source struct {
	rank int
	name string // --patience, $NANORING_PATIENCE or ring.toml:7: patience
}

// markEnv lets each of the flags be given by the environment too.
func markEnv(flags *pflag.FlagSet) {
	flags.VisitAll(func(f *pflag.Flag) {
		name := "NANORING_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		flags.SetAnnotation(f.Name, envOf, []string{name})
		f.Usage += " [$" + name + "]"
	})
}

// markFile lets some of the flags be given by a file of settings, too.
func markFile(flags *pflag.FlagSet, names ...string) {
	for _, name := range names {
		flags.SetAnnotation(name, fileOf, []string{""})
	}
}

// settings are the keys that a file may have: they are the node's.
var settings = sync.OnceValue(func() map[string]bool {
	known := make(map[string]bool)
	flags, _, _ := newNodeFlags()
	flags.VisitAll(func(f *pflag.Flag) { known[f.Name] = f.Annotations[fileOf] != nil })
	return known
})

func isSetting(key string) bool { return settings()[key] }

// readSources gives the flags that the command line leaves out their values: from the
// environment, or else from the file of settings, if there is one and files are used.
func (o *options) readSources(flags *pflag.FlagSet, files bool) error {
	o.sources = make(map[string]source)
	var first error
	give := func(f *pflag.Flag, rank int, where string, value func() (string, error)) {
		o.sources[f.Name] = source{rank, where}
		if shown, err := value(); err != nil && first == nil {
			first = invalid(shown, where, f, err)
		}
	}
	env := func(f *pflag.Flag) {
		if f.Changed {
			o.sources[f.Name] = source{fromFlag, "--" + f.Name}
			return
		}
		if names := f.Annotations[envOf]; len(names) > 0 {
			if value := os.Getenv(names[0]); value != "" {
				give(f, fromEnv, "$"+names[0], func() (string, error) { return value, f.Value.Set(value) })
			}
		}
	}
	flags.VisitAll(env)
	if first != nil || o.config == "" || !files {
		return first
	}
	file, err := readConfig(o.config, isSetting)
	if err != nil {
		return err
	}
	flags.VisitAll(func(f *pflag.Flag) {
		s, there := file.settings[f.Name]
		if _, given := o.sources[f.Name]; !there || given || f.Annotations[fileOf] == nil {
			return
		}
		give(f, fromFile, file.at(f.Name)+": "+f.Name, func() (string, error) { return s.put(f) })
	})
	return first
}

// where names a setting as it was given: the flag, if it was not.
func (o *options) where(name string) string {
	if s, ok := o.sources[name]; ok {
		return s.name
	}
	return "--" + name
}

// given says whether a setting was given at all.
func (o *options) given(name string) bool { return o.sources[name].rank > fromDefault }

// settingError is what is wrong with a setting. Its text may begin with the name of the flag.
type settingError struct {
	flag string
	err  error
}

func (e *settingError) Error() string { return e.err.Error() }
func (e *settingError) Unwrap() error { return e.err }

// explain names what an error is about as it was given.
func (o *options) explain(err error) error {
	var field *native.ConfigError
	if errors.As(err, &field) {
		return errors.New(field.Say(o.where(flagOf(field.Field))))
	}
	var setting *settingError
	if errors.As(err, &setting) && o.sources[setting.flag].rank != fromFlag && o.given(setting.flag) {
		text := strings.TrimPrefix(setting.Error(), "--"+setting.flag+" ")
		return fmt.Errorf("%s: %s", o.where(setting.flag), text)
	}
	return err
}

// invalid says that a flag, given as where, cannot have a value.
func invalid(value, where string, f *pflag.Flag, err error) error {
	what := map[string]string{
		"bool": "true or false", "int": "a whole number", "duration": "a time with its unit, like 500ms, 4s or 72h",
	}[f.Value.Type()]
	if what == "" && errors.Is(err, errOtherType) {
		what = "a text, in quotes"
		if _, list := f.Value.(pflag.SliceValue); list {
			what = `a list of texts, like ["one", "two"]`
		}
	}
	if what == "" {
		return fmt.Errorf("invalid value %q of %s: %w", value, where, err)
	}
	return fmt.Errorf("invalid value %q of %s: it is %s", value, where, what)
}
