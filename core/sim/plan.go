package sim

import (
	"errors"
	"fmt"
	"slices"

	"github.com/nanoring/nanoring/core"
)

// Plan is a ring of nodes and what it lives through. Run lives it, with the
// engines that run everywhere else, and reports how they did.
type Plan struct {
	Seed   uint64
	Nodes  int // durable nodes, 2 at least
	Guests int // each joins through up to 8 random gateways, or

	// Sample of the nodes are lived, if it is not 0: stand-ins speak for the others. What is
	// reported is of those.
	Sample int

	Gateways int // through the first so many nodes, all of them, if it is not 0

	LatencyMin, LatencyMax int64 // one way, microseconds: see Config
	Loss                   int   // in a million: see Config
	Skew                   int64 // each wall clock is off by up to so much, either way

	// See core.Config; 0 is the default.
	Period, AckTimeout, Patience, RemovalGrace, ReapAfter int64

	Acts       []Act
	ChurnEvery int64 // microseconds between two restarts of random nodes; 0 for none
	ResetEvery int64 // microseconds after which a connection breaks, on average; 0 for never
	Speech     Speech
	For        int64 // how long it is watched once it stands, microseconds

	// Others of the nodes and guests, spread evenly, run on engines that Other makes.
	Others int
	Other  func(core.Config) (core.Engine, error)

	Progress func(Progress) // if not nil, is told now and then how far it is

	workers int             // of a test; 0 for as many as there are cores
	taken   func(steps int) // of a test: is told how many steps were taken at once
}

// Act is one thing that happens to a ring. Times count from when it stands.
type Act struct {
	Kind  ActKind
	At    int64
	Nodes int   // how many random running durable nodes it happens to
	For   int64 // Cut: heals after so long; Clock: by how much it is set forward, or back
}

// ActKind tells acts apart.
type ActKind uint8

// What can happen.
const (
	Kill      ActKind = iota + 1 // their processes are killed: their addresses refuse connections
	PowerOff                     // their machines stop: nothing and nobody answers
	Cut                          // a partition: they, and as many of the guests by proportion, are cut from the rest
	Return                       // of those that were killed or lost their power, who did first: they start again, all at once, from their ring files
	Readdress                    // they are killed and start again, all at once, each at another address
	Clock                        // their wall clocks are set
	Starve                       // from then on they run for a tenth of each second
)

// Progress is how far a plan is.
type Progress struct {
	Started int   // nodes, guests too, of Nodes + Guests
	At, For int64 // virtual time since the ring stands, and until when; 0 before
	Right   float64
}

// How nodes join, restart and are watched.
const (
	waveEvery    = core.Second      // as many nodes join in it as are running at its start,
	waveMost     = 1000             // up to so many, each at a moment and through two nodes of its own
	standWithin  = 10 * core.Minute // after the last has started; else the plan begins all the same
	backMin      = core.Second      // a node that churns is away for so long at least
	backMax      = 9 * core.Second  // and at most
	gateways     = 8                // that a guest is given
	plannedSkew  = core.MaxSkew / 2 // clocks further off than that can differ by too much
	sampleEvery  = 50 * core.Millisecond
	mostSamples  = 1200
	mostNodes    = 1 << 20
	mostLoss     = 500_000
	mostLatency  = 10 * core.Second
	shortestStep = 10 * core.Millisecond // of ChurnEvery
)

// Validate says what of a plan cannot be lived.
func (p *Plan) Validate() error {
	switch {
	case p.Nodes < 2 || p.Nodes > mostNodes:
		return fmt.Errorf("%d nodes: a plan takes 2 to %d", p.Nodes, mostNodes)
	case p.Guests < 0 || p.Guests > mostNodes:
		return fmt.Errorf("%d guests: a plan takes 0 to %d", p.Guests, mostNodes)
	case p.Others < 0 || p.Others > p.Nodes+p.Guests || p.Others > 0 && p.Other == nil:
		return fmt.Errorf("%d of %d nodes cannot run on another engine", p.Others, p.Nodes+p.Guests)
	case p.LatencyMin < 0 || p.LatencyMax < p.LatencyMin || p.LatencyMax > mostLatency:
		return errors.New("the latency goes from the least, 0 or more, to the most, 10 s or less")
	case p.Loss < 0 || p.Loss > mostLoss:
		return errors.New("the loss is from 0 % to 50 %")
	case p.Skew < 0 || p.Skew > plannedSkew:
		return errors.New("the skew is from 0 to 30 s: nodes whose clocks differ by over 60 s refuse each other")
	case p.Period < 0 || p.AckTimeout < 0 || p.Patience < 0:
		return errors.New("a period and a timeout are more than 0")
	case p.ChurnEvery < 0 || p.ChurnEvery > 0 && p.ChurnEvery < shortestStep:
		return errors.New("the churn is 100 restarts a second at most")
	case p.Gateways < 0 || p.Gateways > p.Nodes:
		return fmt.Errorf("%d gateways of %d nodes: there are 0 to %d", p.Gateways, p.Nodes, p.Nodes)
	case p.For <= 0:
		return errors.New("the ring has to be watched for some time")
	}
	if p.Sample != 0 {
		if err := p.validateSample(); err != nil {
			return err
		}
	}
	return p.validateActs()
}

// validateActs says what of a plan's acts cannot be lived, one after the other.
func (p *Plan) validateActs() error {
	dead, healed := 0, int64(0)
	for _, a := range p.sorted() {
		at := seconds(a.At)
		switch {
		case a.Kind < Kill || a.Kind > Starve:
			return errors.New("no such act")
		case a.At < 0 || a.At >= p.For:
			return fmt.Errorf("what happens at %s is after the end, which is at %s", at, seconds(p.For))
		case a.Nodes < 1:
			return fmt.Errorf("what happens at %s happens to no node", at)
		}
		switch a.Kind {
		case Kill, PowerOff:
			if dead += a.Nodes; dead >= p.Nodes {
				return fmt.Errorf("%d of %d nodes are dead at %s: one at least has to live", dead, p.Nodes, at)
			}
		case Return:
			if dead -= a.Nodes; dead < 0 {
				return fmt.Errorf("%d nodes return at %s, but only %d are dead", a.Nodes, at, dead+a.Nodes)
			}
		case Clock:
			if a.For == 0 || max(a.For, -a.For)+2*p.Skew > core.MaxSkew {
				return fmt.Errorf("clocks that are set by %s at %s, beside a skew of %s: nodes whose clocks differ by over 60 s refuse each other", seconds(a.For), at, seconds(p.Skew))
			}
		case Cut:
			switch {
			case a.For <= 0:
				return fmt.Errorf("the partition at %s has to last for some time", at)
			case a.At < healed:
				return fmt.Errorf("the partition at %s begins before the one before has healed", at)
			case a.Nodes >= p.Nodes:
				return fmt.Errorf("the partition at %s leaves nobody on the other side", at)
			}
			healed = a.At + a.For
		}
	}
	return nil
}

// connectWithin and dialWithin are the native runtime's: how long a dial waits for a
// kernel, and for all of it.
func (p *Plan) connectWithin() int64 { return max(dialTimeout, 4*p.AckTimeout) }

func (p *Plan) dialWithin() int64 { return max(8*core.Second, 16*p.AckTimeout) }

func (p *Plan) sorted() []Act {
	return slices.SortedStableFunc(slices.Values(p.Acts), func(a, b Act) int { return int(max(-1, min(1, a.At-b.At))) })
}

func seconds(d int64) string { return fmt.Sprintf("%g s", float64(d)/float64(core.Second)) }
