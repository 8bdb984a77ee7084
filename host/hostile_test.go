package host_test

import (
	"bytes"
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/host"
	"github.com/nanoring/nanoring/wasm/module"
)

// run makes an engine of a module and gives it an input or two. It returns the
// error that ends it, if any.
func run(t *testing.T, wasm []byte) error {
	t.Helper()
	e, err := host.New(t.Context(), host.Config{Node: config("me"), Module: wasm, Memory: 4 << 20, Deadline: 250 * time.Millisecond})
	if err != nil {
		var bad *host.ModuleError
		var config *core.ConfigError
		if !errors.As(err, &bad) && !errors.As(err, &config) {
			t.Errorf("not a ModuleError: %v", err)
		}
		return err
	}
	err = live(e)
	if err != nil {
		var trap *host.TrapError
		if !errors.As(err, &trap) {
			t.Errorf("not a TrapError: %v", err)
		}
		if _, again := e.Step(core.Input{Kind: core.Tick}); again != err {
			t.Errorf("it ended with %v, and then a step said %v", err, again)
		}
		if _, again := e.Snapshot(); again != err {
			t.Errorf("it ended with %v, and then a snapshot said %v", err, again)
		}
	}
	if err := e.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	if _, err := e.Step(core.Input{Kind: core.Tick}); !errors.Is(err, host.ErrClosed) {
		t.Errorf("closed, it says %v", err)
	}
	return err
}

func live(e *host.Engine) error {
	for _, in := range []core.Input{
		{Kind: core.Start, Mono: 1, Wall: epoch},
		{Kind: core.Opened, Mono: 2, Wall: epoch, Conn: 1},
		{Kind: core.Received, Mono: 3, Wall: epoch, Conn: 1, Frame: make([]byte, 100)},
		{Kind: core.Tick, Mono: 4, Wall: epoch},
	} {
		if _, err := e.Step(in); err != nil {
			return err
		}
	}
	_, err := e.Snapshot()
	return err
}

// does is a module in which an export has another body.
func does(export string, body []byte, imports ...importedFunction) assembly {
	return assembly{imports: imports, bodies: map[string][]byte{export: body}}
}

// TestAssembly: what the other tests change is sound.
func TestAssembly(t *testing.T) {
	if err := run(t, assembly{}.bytes()); err != nil {
		t.Fatal(err)
	}
	if err := run(t, does("tick", code(i64c(2), op(opCall, 0)), effect("dirty")).bytes()); err != nil {
		t.Fatal(err)
	}
}

