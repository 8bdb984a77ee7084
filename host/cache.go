package host

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"runtime"
	"sync"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
)

// Cache keeps modules compiled. Engines that share one compile a module once.
// It is safe for concurrent use.
type Cache struct {
	dir *folder // nil in memory

	mu       sync.Mutex
	compiled wazero.CompilationCache
	programs map[programKey]*program
}

type programKey struct {
	module [sha256.Size]byte
	pages  uint32
}

// program is a module that was compiled and checked, with what it imports.
type program struct {
	runtime wazero.Runtime
	module  wazero.CompiledModule
}

// NewCache makes a cache that lives in a folder, which is made if missing, or in
// memory if dir is "". What is compiled is machine code: nobody else must be
// able to write into the folder. What was damaged there is compiled again.
func NewCache(dir string) (*Cache, error) {
	if dir == "" {
		return newCache(), nil
	}
	f, err := openFolder(dir)
	if err != nil {
		return nil, fmt.Errorf("cannot use %s to keep compiled modules: %w", dir, err)
	}
	c := newCache()
	if c.compiled, err = wazero.NewCompilationCacheWithDir(dir); err != nil {
		return nil, fmt.Errorf("cannot use %s to keep compiled modules: %w", dir, err)
	}
	c.dir = f
	return c, nil
}

func newCache() *Cache {
	return &Cache{compiled: wazero.NewCompilationCache(), programs: make(map[programKey]*program)}
}

// Close ends the cache, and all engines that still use it.
func (c *Cache) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	ctx := context.Background()
	var errs []error
	for _, p := range c.programs {
		errs = append(errs, p.runtime.Close(ctx))
	}
	c.programs = nil
	return errors.Join(append(errs, c.compiled.Close(ctx))...)
}

// The features of WebAssembly that the Go compiler uses: no more are needed,
// and some of the others take memory that is not counted.
const features = api.CoreFeatureMutableGlobal | api.CoreFeatureSignExtensionOps |
	api.CoreFeatureNonTrappingFloatToIntConversion | api.CoreFeatureBulkMemoryOperations

const pageSize = 64 << 10

// program returns a module ready for instantiation, with so many bytes of memory at most.
func (c *Cache) program(ctx context.Context, wasm []byte, memory int) (*program, error) {
	key := programKey{sha256.Sum256(wasm), uint32(min(memory/pageSize, 4<<30/pageSize))}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.programs == nil {
		return nil, errors.New("the cache of compiled modules is closed")
	}
	if p := c.programs[key]; p != nil {
		return p, nil
	}
	p, err := load(ctx, wasm, key.pages, c.compiled)
	if err != nil && c.dir != nil && ctx.Err() == nil {
		p, err = load(ctx, wasm, key.pages, wazero.NewCompilationCache()) // it may be the folder's fault
	}
	if err != nil {
		return nil, err
	}
	if c.dir != nil {
		c.dir.seal()
	}
	c.programs[key] = p
	return p, nil
}

// load compiles a module, and holds it against the ABI.
func load(ctx context.Context, wasm []byte, pages uint32, compiled wazero.CompilationCache) (p *program, err error) {
	r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().
		WithCoreFeatures(features).
		WithMemoryLimitPages(pages).
		WithDebugInfoEnabled(false).
		WithCompilationCache(compiled))
	defer func() {
		if what := recover(); what != nil {
			err = unusable("it cannot be compiled: %v", what)
		}
		if err != nil {
			r.Close(ctx)
		}
	}()
	m, err := r.CompileModule(experimental.WithCompilationWorkers(ctx, runtime.GOMAXPROCS(0)), wasm)
	if ctx.Err() != nil {
		return nil, fmt.Errorf("compiling the module: %w", context.Cause(ctx))
	}
	if err != nil {
		return nil, unusable("%s: it is damaged, not WebAssembly, or too big for %d KiB of memory", firstLine(err.Error()), pages*(pageSize>>10))
	}
	if err := check(m); err != nil {
		return nil, err
	}
	return &program{r, m}, provide(ctx, r)
}

// provide makes what modules import.
func provide(ctx context.Context, r wazero.Runtime) error {
	for from, functions := range imports {
		b := r.NewHostModuleBuilder(from)
		for name, f := range functions {
			call := f.call
			b.NewFunctionBuilder().WithGoModuleFunction(api.GoModuleFunc(func(ctx context.Context, m api.Module, stack []uint64) {
				call(ctx.Value(engineKey{}).(*Engine), m.Memory(), stack)
			}), f.params, f.results).Export(name)
		}
		if _, err := b.Instantiate(ctx); err != nil {
			return fmt.Errorf("what a module imports: %w", err)
		}
	}
	return nil
}

// instantiate makes an instance, which has run nothing but its start section.
func (p *program) instantiate(ctx context.Context) (m api.Module, err error) {
	defer func() {
		if what := recover(); what != nil {
			err = fmt.Errorf("%v", what)
		}
	}()
	return p.runtime.InstantiateModule(ctx, p.module, wazero.NewModuleConfig().WithName("").WithStartFunctions())
}
