package native

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nanoring/nanoring"
	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/wasm/module"
)

// EngineStatus is how a node's engine is doing; docs/api.md has its fields.
type EngineStatus struct {
	Engine     string    `json:"engine"` // native or wasm
	Builtin    bool      `json:"builtin"`
	Version    string    `json:"version"`
	Protocol   uint8     `json:"protocol"`
	Module     string    `json:"module"` // SHA-256, hexadecimal
	Since      time.Time `json:"since"`
	Traps      int       `json:"traps"`
	LastTrap   string    `json:"last_trap"`
	Memory     int       `json:"memory"`
	Steps      uint64    `json:"steps"`
	StepMedian int64     `json:"step_median_micros"`
	StepP99    int64     `json:"step_p99_micros"`
	StepMax    int64     `json:"step_max_micros"`
}

// sandboxed is what is known of an engine that runs a module, like host.Engine.
type sandboxed interface {
	ModuleDigest() [sha256.Size]byte
	MemorySize() int
}

var builtinDigest = sync.OnceValue(func() string {
	sum := sha256.Sum256(module.Wasm)
	return hex.EncodeToString(sum[:])
})

// moduleOf returns the digest of an engine's module, "" if it has none.
func moduleOf(e core.Engine) string {
	if s, ok := e.(sandboxed); ok {
		sum := s.ModuleDigest()
		return hex.EncodeToString(sum[:])
	}
	return ""
}

// Engine returns how the node's engine is doing.
func (n *Node) Engine(ctx context.Context) (s EngineStatus, err error) {
	err = n.aside(ctx, func(l *loop) { s = l.engineStatus() })
	return s, err
}

func (l *loop) engineStatus() EngineStatus {
	s := EngineStatus{
		Engine: "native", Builtin: true, Version: nanoring.Version, Module: moduleOf(l.engine), Since: l.since.UTC(),
		Traps: l.broken.total, Steps: l.steps.total,
		StepMedian: l.steps.below(500).Microseconds(), StepP99: l.steps.below(990).Microseconds(), StepMax: l.steps.most.Microseconds(),
	}
	if l.broken.last != nil {
		s.LastTrap = l.broken.last.Error()
	}
	if box, ok := l.engine.(sandboxed); ok {
		s.Engine, s.Memory = "wasm", box.MemorySize()
		if s.Builtin = s.Module == builtinDigest(); !s.Builtin {
			s.Version = ""
		}
	}
	if own, ok := l.Get(l.cfg.Name); ok {
		s.Protocol = own.Version
	}
	return s
}

// A SwapError says why an engine could not take over. The one before runs on.
type SwapError struct{ Err error }

func (e *SwapError) Error() string {
	return "the engine was not swapped, the one before runs on: " + e.Err.Error()
}

// Unwrap returns the reason.
func (e *SwapError) Unwrap() error { return e.Err }

var errSwapping = errors.New("another swap is under way")

// SwapNative has a native engine take over from the one that runs.
func (n *Node) SwapNative(ctx context.Context) error { return n.swap(ctx, newRing) }

// SwapModule has an engine that runs a module, nil for NanoRing's own, take over
// from the one that runs. Connections stay open, and nothing is said to anybody.
// A module that cannot be loaded, cannot take over, or then shows other nodes than
// the engine before leaves that one running: a *SwapError.
func (n *Node) SwapModule(ctx context.Context, module []byte) error {
	if n.cfg.Sandbox == nil {
		return &SwapError{errors.New("this program has no sandbox to run a module in")}
	}
	life := context.WithoutCancel(ctx) // it is started again, should it break
	return n.swap(ctx, func(cfg core.Config) (core.Engine, error) { return n.cfg.Sandbox(life, module, cfg) })
}

func (n *Node) swap(ctx context.Context, make maker) error {
	if !n.swaps.TryLock() {
		return &SwapError{errSwapping}
	}
	defer n.swaps.Unlock()
	trial, err := n.tryOut(ctx, make)
	if err != nil {
		return err
	}
	defer trial.Close()
	if n.aside(ctx, func(l *loop) { err = l.swap(make) }) != nil {
		return ErrStopped
	}
	return err
}

// tryOut makes an engine beside the loop, which may take a second or two: compiled and known
// to work it is then made once more, with the state of the moment.
func (n *Node) tryOut(ctx context.Context, make maker) (core.Engine, error) {
	var cfg core.Config
	if err := n.aside(ctx, func(l *loop) {
		cfg = l.config
		cfg.Snapshot, cfg.Takeover, cfg.Seed = l.handover(), true, random()
	}); err != nil {
		return nil, err
	}
	trial, err := make(cfg)
	if err != nil {
		return nil, &SwapError{err}
	}
	return trial, nil
}

// swap has an engine take over, if it can and agrees.
func (l *loop) swap(make maker) error {
	for _, cmd := range l.answers {
		if cmd.Op == core.Leave {
			return &SwapError{errors.New("this node is leaving its ring")}
		}
	}
	began := time.Now()
	l.told = true // messages pass of which nobody here is told
	snapshot := l.handover()
	if snapshot == nil {
		return &SwapError{fmt.Errorf("it broke meanwhile: %w", l.broken.last)}
	}
	h, err := l.heir(make, snapshot, 0)
	if err != nil {
		return &SwapError{err}
	}
	if err := l.agrees(h); err != nil {
		h.Close()
		return &SwapError{err}
	}
	before := l.engineStatus()
	l.succeed(h)
	now := l.engineStatus()
	l.log.Info("the engine was swapped", "from", before.Engine, "to", now.Engine, "module", now.Module, "took", time.Since(began).Round(time.Microsecond))
	return nil
}

// aside has the engine's goroutine do something between two inputs.
func (n *Node) aside(ctx context.Context, do func(*loop)) error {
	done := make(chan struct{})
	select {
	case n.asides <- func(l *loop) { do(l); close(done) }:
	case <-n.halted:
		return ErrStopped
	case <-ctx.Done():
		return ctx.Err()
	}
	<-done // it is not interrupted
	return nil
}
