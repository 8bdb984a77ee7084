package host

import (
	"context"
	"crypto/sha256"
	"errors"
	"math"
	"math/rand/v2"
	"time"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
	"github.com/nanoring/nanoring/wasm/module"
	"github.com/tetratelabs/wazero/api"
)

// Config is what an Engine is made of.
type Config struct {
	// Node is who the node is, as for core.New.
	Node core.Config
	// Module is the module to run; nil is NanoRing's own, of package wasm/module.
	Module []byte
	// Memory is how many bytes the module may have; 0 is DefaultMemory. What it
	// says in one step may take as many, outside of it.
	Memory int
	// Deadline is how long a call of the module may take before it is ended, which it is
	// within a quarter of that; 0 is DefaultDeadline. On Linux a call that the machine did
	// not run for most of that time has longer: 30 times as long, if it is run hardly at all.
	Deadline time.Duration
	// Cache is a folder, made if missing, that keeps the module compiled for the
	// next process: then it starts in a tenth of a second, not in one or two. It
	// is machine code: nobody else must be able to write there. Empty keeps none.
	// The engines of one process share what is compiled anyway.
	Cache string
}

// DefaultMemory is enough for a ring of some ten thousand nodes, and as many messages as may be.
const DefaultMemory = 64 << 20

// Engine is one node's part in a ring, run by a module in a sandbox. It is a
// core.Engine like core.Ring, and gives the same effects for the same inputs.
type Engine struct {
	ctx    context.Context
	from   *program
	digest [sha256.Size]byte
	mod    api.Module
	calls  [exportCount]api.Function
	stack  [16]uint64
	err    error // why it is of no use any more

	// The module's buffer: see put.
	bufferAt, bufferLen uint32

	deadline deadline

	// What the call under way may do, and has done.
	stepping bool
	work     int // that WASI may still do
	room     int // bytes that effects may still take
	memory   int
	clock    int64 // nanoseconds that it is shown
	random   *rand.ChaCha8
	words    []byte
	effects  []core.Effect
	frames   []byte // of the effects
	events   []core.Event
	json     reader
}

var (
	_ core.Engine  = (*Engine)(nil)
	_ core.Counter = (*Engine)(nil)
)

// New makes an Engine. It fails with a *ModuleError if the module is not one to
// run, and with a *core.ConfigError as core.New does. ctx ends a compilation; it
// does not end the Engine.
func New(ctx context.Context, cfg Config) (*Engine, error) {
	if cfg.Module == nil {
		cfg.Module = module.Wasm
	}
	if cfg.Memory <= 0 {
		cfg.Memory = DefaultMemory
	}
	if cfg.Deadline <= 0 {
		cfg.Deadline = DefaultDeadline
	}
	var seed [32]byte
	for i := range 8 {
		seed[i] = byte(cfg.Node.Seed >> (8 * i))
	}
	e := &Engine{memory: cfg.Memory, random: rand.NewChaCha8(seed)}
	e.deadline.init(cfg.Deadline)
	e.ctx = context.WithValue(context.Background(), engineKey{}, e)
	if err := e.start(ctx, cfg); err != nil {
		e.Close()
		var trap *TrapError
		if errors.As(err, &trap) {
			err = &ModuleError{trap}
		}
		return nil, err
	}
	return e, nil
}

func (e *Engine) start(ctx context.Context, cfg Config) error {
	var err error
	if e.from, err = use(ctx, cfg.Module, cfg.Memory, cfg.Cache); err != nil {
		return err
	}
	e.digest = e.from.key.module
	e.begin()
	if e.mod, err = e.from.instantiate(e.ctx); err != nil {
		return newTrap("instantiation", e.words, err)
	}
	e.deadline.stop, _ = e.mod.ExportedGlobal(stopName).(api.MutableGlobal)
	for x := range exportCount {
		e.calls[x] = e.mod.ExportedFunction(exports[x].name)
	}
	if _, err := e.call(callInitialize); err != nil {
		return err
	}
	version, err := e.call(callABI)
	if err != nil {
		return err
	}
	if uint32(version) != abiVersion {
		return unusable("it has version %d of the ABI, this host version %d: take a module and a host of one release", uint32(version), abiVersion)
	}
	return e.create(cfg.Node)
}

