package native

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// TestMessagesThroughASwap: who listens goes on, a question that is open is answered, a tell that
// waits is told, once, and nothing is heard twice.
func TestMessagesThroughASwap(t *testing.T) {
	all := three(t)
	ctx := soon(t)
	heard := ears(t, all[1].Node, "chat")
	goOn := make(chan struct{})
	for _, n := range all {
		_, err := n.Answer("who", func(ctx context.Context, q Question) ([]byte, error) {
			select {
			case <-goOn:
			case <-ctx.Done():
			}
			return []byte(n.Name()), nil
		})
		must(t, err)
	}
	var open []*Answers
	for _, n := range all {
		a, err := n.Ask(ctx, "who", nil, Within(time.Minute))
		must(t, err)
		open = append(open, a)
	}
	for _, n := range all {
		eventually(t, "the questions at "+n.Name(), func() bool { return n.hearing.answering() == 3 })
	}
	for i := range 3 {
		must(t, all[0].Send(ctx, "chat", fmt.Append(nil, i)))
		told := make(chan error, 1)
		go func() { told <- all[0].Tell(ctx, "dev2", "chat", fmt.Append(nil, "tell ", i)) }()
		must(t, all[i].SwapNative(ctx))
		must(t, receive(t, "that it is told", told))
	}
	must(t, all[0].Send(ctx, "chat", []byte("end")))
	var got []string
	for len(got) < 7 {
		got = append(got, receive(t, "a message", heard))
	}
	sent := slices.DeleteFunc(slices.Clone(got), func(s string) bool { return len(s) > len(`dev1 chat "end"`) })
	if want := []string{`dev1 chat "0"`, `dev1 chat "1"`, `dev1 chat "2"`, `dev1 chat "end"`}; !slices.Equal(sent, want) {
		t.Errorf("%q", got)
	}
	slices.Sort(got)
	if len(slices.Compact(got)) != 7 {
		t.Errorf("twice: %q", got)
	}
	close(goOn)
	for i, a := range open {
		if got := collect(t, a); !slices.Equal(got, []string{"dev1 dev1", "dev2 dev2", "dev3 dev3"}) {
			t.Errorf("dev%d asked: %q, silent %q", i+1, got, a.Silent())
		}
	}
}

// TestMessagesThroughABreak: an engine that was started again hears what it is to hear, and who listens
// is told that something may be lost.
func TestMessagesThroughABreak(t *testing.T) {
	made := 0
	nodes := brittleRing(t, new(logged), &made)
	n := nodes[0].Node
	eventually(t, "something to start again from", func() bool {
		held := false
		must(t, n.aside(soon(t), func(l *loop) { held = l.held != nil && !l.told }))
		return held || n.Send(t.Context(), "x", nil) != nil
	})
	heard := ears(t, n, "chat")
	poison(t, n)
	must(t, nodes[1].Send(t.Context(), "chat", []byte("after")))
	hears(t, heard, "gap ", `dev2 chat "after"`)
}

// TestLostQuestion: one that the engine has forgotten ends all the same.
func TestLostQuestion(t *testing.T) {
	n := startFake(t, newFake(func(in core.Input) []core.Effect {
		if in.Kind != core.Do {
			return nil
		}
		return []core.Effect{emit(core.Event{Kind: core.EventResult, ID: in.Command.ID})}
	}))
	a, err := n.Ask(t.Context(), "who", nil, Within(time.Millisecond))
	must(t, err)
	for range a.All() {
	}
	if a.Err() != errUnended || !errors.Is(a.Err(), ErrBroke) || !strings.Contains(a.Err().Error(), "ask again") { // nor need it have broken
		t.Error(a.Err())
	}
}

// TestAnswersUnread: who asks and does not read is told so, and holds little.
func TestAnswersUnread(t *testing.T) {
	n := startFake(t, newFake(func(in core.Input) []core.Effect {
		if in.Kind != core.Do {
			return nil
		}
		var effects []core.Effect
		if in.Command.Op == core.Ask {
			for i := range mostAnswered/wire.MaxPayload + 1 {
				effects = append(effects, emit(core.Event{Kind: core.EventAnswer, ID: in.Command.ID, Name: fmt.Sprint(i), Payload: string(make([]byte, wire.MaxPayload))}))
			}
		}
		return append(effects, emit(core.Event{Kind: core.EventResult, ID: in.Command.ID}))
	}))
	a, err := n.Ask(t.Context(), "who", nil)
	must(t, err)
	count := 0
	for range a.All() {
		count++
	}
	if a.Err() != errUnread || count != mostAnswered/wire.MaxPayload {
		t.Error(count, a.Err())
	}
}

// TestAskGivenUp: a question that nobody waits for any more is called off, whether or not it was asked.
func TestAskGivenUp(t *testing.T) {
	f := newFake(nil)
	n := startFake(t, f)
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error, 1)
	go func() {
		_, err := n.Ask(ctx, "who", nil)
		failed <- err
	}()
	asked := f.next(t, core.Do)
	cancel()
	if err := receive(t, "its end", failed); err != context.Canceled {
		t.Error(err)
	}
	if off := f.next(t, core.Do); off.Command.Op != core.CallOff || off.Command.Question != asked.Command.ID {
		t.Errorf("%+v", off.Command)
	}
}
