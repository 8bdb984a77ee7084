package main

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/nanoring/nanoring/native"
)

// TestLeftOpen: a command that is done in time is done, although what it has left running keeps
// its output open for longer.
func TestLeftOpen(t *testing.T) {
	t.Parallel()
	node, err := native.Start(t.Context(), native.Config{Name: "dev1", Data: t.TempDir(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer node.Close()
	hs := newHandlers(context.Background(), node, slog.New(slog.DiscardHandler))
	hs.limit = leftOpen / 2
	for deadline := time.Now().Add(patience); ; { // it is not in time on a machine that is busy
		answer, err := hs.run(t.Context(), handler{"*", "sleep 5 & echo done"}, "dev1", "NANORING_TOPIC=x", nil)
		if err == nil && string(answer) == "done\n" {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%q, %v", answer, err)
		}
	}
}
