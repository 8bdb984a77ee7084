package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/nanoring/nanoring/native"
	"github.com/spf13/pflag"
)

// timeFlags are how fast and how patient nodes are.
type timeFlags struct {
	times   native.Times
	profile string
}

var profiles = map[string]time.Duration{"lan": native.PatienceLAN, "wan": native.PatienceWAN, "local": native.PatienceLocal}

// timeNames are the flags of times.
var timeNames = []string{"profile", "patience", "period", "ack-timeout", "removal-grace", "reap-after"}

func (t *timeFlags) register(flags *pflag.FlagSet) {
	flags.StringVar(&t.profile, "profile", "lan", "the patience by the kind of network: lan, 4s; local, 1.5s; wan, 8s")
	flags.DurationVar(&t.times.Patience, "patience", 0, "how long a node may be silent before it is held for down: the next two follow from it (default that of --profile)")
	flags.DurationVar(&t.times.AckTimeout, "ack-timeout", 0, "for the answer of a node whose round trips were not measured yet (default an eighth of --patience)")
	flags.DurationVar(&t.times.Period, "period", 0, "between a node's rounds (default a quarter of --patience)")
	flags.DurationVar(&t.times.RemovalGrace, "removal-grace", 10*time.Second, "how long a node that was deleted goes on, in which it may be added again")
	flags.DurationVar(&t.times.ReapAfter, "reap-after", 0, "how long this node may be down before all others take it for no member any more (default for ever)")
}

// complete returns the times that the flags make.
func (t *timeFlags) complete(o *options) (native.Times, error) {
	times := t.times
	for _, f := range []struct {
		name string
		is   time.Duration
	}{{"patience", times.Patience}, {"period", times.Period}, {"ack-timeout", times.AckTimeout}, {"removal-grace", times.RemovalGrace}} {
		if f.is <= 0 && o.given(f.name) {
			return times, &settingError{f.name, fmt.Errorf("--%s %s: it is more than 0; leave it out for the default", f.name, f.is)}
		}
	}
	patience, ok := profiles[t.profile]
	if !ok {
		return times, &settingError{"profile", fmt.Errorf("--profile %q: there are lan, local, wan", t.profile)}
	}
	switch p, q := o.sources["profile"].rank, o.sources["patience"].rank; {
	case p == q && p != fromDefault:
		return times, errors.New(o.where("profile") + " and " + o.where("patience") + " say the same thing twice: leave one out")
	case p >= q:
		times.Patience = patience
	}
	return times.Complete()
}
