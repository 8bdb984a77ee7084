package host

import (
	"context"
	"time"

	"github.com/tetratelabs/wazero/api"
)

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

// Late says at which look a deadline of a second ends a call, when it is told at each of them for
// how long the process's threads have run; 0 for at none.
func Late(looks int, ran func(look int) map[int]time.Duration) int {
	var stop stopped
	look := 0
	d := deadline{limit: time.Second, stop: &stop, timer: time.AfterFunc(time.Hour, func() {})} // it does not look by itself
	defer d.close()
	d.ran = func() map[int]time.Duration { return ran(look) }
	d.armed.Store(true)
	d.begin()
	defer d.end()
	for look = 1; look <= looks; look++ {
		if d.look(); stop.is {
			return look
		}
	}
	return 0
}

type stopped struct {
	api.MutableGlobal
	is bool
}

func (s *stopped) Set(uint64) { s.is = true }