// TestRefused are modules that are not run, and what is said about them.
func TestRefused(t *testing.T) {
	call0 := op(opCall, 0)
	mistyped := effect("send")
	mistyped.params = []byte{typeI32}
	for name, c := range map[string]struct {
		module []byte
		says   string
	}{
		"empty":                 {[]byte{}, "not WebAssembly"},
		"text":                  {[]byte("#!/bin/sh\necho hello\n"), "not WebAssembly"},
		"a component":           {[]byte("\x00asm\x0d\x00\x01\x00"), "not WebAssembly"},
		"nothing in it":         {[]byte("\x00asm\x01\x00\x00\x00"), "does not export _initialize, abi, "},
		"a missing export":      {assembly{leave: "received"}.bytes(), "does not export received: it is not NanoRing's, or of another version of the ABI than 1: take a module and a host of one release"},
		"a mistyped export":     {assembly{retype: "closed"}.bytes(), "does not export closed"},
		"a program":             {assembly{also: []string{"_start"}}.bytes(), "_start"},
		"without memory":        {assembly{memory: []byte{}, hidden: true}.bytes(), "memory"},
		"with hidden memory":    {assembly{hidden: true}.bytes(), "does not export its memory"},
		"too much memory":       {assembly{memory: op(0, 65)}.bytes(), "too big for 4096 KiB"},
		"files":                 {assembly{imports: []importedFunction{{"wasi_snapshot_preview1", "path_open", op(typeI32), op(typeI32)}}}.bytes(), "wasi_snapshot_preview1.path_open"},
		"two wishes":            {assembly{imports: []importedFunction{{"env", "a", nil, nil}, effect("send"), {"env", "b", nil, nil}}}.bytes(), "env.a, env.b: take a module and a host of one release"},
		"a mistyped import":     {assembly{imports: []importedFunction{mistyped}}.bytes(), "nanoring.send"},
		"a global":              {assembly{global: true}.bytes(), "env.g"},
		"a huge table":          {assembly{table: op(0, 0x80, 0x80, 0x08)}.bytes(), "table"},
		"countless locals":      {assembly{locals: 1 << 31}.bytes(), "locals"},
		"another version":       {does("abi", i32c(2)).bytes(), "version 2 of the ABI, this host version 1: take a module and a host of one release"},
		"a trapping start":      {assembly{bodies: map[string][]byte{"abi": op(opUnreachable)}, start: true}.bytes(), ""},
		"a trap at once":        {does("_initialize", op(opUnreachable)).bytes(), "_initialize: wasm error: unreachable"},
		"a start section":       {assembly{start: true}.bytes(), "start section"},
		"a global not its own":  {does("tick", op(0x23, 0, opDrop)).bytes(), "a global that it does not have"},
		"a strange instruction": {does("tick", op(0xd0, 0x70, opDrop)).bytes(), "an instruction that this host does not know"},
		"another strange one":   {does("tick", op(0xfc, 15, 0)).bytes(), "an instruction that this host does not know"},
		"an exit at once":       {does("_initialize", code(i32c(3), call0), wasi("proc_exit")).bytes(), "exited with status 3"},
		"an early effect":       {does("abi", code(i64c(1), call0, i32c(1)), effect("dirty")).bytes(), "an effect without an input"},
		"a key not known":       {does("text", i32c(1)).bytes(), `the text "ring"`},
		"a number not known":    {does("number", i32c(1)).bytes(), `the number "seed"`},
		"a buffer elsewhere":    {does("buffer", i32c(2<<16-1)).bytes(), "not in its memory"},
		"no buffer":             {does("buffer", i32c(0)).bytes(), "no place"},
		"an answer elsewhere":   {does("create", i64c(2<<48|100)).bytes(), "not in its memory"},
		"a huge answer":         {does("create", i64c(1<<32|0xffffffff)).bytes(), "not in its memory"},
		"an answer of zeros":    {does("create", i64c(8<<32|8)).bytes(), "create"},
	} {
		t.Run(name, func(t *testing.T) {
			err := run(t, c.module)
			if err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "\n") {
				t.Errorf("it says %v, not %q", err, c.says)
			}
		})
	}
}

// TestCounts are counts of more than there is, wherever they may stand.
func TestCounts(t *testing.T) {
	huge := []byte{0xff, 0xff, 0xff, 0xff, 0x0f}
	section := func(id byte, content ...[]byte) []byte {
		return code([]byte("\x00asm\x01\x00\x00\x00"), op(id), text(string(code(content...))))
	}
	for id := range byte(14) {
		run(t, section(id, huge))
		run(t, section(id, huge, make([]byte, 100)))
	}
	for _, module := range [][]byte{
		section(1, op(1, 0x60), huge), section(1, op(1, 0x60, 0), huge),
		section(2, op(1), huge), section(2, op(1, 0), huge), section(2, op(1, 0, 0, 1, 0x70, 0), huge),
		section(7, op(1), huge),
		section(9, op(1, 0, opI32Const, 0, opEnd), huge), section(9, op(1), huge), section(9, op(1, 4, opI32Const, 0, opEnd), huge),
		section(10, op(1), huge), section(10, op(1, 5), huge), section(10, op(1, 7, 1), huge, op(typeI64)),
		section(11, op(1, 0, opI32Const, 0, opEnd), huge), section(11, op(1, 1), huge),
		code(section(0, huge), op(1), huge), section(0, text("name"), op(1), huge), section(0, text("name"), op(1, 6), huge, op(0)),
	} {
		run(t, module)
		run(t, append(module, make([]byte, 100)...))
	}
}

