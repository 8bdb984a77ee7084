package main

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/nanoring/nanoring/native"
)

// TestOtherHandlers: the commands of a node that runs become others. Those that stay miss
// nothing, one that runs is not disturbed, and there is no moment without an answer.
func TestOtherHandlers(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	if err := mkfifo(in("pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	node, err := native.Start(t.Context(), native.Config{Name: "dev1", Data: t.TempDir(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	hs := newHandlers(ctx, node, slog.New(slog.DiscardHandler))
	defer func() {
		cancel()
		hs.wg.Wait()
		node.Close()
	}()
	use := func(f nodeFlags) {
		t.Helper()
		f.commandTimeout = time.Minute
		if err := hs.use(&f); err != nil {
			t.Fatal(err)
		}
	}
	send := func(topic, text string) {
		t.Helper()
		if err := node.Send(t.Context(), topic, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	has := func(name, want string) {
		t.Helper()
		got := ""
		for deadline := time.Now().Add(patience); got != want; time.Sleep(5 * time.Millisecond) {
			b, _ := os.ReadFile(in(name))
			if got = string(b); time.Now().After(deadline) {
				t.Fatalf("%s has %q, not %q", name, got, want)
			}
		}
	}
	answered := func(want string) {
		t.Helper()
		answers, err := node.Ask(t.Context(), "who", nil)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for a := range answers.All() {
			n++
			if string(a.Payload) != want {
				t.Errorf("the answer is %q, not %q", a.Payload, want)
			}
		}
		if n != 1 {
			t.Errorf("there are %d answers", n)
		}
	}
	stays := handler{"stays", "cat >> " + in("stays")}
	goes := handler{"goes", "echo begun > " + in("goes") + "; read x < " + in("pipe") + "; echo done > " + in("goes")}
	use(nodeFlags{messages: []handler{stays, stays, goes}, questions: []handler{{"who", "printf one"}}})
	send("stays", "1")
	has("stays", "11")
	send("goes", "")
	has("goes", "begun\n")
	answered("one")

	use(nodeFlags{messages: []handler{{"comes", "cat >> " + in("comes")}, stays}, questions: []handler{{"who", "printf two"}}})
	answered("two")
	send("goes", "again, which nobody hears")
	send("comes", "2")
	has("comes", "2")
	send("stays", "3")
	has("stays", "113")
	writer, err := os.OpenFile(in("pipe"), os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	writer.Close()
	has("goes", "done\n")
	if len(hs.used.jobs) != 2 {
		t.Errorf("%d are left", len(hs.used.jobs))
	}
}
