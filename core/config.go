package core

import (
	"errors"
	"slices"

	"github.com/nanoring/nanoring/core/lww"
	"github.com/nanoring/nanoring/core/wire"
)

// Units of time: everything in the core is int64 microseconds.
const (
	Millisecond int64 = 1000
	Second            = 1000 * Millisecond
	Minute            = 60 * Second
	Hour              = 60 * Minute
	Day               = 24 * Hour
)

// What the protocol fixes, so that all nodes of a ring agree on it.
const (
	MaxSkew         = 60 * Second // clocks that differ by more are refused
	EphemeralTTL    = 90 * Second // a guest that was down or left for so long is reaped
	GuestGrace      = 5 * Second  // time for a lost guest to come back through another gateway
	StaleAfter      = 24 * Hour   // without contact for longer, a node is stale
	TombstoneMinAge = 24 * Hour   // a durable node's tombstone leaves the fingerprints
	TombstoneMaxAge = 30 * Day    // and is forgotten, stable or not
	EphemeralMinAge = 1 * Hour    // an ephemeral node's tombstone is forgotten
	StableFor       = 10 * Minute // all durable members up for so long: nobody can bring an old record back
)

// Config is what a Ring is made of. The zero value of a time means its default.
type Config struct {
	Ring      string        // the ring's name; two names never merge
	Name      string        // who this node is: see wire.ValidName
	Address   string        // HOST:PORT where others dial it; empty if it can only dial out
	Instance  wire.Instance // this process: its start time and a random number
	Seed      uint64        // of all randomness
	Tags      []wire.Tag    // its own labels, any order: over those that were set while an earlier process ran
	Ephemeral bool          // a guest: a member only while it runs
	Join      []string      // HOST:PORTs to dial until one of them has let it in
	Joins     bool          // it is to join a ring, though Join may have nothing yet
	Rejoin    bool          // come back although it was deleted
	Snapshot  []byte        // of an earlier Engine, or its Handover; nil for a new ring of itself
	MaxGuests int           // connections of guests at a time; default 1000
	Takeover  bool          // that Engine was of this process, and its connections are open: see takeover.go
	Intern    interner      // an *Interner, shared by the engines of a simulation; nil for none

	Period       int64 // between rounds; default 1 s, jittered by a tenth
	AckTimeout   int64 // for the ack of a peer whose round trips were not measured yet; default 500 ms
	Patience     int64 // how long a node may be silent, or stopped, before it is held for down; default 4 s
	RemovalGrace int64 // from seeing its removal to halting; default 10 s
	ReapAfter    int64 // if it was down or left for so long, this node is reaped, by all: whole seconds, of wire.LeastReapAfter and more; default never
}

// Interner lets Rings that one goroutine drives share records that are the same:
// see lww.Interner. The zero Interner is ready.
type Interner struct {
	nodes, up lww.Interner
}

// interner keeps what only a simulation needs out of the module.
type interner interface {
	get(*wire.Record) *lww.Record
	add(wire.SetID, *lww.Record) *lww.Record
}

// Share makes it one for Rings that many goroutines drive: see lww.Interner.
func (in *Interner) Share(lock func() lww.Locker) {
	in.nodes.Share(lock)
	in.up.Share(lock)
}

func (in *Interner) get(w *wire.Record) *lww.Record {
	return in.of(w.Set).Get(w.Name, w.Stamp, w.Rank, w.Value)
}

func (in *Interner) add(id wire.SetID, rec *lww.Record) *lww.Record { return in.of(id).Add(rec) }

func (in *Interner) of(id wire.SetID) *lww.Interner {
	if id == wire.Nodes {
		return &in.nodes
	}
	return &in.up
}

// A ConfigError says which field of a Config cannot be used, and why.
type ConfigError struct {
	Field string
	Err   error
}

func (e *ConfigError) Error() string { return "core: " + e.Field + ": " + e.Err.Error() }

// Unwrap returns the reason.
func (e *ConfigError) Unwrap() error { return e.Err }

// complete sets the defaults, and finds what cannot be used: a *ConfigError.
func (cfg *Config) complete() error {
	err := wrong("Ring", wire.ValidName(cfg.Ring))
	if err == nil {
		err = wrong("Name", wire.ValidName(cfg.Name))
	}
	if err == nil && cfg.Address != "" {
		err = wrong("Address", wire.ValidAddress(cfg.Address))
	}
	for i := 0; i < len(cfg.Join) && err == nil; i++ {
		err = wrong("Join", wire.ValidAddress(cfg.Join[i]))
	}
	if err != nil {
		return err
	}
	if cfg.MaxGuests == 0 {
		cfg.MaxGuests = 1000
	}
	cfg.Tags = slices.Clone(cfg.Tags)
	cfg.Join = slices.Clone(cfg.Join)
	cfg.Period = orDefault(cfg.Period, Second)
	cfg.AckTimeout = orDefault(cfg.AckTimeout, Second/2)
	cfg.Patience = orDefault(cfg.Patience, 4*Second)
	cfg.RemovalGrace = orDefault(cfg.RemovalGrace, 10*Second)
	if after := cfg.ReapAfter; after != 0 && (after%Second != 0 || after < wire.LeastReapAfter*Second || after > wire.MostReapAfter*Second) {
		return wrong("ReapAfter", errors.New("it is in whole seconds, from a minute to ten years"))
	}
	return nil
}

//go:noinline
func wrong(field string, err error) error {
	if err == nil {
		return nil
	}
	return &ConfigError{field, err}
}

func orDefault(v, d int64) int64 {
	if v == 0 {
		return d
	}
	return v
}