// TestTraps are modules that go wrong while they are run.
func TestTraps(t *testing.T) {
	call0 := op(opCall, 0)
	for name, c := range map[string]struct {
		module assembly
		says   string
	}{
		"unreachable":            {does("received", op(opUnreachable)), "in received: wasm error: unreachable"},
		"exit":                   {does("tick", code(i32c(7), call0), wasi("proc_exit")), "in tick: it exited with status 7"},
		"exit, all is well":      {does("tick", code(i32c(0), call0), wasi("proc_exit")), "in tick: it exited with status 0"},
		"endless effects":        {does("start", forever(i64c(1), call0), effect("dirty")), "does not come to an end"},
		"endless frames":         {does("start", forever(i64c(1), i32c(0), i32c(1<<16), call0), effect("send")), "does not come to an end"},
		"endless yielding":       {does("start", forever(call0, op(opDrop)), wasi("sched_yield")), "does not come to an end"},
		"endless randomness":     {does("start", forever(i32c(0), i32c(1<<16), call0, op(opDrop)), wasi("random_get")), "does not come to an end"},
		"endless waiting":        {does("start", forever(i32c(0), i32c(4096), i32c(1), i32c(8192), call0, op(opDrop)), wasi("poll_oneoff")), "does not come to an end"},
		"endless talk":           {does("start", forever(i32c(2), i32c(0), i32c(100), i32c(8192), call0, op(opDrop)), wasi("fd_write")), "does not come to an end"},
		"an endless loop":        {does("start", forever()), "does not come to an end: over 250ms"},
		"an endless loop inside": {does("tick", code(op(0x02, blockOfNothing), forever(op(0x01)), op(opEnd))), "in tick: it does not come to an end"},
		"endless calls":          {assembly{bodies: map[string][]byte{"start": code(i64c(60), i64c(0), op(opCall, 11)), "tick": doubly}}, "does not come to an end"},
		"endless filling":        {does("start", forever(i32c(0), i32c(0), i32c(1<<17), op(0xfc, 11, 0))), "does not come to an end"},
		"endless copying":        {does("start", forever(i32c(0), i32c(8), i32c(1<<16), op(0xfc, 10, 0, 0))), "does not come to an end"},
		"endless long turns":     {does("start", forever(bytes.Repeat(op(0x01), 100_000))), "does not come to an end"},
		"a loop in a snapshot":   {does("snapshot", code(forever(), i64c(0))), "in snapshot: it does not come to an end"},
		"endless recursion":      {does("start", code(i64c(0), i64c(0), op(opCall, 7))), "in start: "}, // the stack overflows, or time is over
		"many vectors":           {does("start", code(i32c(2), i32c(0), i32c(1<<14), i32c(0), call0, op(opDrop)), wasi("fd_write")), "not in its memory"},
		"many subscriptions":     {does("start", code(i32c(0), i32c(0), i32c(-1), i32c(0), call0, op(opDrop)), wasi("poll_oneoff")), "does not come to an end"},
		"memory bomb":            {does("start", code(forever(i32c(1), op(opMemoryGrow, 0), i32c(0), op(opI32Store, 2, 0)))), "in start: "}, // its memory is over, or time is
		"a frame elsewhere":      {does("start", code(i64c(1), i32c(-8), i32c(100), call0), effect("send")), "not in its memory"},
		"a huge frame":           {does("start", code(i64c(1), i32c(0), i32c(-1), call0), effect("send")), "does not come to an end"},
		"a text elsewhere":       {does("start", code(i32c(1), i32c(1<<30), i32c(1), call0), effect("halt")), "not in its memory"},
		"a code too large":       {does("start", code(i64c(1), i32c(1<<16), i32c(0), i32c(0), call0), effect("close")), "code 65536"},
		"a reason not known":     {does("start", code(i32c(5), i32c(0), i32c(0), call0), effect("halt")), "reason 5"},
		"reason 257":             {does("start", code(i32c(257), i32c(0), i32c(0), call0), effect("halt")), "reason 257"},
		"an event of zeros":      {does("start", code(i32c(0), i32c(9), call0), effect("event")), "an event that cannot be read"},
		"an empty event":         {does("start", code(i32c(0), i32c(0), call0), effect("event")), "an event that cannot be read"},
		"late effects":           {does("snapshot", code(i64c(1), call0, i64c(0)), effect("dirty")), "an effect without an input"},
		"a lying snapshot":       {does("snapshot", i64c(1<<48)), ""},
		"a snapshot outside":     {does("snapshot", i64c(0x1ffff<<32|2)), "not in its memory"},
		"a time nowhere":         {does("start", code(i32c(0), i64c(1), i32c(-1), call0, op(opDrop)), wasi("clock_time_get")), "not in its memory"},
	} {
		t.Run(name, func(t *testing.T) {
			err := run(t, c.module.bytes())
			if c.says == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "\n") {
				t.Errorf("it says %v, not %q", err, c.says)
			}
		})
	}
}

