package host_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"reflect"
	"testing"
	"time"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/host"
	"go.uber.org/goleak"
)

// TestMain keeps one engine, so that the module stays compiled for all tests.
func TestMain(m *testing.M) {
	flag.Set("rapid.checks", "1000") // unless it is given
	e, err := host.New(context.Background(), host.Config{Node: config("me"), Deadline: leisure})
	if err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(status int) {
		e.Close()
		os.Exit(status)
	}))
}

// leisure is how long a call may take where that is not what a test is about: machines
// are busy.
const leisure = 2 * time.Minute

// sandboxed makes an Engine that is closed with the test.
func sandboxed(t testing.TB, cfg core.Config) *host.Engine {
	t.Helper()
	e, err := host.New(t.Context(), host.Config{Node: cfg, Deadline: leisure})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

// twin is a Ring and a sandboxed Engine that are given the same inputs, and
// expected to give the same effects and snapshots.
type twin struct {
	ring    *core.Ring
	sandbox *host.Engine // nil once most steps were compared
	steps   int
	since   uint64 // of the changes that were asked for last
	most    int    // 0 for all
}

// twins makes twins for a simulated world.
func twins(t testing.TB) func(core.Config) (core.Engine, error) {
	return func(cfg core.Config) (core.Engine, error) {
		w, err := newTwin(t, cfg)
		if err != nil {
			return nil, err
		}
		return w, nil
	}
}

func newTwin(t testing.TB, cfg core.Config) (*twin, error) {
	ring, err := core.New(cfg)
	sandbox, other := host.New(t.Context(), host.Config{Node: cfg, Deadline: leisure})
	if fmt.Sprint(err) != fmt.Sprint(other) {
		t.Errorf("they do not start alike: %v, in the sandbox: %v", err, other)
	}
	if err != nil {
		return nil, err
	}
	return &twin{ring: ring, sandbox: sandbox}, nil
}

func (w *twin) Step(in core.Input) ([]core.Effect, error) {
	want, _ := w.ring.Step(in)
	if w.sandbox == nil {
		return want, nil
	}
	w.steps++
	got, err := w.sandbox.Step(in)
	if err != nil {
		return nil, err
	}
	if err := equal(want, got); err != nil {
		return nil, fmt.Errorf("step %d, %+v: %w", w.steps, in, err)
	}
	if w.steps%32 == 0 || w.steps == w.most {
		if _, err := w.Snapshot(); err != nil {
			return nil, err
		}
		if _, err := w.Changes(w.since); err != nil { // once more: what is said to be written is forgotten
			return nil, err
		}
		if _, err := w.Handover(); err != nil {
			return nil, err
		}
	}
	if w.steps == w.most {
		w.sandbox.Close()
		w.sandbox = nil
		return want, nil
	}
	return got, nil
}

func (w *twin) Snapshot() ([]byte, error) {
	want, _ := w.ring.Snapshot()
	if w.sandbox == nil {
		return want, nil
	}
	got, err := w.sandbox.Snapshot()
	if err == nil {
		err = w.countAlike()
	}
	if err == nil && !bytes.Equal(want, got) {
		err = fmt.Errorf("after step %d, snapshots differ:\n%x, in the sandbox\n%x", w.steps, want, got)
	}
	return got, err
}

func (w *twin) Changes(since uint64) ([]byte, error) {
	w.since = since
	want, _ := w.ring.Changes(since)
	if w.sandbox == nil {
		return want, nil
	}
	got, err := w.sandbox.Changes(since)
	if err == nil && !bytes.Equal(want, got) {
		err = fmt.Errorf("after step %d, what changed since %d differs:\n%x, in the sandbox\n%x", w.steps, since, want, got)
	}
	return got, err
}

func (w *twin) Handover() ([]byte, error) {
	want, _ := w.ring.Handover()
	if w.sandbox == nil {
		return want, nil
	}
	got, err := w.sandbox.Handover()
	if err == nil && !bytes.Equal(want, got) {
		err = fmt.Errorf("after step %d, what is handed over differs:\n%x, in the sandbox\n%x", w.steps, want, got)
	}
	return got, err
}

func (w *twin) Close() error {
	w.ring.Close()
	if w.sandbox == nil {
		return nil
	}
	return w.sandbox.Close()
}

// equal says where effects differ, byte for byte.
func equal(want, got []core.Effect) error {
	for i := range max(len(want), len(got)) {
		if i >= len(want) || i >= len(got) || !reflect.DeepEqual(want[i], got[i]) {
			return fmt.Errorf("effect %d differs:\n%s, in the sandbox\n%s", i+1, show(want, i), show(got, i))
		}
	}
	return nil
}

func show(effects []core.Effect, i int) string {
	if i >= len(effects) {
		return "there is none"
	}
	if e := effects[i]; e.Event != nil {
		return fmt.Sprintf("%+v", *e.Event)
	}
	return fmt.Sprintf("%+v", effects[i])
}

func (w *twin) countAlike() error {
	want, _ := w.ring.Counts()
	got, err := w.sandbox.Counts()
	if err == nil && want != got {
		err = fmt.Errorf("after step %d, counts differ: %v, in the sandbox %v", w.steps, want, got)
	}
	return err
}