// Step implements core.Engine. After an error, a *TrapError, the engine is of
// no use any more, and the module is gone.
func (e *Engine) Step(in core.Input) ([]core.Effect, error) {
	if e.err != nil {
		return nil, e.err
	}
	e.reset()
	if in.Mono < math.MaxInt64/1000 {
		e.clock = max(e.clock, in.Mono*1000)
	}
	e.stepping = true
	err := e.input(in)
	e.stepping = false
	if err != nil {
		return nil, err
	}
	next := 0
	for i := range e.effects {
		if e.effects[i].Kind == core.Emit {
			e.effects[i].Event = &e.events[next]
			next++
		}
	}
	return e.effects, nil
}

// reset makes room for the next step's effects, and keeps no more of it than is usual.
func (e *Engine) reset() {
	clear(e.effects)
	clear(e.events)
	e.effects, e.events, e.frames = e.effects[:0], e.events[:0], e.frames[:0]
	if cap(e.effects) > maxKept {
		e.effects = nil
	}
	if cap(e.events) > maxKept {
		e.events = nil
	}
	if cap(e.frames) > 4*wire.MaxFrame {
		e.frames = nil
	}
}

const maxKept = 1 << 12

// Snapshot implements core.Engine.
func (e *Engine) Snapshot() ([]byte, error) { return e.said(callSnapshot) }

// Changes implements core.Engine.
func (e *Engine) Changes(since uint64) ([]byte, error) {
	b, err := e.said(callChanges, since)
	if len(b) == 0 {
		return nil, err
	}
	return b, err
}

// Handover implements core.Engine.
func (e *Engine) Handover() ([]byte, error) { return e.said(callHandover) }

// Counts implements core.Counter.
func (e *Engine) Counts() (all core.Counts, err error) {
	if e.err != nil {
		return all, e.err
	}
	for i := range all {
		if all[i], err = e.call(callCount, uint64(i)); err != nil {
			return core.Counts{}, err
		}
	}
	return all, nil
}

// said calls an export that leaves bytes, and copies them.
func (e *Engine) said(x export, args ...uint64) ([]byte, error) {
	if e.err != nil {
		return nil, e.err
	}
	where, err := e.call(x, args...)
	if err != nil {
		return nil, err
	}
	return e.output(x, where)
}

// output copies bytes that the module has left: ptr << 32 | len.
func (e *Engine) output(from export, where uint64) ([]byte, error) {
	b, ok := e.mod.Memory().Read(uint32(where>>32), uint32(where))
	if !ok {
		return nil, e.end(from, violation("it left bytes that are not in its memory"))
	}
	return append(make([]byte, 0, len(b)), b...), nil
}

// Close implements core.Engine.
func (e *Engine) Close() error {
	if errors.Is(e.err, ErrClosed) {
		return nil
	}
	e.drop()
	if e.from != nil {
		e.from.release()
		e.from = nil
	}
	e.err = ErrClosed
	return nil
}

// call calls an export. Whatever goes wrong in it ends the engine.
func (e *Engine) call(x export, args ...uint64) (uint64, error) {
	e.begin()
	copy(e.stack[:], args)
	e.deadline.begin()
	err := e.calls[x].CallWithStack(e.ctx, e.stack[:])
	e.deadline.end()
	if err != nil {
		if e.deadline.late.Load() {
			err = violation("it does not come to an end: over " + e.deadline.limit.String())
		}
		return 0, e.end(x, err)
	}
	return e.stack[0], nil
}

// begin gives a call its bounds.
func (e *Engine) begin() {
	e.work, e.room, e.words = maxWork, e.memory, e.words[:0]
}

func (e *Engine) end(x export, err error) error {
	e.err = newTrap(exports[x].name, e.words, err)
	e.drop()
	return e.err
}

// drop throws the instance away: it would still answer, wrongly. What it was
// compiled to is kept until Close, for an Engine that is to go on where it ended.
func (e *Engine) drop() {
	e.deadline.close()
	if e.mod != nil {
		e.mod.Close(e.ctx)
	}
	e.mod, e.calls = nil, [exportCount]api.Function{}
	e.effects, e.events, e.frames = nil, nil, nil
}

// ModuleDigest returns the SHA-256 of the module.
func (e *Engine) ModuleDigest() [sha256.Size]byte { return e.digest }

// MemorySize returns how many bytes of memory the module has now.
func (e *Engine) MemorySize() int {
	if e.mod == nil {
		return 0
	}
	return int(e.mod.Memory().Size())
}
