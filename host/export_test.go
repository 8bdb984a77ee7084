package host

import "context"

// Exports lists what a module has to export, with what it takes and returns.
func Exports(yield func(name string, params, results []byte)) {
	for _, x := range exports {
		yield(x.name, x.params, x.results)
	}
}

// Import returns what an import takes and returns.
func Import(from, name string) (params, results []byte) {
	f := imports[from][name]
	return f.params, f.results
}

// Programs is how many modules are compiled.
func Programs() int {
	programs.Lock()
	defer programs.Unlock()
	return len(programs.all)
}

// Load compiles a module, and runs nothing of it.
func Load(ctx context.Context, wasm []byte) error {
	p, err := use(ctx, wasm, DefaultMemory, "")
	if err == nil {
		p.release()
	}
	return err
}
