package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/nanoring/nanoring/native"
	"github.com/spf13/pflag"
)

// liveNames are the settings that may change while a node runs.
var liveNames = []string{"allow-origin", "api-ca", "command-timeout", "host", "join", "log-level", "on-event", "on-message", "on-question", "tag"}

// rereader changes the settings of a node that runs.
type rereader struct {
	given    *pflag.FlagSet // of which those count that the command line gave
	flags    *pflag.FlagSet // as they are in force
	node     *native.Node
	handlers *handlers
	level    *slog.LevelVar
	log      *slog.Logger
}

// start has it reread aside, since a disk may hang: what it returns is closed when that is done.
func (r *rereader) start(ctx context.Context) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.reread(ctx)
	}()
	return done
}

// reread reads the file of settings again, and what it and the flags name: all of it is
// done, or nothing. The log says what.
func (r *rereader) reread(ctx context.Context) {
	changed, err := r.change(ctx)
	switch {
	case err != nil:
		r.log.Error("read again, and nothing was changed", "why", err)
	case len(changed) == 0:
		r.log.Info("read again, and no setting has changed")
	default:
		r.log.Info("read again, and settings have changed", "which", strings.Join(changed, ", "))
	}
}

func (r *rereader) change(ctx context.Context) (changed []string, err error) {
	flags, o, f := newNodeFlags()
	r.given.Visit(func(given *pflag.Flag) { // on the command line
		if err == nil {
			err = copyFlag(flags, given)
		}
	})
	if err != nil {
		return nil, err
	}
	if err := readAgain(r.flags.Lookup("config").Value.String()); err != nil {
		return nil, err
	}
	if err := o.readSources(flags, true); err != nil {
		return nil, err
	}
	config, err := f.parse(o)
	if err != nil {
		return nil, o.explain(err)
	}
	var fixed []string
	flags.VisitAll(func(flag *pflag.Flag) {
		if was := r.flags.Lookup(flag.Name); was == nil || was.Value.String() == flag.Value.String() {
			return
		}
		changed = append(changed, flag.Name)
		if !slices.Contains(liveNames, flag.Name) {
			fixed = append(fixed, o.where(flag.Name))
		}
	})
	if len(fixed) > 0 {
		return nil, fmt.Errorf("it takes a new start to change %s", strings.Join(fixed, ", "))
	}
	if err := r.node.Change(ctx, native.Live{Tags: config.Tags, AllowOrigins: config.AllowOrigins, Join: config.Join, Hosts: config.Hosts}); err != nil {
		return nil, o.explain(err)
	}
	if err := r.handlers.use(f); err != nil {
		return nil, errors.Join(errors.New("the tags, origins, names and addresses to join were, but not the commands"), err)
	}
	r.level.UnmarshalText([]byte(f.logLevel))
	for _, name := range changed {
		r.log.Info("a setting has changed", "setting", name, "was", r.flags.Lookup(name).Value.String(), "is", flags.Lookup(name).Value.String(), "by", o.where(name))
	}
	r.flags = flags
	return changed, nil
}

// copyFlag gives a flag what the command line gave to another of its name.
func copyFlag(flags *pflag.FlagSet, given *pflag.Flag) error {
	f := flags.Lookup(given.Name)
	if f == nil {
		return nil // of help
	}
	f.Changed = true
	if list, ok := given.Value.(pflag.SliceValue); ok {
		return f.Value.(pflag.SliceValue).Replace(list.GetSlice())
	}
	return f.Value.Set(given.Value.String())
}
