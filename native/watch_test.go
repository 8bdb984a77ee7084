package native

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/nanoring/nanoring/core"
)

// telling is an engine that emits a node for each Add, by its name alone.
func telling() *fake {
	return newFake(func(in core.Input) []core.Effect {
		if in.Kind != core.Do || in.Command.Op == core.Stop {
			return nil
		}
		state := core.Alive
		if in.Command.Op == core.Del {
			state = core.Removed
		}
		return []core.Effect{nodeEvent(in.Command.Name, state), emit(core.Event{Kind: core.EventResult, ID: in.Command.ID, Name: in.Command.Name})}
	})
}

func add(t *testing.T, n *Node, name string) {
	t.Helper()
	if _, err := n.Add(t.Context(), name, "127.0.0.1:1"); err != nil {
		t.Fatal(err)
	}
}

func TestWatch(t *testing.T) {
	n := startFake(t, telling())
	add(t, n, "dev3")
	add(t, n, "dev2")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	events, over := make(chan string), make(chan struct{})
	go func() {
		defer close(over)
		for e, err := range n.Watch(ctx) {
			events <- fmt.Sprint(e.Node.Name, " ", e.What, " ", e.Seq, " ", err)
		}
	}()
	for i, want := range []string{"dev2  0 <nil>", "dev3  0 <nil>", "dev4 joined 3 <nil>", "dev2 removed 4 <nil>"} {
		switch i {
		case 2:
			add(t, n, "dev4")
		case 3:
			if err := n.Del(t.Context(), "dev2"); err != nil {
				t.Fatal(err)
			}
		}
		if got := receive(t, want, events); got != want {
			t.Fatalf("%s, not %s", got, want)
		}
	}
	if got := names(n.All()); got != "dev3 dev4" {
		t.Fatal(got)
	}
	cancel()
	receive(t, "the watch's end", over)
}

func TestWatchEndsWithTheNode(t *testing.T) {
	n := startFake(t, telling())
	over := make(chan struct{})
	started := make(chan struct{})
	add(t, n, "dev2")
	go func() {
		defer close(over)
		for range n.Watch(context.Background()) {
			close(started)
		}
	}()
	receive(t, "the watch", started)
	n.Close()
	receive(t, "the watch's end", over)
	for range n.Watch(context.Background()) {
		t.Fatal("a node that has ended tells of events")
	}
}

func TestSlowWatcher(t *testing.T) {
	n := startFake(t, telling())
	add(t, n, "n")
	errs := make(chan error, 1)
	stuck, blocked := make(chan struct{}), make(chan struct{})
	go func() {
		first := true
		for _, err := range n.Watch(t.Context()) {
			if first {
				close(blocked)
				<-stuck
				first = false
			}
			if err != nil {
				errs <- err
			}
		}
	}()
	receive(t, "the watch", blocked)
	for i := range 2 * watchBuffer {
		add(t, n, fmt.Sprint("n", i)) // each is answered: the engine is not held up
	}
	close(stuck)
	if err := receive(t, "what it lost", errs); !errors.Is(err, ErrSlow) {
		t.Fatal(err)
	}
}

func TestUpAndAll(t *testing.T) {
	n := startFake(t, newFake(func(in core.Input) []core.Effect {
		if in.Kind != core.Start {
			return nil
		}
		return []core.Effect{
			nodeEvent("e", core.Alive), nodeEvent("d", core.Suspect), nodeEvent("c", core.Down),
			nodeEvent("b", core.Left), nodeEvent("a", core.Unknown),
		}
	}))
	eventually(t, "all of them", func() bool { return names(n.All()) == "a b c d e" })
	if got := names(n.Up()); got != "d e" {
		t.Fatal(got)
	}
	if node, ok := n.Get("d"); !ok || node.State != core.Suspect {
		t.Fatal(node)
	}
	n.All()[0].Name = "z" // is the caller's
	if got := names(n.All()); got != "a b c d e" {
		t.Fatal(got)
	}
}
