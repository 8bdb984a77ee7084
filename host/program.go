package host

import (
	"context"
	"crypto/sha256"
	"fmt"
	"runtime"
	"sync"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
)

// program is a module that was compiled and checked, with what it imports. The
// engines of a process share it: compiling takes a second, an instance 10 ms.
type program struct {
	key      programKey
	users    int
	compiled wazero.CompilationCache
	runtime  wazero.Runtime
	module   wazero.CompiledModule
}

type programKey struct {
	module [sha256.Size]byte
	pages  uint32
}

// programs are those in use.
var programs = struct {
	sync.Mutex
	all map[programKey]*program
}{all: make(map[programKey]*program)}

const pageSize = 64 << 10

// use returns a module ready for instantiation, with so many bytes of memory at
// most. Who uses it has to release it.
func use(ctx context.Context, wasm []byte, memory int, cache string) (*program, error) {
	key := programKey{sha256.Sum256(wasm), uint32(min(memory/pageSize, 4<<30/pageSize))}
	programs.Lock()
	defer programs.Unlock()
	p := programs.all[key]
	if p == nil {
		wasm, err := scan(wasm)
		if err == nil {
			wasm, err = interruptible(wasm)
		}
		if err != nil {
			return nil, err
		}
		if p, err = compile(ctx, wasm, key.pages, cache); err != nil {
			return nil, err
		}
		p.key = key
		programs.all[key] = p
	}
	p.users++
	return p, nil
}

func (p *program) release() {
	programs.Lock()
	defer programs.Unlock()
	if p.users--; p.users == 0 {
		delete(programs.all, p.key)
		p.close()
	}
}

func (p *program) close() {
	p.runtime.Close(context.Background())
	p.compiled.Close(context.Background())
}

// compile compiles a module, or finds it compiled in the cache's folder.
func compile(ctx context.Context, wasm []byte, pages uint32, cache string) (*program, error) {
	if cache == "" {
		return load(ctx, wasm, pages, wazero.NewCompilationCache())
	}
	f, err := openFolder(cache)
	if err != nil {
		return nil, fmt.Errorf("cannot keep compiled modules in %s: %w", cache, err)
	}
	compiled, err := wazero.NewCompilationCacheWithDir(cache)
	if err != nil {
		return nil, fmt.Errorf("cannot keep compiled modules in %s: %w", cache, err)
	}
	p, err := load(ctx, wasm, pages, compiled)
	if err != nil && ctx.Err() == nil {
		p, err = load(ctx, wasm, pages, wazero.NewCompilationCache()) // it may be the folder's fault
	}
	if err == nil {
		f.seal()
	}
	return p, err
}

// The features of WebAssembly that the Go compiler uses: no more are needed,
// and some of the others take memory that is not counted.
const features = api.CoreFeatureMutableGlobal | api.CoreFeatureSignExtensionOps |
	api.CoreFeatureNonTrappingFloatToIntConversion | api.CoreFeatureBulkMemoryOperations

// load compiles a module, and holds it against the ABI.
func load(ctx context.Context, wasm []byte, pages uint32, compiled wazero.CompilationCache) (p *program, err error) {
	p = &program{compiled: compiled, runtime: wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().
		WithCoreFeatures(features).
		WithMemoryLimitPages(pages).
		WithDebugInfoEnabled(false).
		WithCompilationCache(compiled))}
	defer func() {
		if what := recover(); what != nil {
			err = unusable("it cannot be compiled: %v", what)
		}
		if err != nil {
			p.close()
		}
	}()
	p.module, err = p.runtime.CompileModule(experimental.WithCompilationWorkers(ctx, runtime.GOMAXPROCS(0)), wasm)
	if ctx.Err() != nil {
		return p, fmt.Errorf("compiling the module: %w", ctx.Err())
	}
	if err != nil {
		return p, unusable("%s: it is damaged, or too big for %d KiB of memory", firstLine(err.Error()), pages*(pageSize>>10))
	}
	if err := check(p.module); err != nil {
		return p, err
	}
	return p, p.provide(ctx)
}

// provide makes what modules import.
func (p *program) provide(ctx context.Context) error {
	for from, functions := range imports {
		b := p.runtime.NewHostModuleBuilder(from)
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

// engineKey is where the functions that a module calls find its Engine.
type engineKey struct{}

// instantiate makes an instance, which has run nothing but its start section.
func (p *program) instantiate(ctx context.Context) (m api.Module, err error) {
	defer func() {
		if what := recover(); what != nil {
			err = fmt.Errorf("%v", what)
		}
	}()
	ctx = experimental.WithMemoryAllocator(ctx, experimental.MemoryAllocatorFunc(allocate))
	return p.runtime.InstantiateModule(ctx, p.module, wazero.NewModuleConfig().WithName("").WithStartFunctions())
}
