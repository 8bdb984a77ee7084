package native

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/nanoring/nanoring/core"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 20 * time.Second // of tests that wait for what has to come

// testRing keeps the nodes of this process apart from those of other tests, which
// may get the address of one that has ended.
var testRing = fmt.Sprint("test ", rand.Uint64())

// eventually waits until cond holds.
func eventually(t *testing.T, what string, cond func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !cond(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// receive takes a value that has to come.
func receive[T any](t *testing.T, what string, ch <-chan T) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(patience):
		t.Fatalf("waited in vain: %s", what)
		panic("unreachable")
	}
}

// soon is a context for what has to come.
func soon(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// logged is a log that tests can look at.
type logged struct {
	mu    sync.Mutex
	b     bytes.Buffer
	queue *LogQueue // that writes it
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// count counts in what was logged until now.
func (l *logged) count(s string) int {
	l.queue.Flush(patience)
	l.mu.Lock()
	defer l.mu.Unlock()
	return bytes.Count(l.b.Bytes(), []byte(s))
}

func (l *logged) logger() *slog.Logger {
	if l.queue == nil {
		l.queue = NewLogQueue(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	return slog.New(l.queue)
}

// fake is an engine that does as a test says. It stops when told to.
type fake struct {
	inputs   chan core.Input // what it was given, if anybody looks
	script   func(core.Input) []core.Effect
	snapshot func() ([]byte, error)
	fail     error // of Step
}

func newFake(script func(core.Input) []core.Effect) *fake {
	return &fake{inputs: make(chan core.Input, 4096), script: script}
}

func (f *fake) engine(core.Config) (core.Engine, error) { return f, nil }

func (f *fake) Step(in core.Input) ([]core.Effect, error) {
	if in.Kind == core.Do && in.Command.Op == core.Hear && in.Command.ID == 0 {
		return nil, nil // what each node is to hear is nothing that a script is about
	}
	kept := in
	kept.Frame = bytes.Clone(in.Frame)
	select {
	case f.inputs <- kept:
	default:
	}
	if f.fail != nil {
		return nil, f.fail
	}
	if f.script != nil {
		if effects := f.script(in); effects != nil {
			return effects, nil
		}
	}
	if in.Kind == core.Do && in.Command.Op == core.Stop {
		return []core.Effect{{Kind: core.Halt, Reason: core.HaltStopped}}, nil
	}
	return nil, nil
}

func (f *fake) Snapshot() ([]byte, error) {
	if f.snapshot != nil {
		return f.snapshot()
	}
	return []byte("snapshot"), nil
}

func (f *fake) Changes(uint64) ([]byte, error) { return nil, nil }
func (f *fake) Handover() ([]byte, error)      { return f.Snapshot() }

func (f *fake) Close() error { return nil }

// next returns the next input of a kind.
func (f *fake) next(t *testing.T, kind core.InputKind) core.Input {
	t.Helper()
	for {
		if in := receive(t, "an input", f.inputs); in.Kind == kind {
			return in
		}
	}
}

// config is a node's configuration in a folder of its own.
func config(t *testing.T, name string) Config {
	t.Helper()
	return Config{
		Name:   name,
		Ring:   testRing,
		Listen: "127.0.0.1:0",
		Data:   t.TempDir(),
		Log:    slog.New(slog.DiscardHandler),
	}
}

func start(t *testing.T, cfg Config) *Node {
	t.Helper()
	n, err := Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() })
	return n
}

// startFake runs a node on a scripted engine.
func startFake(t *testing.T, f *fake) *Node {
	t.Helper()
	cfg := config(t, "dev1")
	cfg.Engine = f.engine
	return start(t, cfg)
}

func emit(e core.Event) core.Effect { return core.Effect{Kind: core.Emit, Event: &e} }

func nodeEvent(name string, s core.State) core.Effect {
	return emit(core.Event{Kind: core.EventNode, Node: core.Node{Name: name, State: s, Address: "127.0.0.1:1"}})
}

func names(nodes []core.Node) string {
	var b bytes.Buffer
	for i, n := range nodes {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(n.Name)
	}
	return b.String()
}
