package native

import (
	"fmt"
	"time"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// Patience for common networks.
const (
	PatienceLocal = 1500 * time.Millisecond // one machine, or one rack
	PatienceLAN   = 4 * time.Second         // the default
	PatienceWAN   = 8 * time.Second
)

// Times are a node's times. What is 0 follows from Patience, or is its default.
//
// Patience is how long a node may be silent, or stopped, without anybody holding it for
// down. A silent node mostly is within half a second more, and within the bound of
// docs/protocol.md, 29, in any case. A process that was killed, whose address refuses
// connections, is down at once. Period is a quarter of the Patience, and AckTimeout an eighth.
// In a ring whose nodes differ, the shortest Patience decides.
type Times struct {
	Patience   time.Duration // default PatienceLAN
	Period     time.Duration // between a node's rounds
	AckTimeout time.Duration // for the answer of a node whose round trips were not measured yet

	RemovalGrace time.Duration // from learning that it was deleted to its end; default 10 s
	// ReapAfter is told to all: when this node was down or left for so long, it is no
	// member any more, until it comes back. Whole seconds; default never.
	ReapAfter time.Duration
}

// complete sets what follows from the Patience, and finds what cannot be used.
func (t *Times) complete() error {
	def(&t.Patience, PatienceLAN)
	def(&t.Period, t.Patience/4)
	def(&t.AckTimeout, t.Patience/8)
	def(&t.RemovalGrace, 10*time.Second)
	for _, l := range []struct {
		field       string
		is          time.Duration
		least, most time.Duration
	}{
		{"Patience", t.Patience, 400 * time.Millisecond, 2 * time.Minute},
		{"Period", t.Period, 50 * time.Millisecond, 30 * time.Second},
		{"AckTimeout", t.AckTimeout, 10 * time.Millisecond, 15 * time.Second},
		{"RemovalGrace", t.RemovalGrace, time.Second, 10 * time.Minute},
	} {
		if l.is < l.least || l.is > l.most {
			return wrong(l.field, fmt.Errorf("%s is not from %s to %s", l.is, short(l.least), short(l.most)))
		}
	}
	if a := t.ReapAfter; a != 0 && (a < wire.LeastReapAfter*time.Second || a > wire.MostReapAfter*time.Second || a%time.Second != 0) {
		return wrong("ReapAfter", fmt.Errorf("%s is not from %s to %s, in whole seconds; 0 is never", a, short(wire.LeastReapAfter*time.Second), short(wire.MostReapAfter*time.Second)))
	}
	return nil
}

func def(v *time.Duration, d time.Duration) {
	if *v == 0 {
		*v = d
	}
}

// short leaves out what Duration's String has of zeros.
func short(d time.Duration) string {
	switch s := d.String(); {
	case d%time.Hour == 0:
		return s[:len(s)-len("0m0s")]
	case d%time.Minute == 0:
		return s[:len(s)-len("0s")]
	default:
		return s
	}
}

// Complete returns the times with all that follows from the Patience, or a *ConfigError.
func (t Times) Complete() (Times, error) {
	err := t.complete()
	return t, err
}

// Tune puts the times, which have to be complete, into an engine's configuration.
func (t Times) Tune(c *core.Config) {
	c.Period, c.AckTimeout, c.Patience = t.Period.Microseconds(), t.AckTimeout.Microseconds(), t.Patience.Microseconds()
	c.RemovalGrace, c.ReapAfter = t.RemovalGrace.Microseconds(), t.ReapAfter.Microseconds()
}

// Check says what of a configuration cannot be used, as Start would, but opens nothing.
// Files of secrets and certificates are read. It returns the configuration as it would be
// in force.
func (c Config) Check() (Config, error) {
	if err := c.setDefaults(); err != nil {
		return c, err
	}
	_, err := newKeeper(&c, nil)
	return c, err
}