// doubly calls itself, tick, twice, as deep as its first parameter says.
var doubly = code(op(0x20, 0, 0x50, 0x04, blockOfNothing, 0x0f, opEnd), // if it is zero: return
	op(0x20, 0), i64c(1), op(0x7d), i64c(0), op(opCall, 11),
	op(0x20, 0), i64c(1), op(0x7d), i64c(0), op(opCall, 11))

// TestOthersRunOn: while a module loops, the process goes on, its garbage
// collector too, which stops all that runs.
func TestOthersRunOn(t *testing.T) {
	e, err := host.New(t.Context(), host.Config{Node: config("me"), Module: does("tick", forever()).bytes(), Deadline: 300 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	over := make(chan error, 1)
	go func() {
		_, err := e.Step(core.Input{Kind: core.Tick})
		over <- err
	}()
	for collected := 0; ; collected++ {
		select {
		case err := <-over:
			if err == nil || collected == 0 {
				t.Errorf("%d collections, and %v", collected, err)
			}
			return
		default:
			runtime.GC()
		}
	}
}

// TestDeadlineSparesTheQuick: many short calls in a row are no long one.
func TestDeadlineSparesTheQuick(t *testing.T) {
	e, err := host.New(t.Context(), host.Config{Node: config("me"), Module: assembly{}.bytes(), Deadline: 200 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	for began := time.Now(); time.Since(began) < 600*time.Millisecond; {
		if _, err := e.Step(core.Input{Kind: core.Tick}); err != nil {
			t.Fatal(err)
		}
	}
}

// TestCutAndFlipped: a module with any one bit turned, or cut anywhere, is
// refused, or it is run, and neither hangs nor brings its host down.
func TestCutAndFlipped(t *testing.T) {
	whole := does("tick", code(i64c(2), op(opCall, 0)), effect("dirty")).bytes()
	for i := range whole {
		if run(t, whole[:i]) == nil {
			t.Errorf("cut after %d of %d bytes, it is run", i, len(whole))
		}
		flipped := append([]byte(nil), whole...)
		flipped[i] ^= 1 << (i % 8)
		run(t, flipped)
	}
	for n := range 40 {
		if run(t, module.Wasm[:n*len(module.Wasm)/40]) == nil {
			t.Errorf("NanoRing's own, cut after %d of 40 parts, is run", n)
		}
		flipped := append([]byte(nil), module.Wasm[:4096]...) // its types, imports and functions
		flipped[n*100] ^= 1 << (n % 8)
		run(t, append(flipped, module.Wasm[4096:8192]...))
	}
}

// FuzzLoad: whatever the bytes, a module is compiled or refused.
func FuzzLoad(f *testing.F) {
	f.Add(assembly{}.bytes())
	f.Add(does("tick", code(i64c(2), op(opCall, 0)), effect("dirty")).bytes())
	f.Add(does("tick", forever(i32c(1), op(opMemoryGrow, 0, opDrop))).bytes())
	f.Add(code(assembly{table: op(0, 1), locals: 3}.bytes(), op(0), text("a custom section")))
	f.Fuzz(func(t *testing.T, wasm []byte) {
		var bad *host.ModuleError
		if err := host.Load(t.Context(), wasm); err != nil && !errors.As(err, &bad) {
			t.Errorf("not a ModuleError: %v", err)
		}
	})
}
