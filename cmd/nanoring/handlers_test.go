package main

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/native"
)

// TestSlowHandler: a command that is slower than its messages come loses the oldest of those that
// wait, which is logged, and runs one at a time; the node is not held up.
func TestSlowHandler(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	var out lockedBuffer
	log := slog.New(slog.NewTextHandler(&out, nil))
	node, err := native.Start(t.Context(), native.Config{Name: "dev1", Data: t.TempDir(), Log: log})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	hs := newHandlers(ctx, node, log)
	if err := hs.use(&nodeFlags{messages: []handler{{"m", "cat > " + pipe}}, commandTimeout: time.Minute}); err != nil {
		t.Fatal(err)
	}
	defer func() {
		cancel()
		hs.wg.Wait()
		node.Close()
	}()
	send := func(i int) {
		if err := node.Send(t.Context(), "m", fmt.Appendf(nil, "%d\n", i)); err != nil {
			t.Fatal(err)
		}
	}
	const most = 400
	send(0)
	reader, err := os.Open(pipe) // when the first runs
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	keep, err := os.OpenFile(pipe, os.O_WRONLY, 0) // or there is an end between two
	if err != nil {
		t.Fatal(err)
	}
	defer keep.Close()
	lines := bufio.NewScanner(reader)
	for i := 1; i < most; i++ {
		send(i)
	}
	last := -1
	for range 20 {
		if !lines.Scan() {
			t.Fatal("no more lines: ", lines.Err())
		}
		var now int
		if _, err := fmt.Sscan(lines.Text(), &now); err != nil || now <= last {
			t.Fatalf("%q after %d: %v", lines.Text(), last, err)
		}
		last = now
	}
	if strings.Count(out.String(), "some were lost before it") != 1 || last < most-256 {
		t.Errorf("%s", out.String())
	}
}

func TestEnviron(t *testing.T) {
	node, err := native.Start(t.Context(), native.Config{Name: "dev1", Data: t.TempDir(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer node.Close()
	if err := node.SetTags(t.Context(), map[string]string{"a-b.c": "x\x00y", "rôle": "w b"}); err != nil {
		t.Fatal(err)
	}
	hs := &handlers{node: node}
	got, err := runCommand(t.Context(), `echo "$NANORING_NODE $NANORING_FROM $NANORING_TOPIC $NANORING_TAG_A_B_C $NANORING_TAG_R_LE"`, hs.environ("dev2", "NANORING_TOPIC=t"), nil)
	if want := "dev1 dev2 t xy w b\n"; err != nil || string(got) != want {
		t.Errorf("%q, %v", got, err)
	}
}

// crowded is an engine that shows a crowd when one is to be added.
type crowded struct{ core.Engine }

func (e crowded) Step(in core.Input) ([]core.Effect, error) {
	if in.Kind != core.Do || in.Command.Name != "crowd" {
		return e.Engine.Step(in)
	}
	var all []core.Effect
	for i := range 5000 {
		all = append(all, core.Effect{Kind: core.Emit, Event: &core.Event{Kind: core.EventNode, Node: core.Node{Name: fmt.Sprint(i), State: core.Alive}}})
	}
	return append(all, core.Effect{Kind: core.Emit, Event: &core.Event{Kind: core.EventResult, ID: in.Command.ID}}), nil
}

// TestSlowEventHandler: a command that is slower than what happens is run for what is known still;
// what is not is logged.
func TestSlowEventHandler(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	var out lockedBuffer
	engine := func(c core.Config) (core.Engine, error) {
		r, err := core.New(c)
		return crowded{r}, err
	}
	node, err := native.Start(t.Context(), native.Config{Name: "dev1", Data: t.TempDir(), Log: slog.New(slog.DiscardHandler), Engine: engine})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	hs := newHandlers(ctx, node, slog.New(slog.NewTextHandler(&out, nil)))
	if err := hs.use(&nodeFlags{events: []handler{{"joined", "read x < " + pipe + "; true"}}, commandTimeout: time.Minute}); err != nil {
		t.Fatal(err)
	}
	defer func() {
		cancel()
		hs.wg.Wait()
		node.Close()
	}()
	began := make(chan *os.File, 1)
	go func() {
		w, _ := os.OpenFile(pipe, os.O_WRONLY, 0) // when one runs
		began <- w
	}()
	var writer *os.File
	for i := 0; writer == nil; i++ { // it watches from some moment on
		if _, err := node.Add(t.Context(), fmt.Sprint("early", i), "127.0.0.1:1"); err != nil {
			t.Fatal(err)
		}
		select {
		case writer = <-began:
		case <-time.After(10 * time.Millisecond):
		}
	}
	if _, err := node.Add(t.Context(), "crowd", "127.0.0.1:1"); err != nil {
		t.Fatal(err)
	}
	writer.Close()
	for deadline := time.Now().Add(patience); !strings.Contains(out.String(), "some were lost before it"); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s", out.String())
		}
		if w, err := os.OpenFile(pipe, os.O_WRONLY|syscall.O_NONBLOCK, 0); err == nil {
			w.Close() // the next ones need not wait
		}
	}
}
