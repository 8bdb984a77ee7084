package native

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"
)

// reader is where lines go, that does not take any before it is told to.
type reader struct {
	bytes.Buffer
	goOn chan error // what becomes of a write
}

func (r *reader) Write(b []byte) (int, error) {
	if err := <-r.goOn; err != nil {
		return 0, err
	}
	return r.Buffer.Write(b)
}

// TestLogQueue: who logs waits for nobody; lines are in order, and those that were lost are
// counted, and told where they are missing.
func TestLogQueue(t *testing.T) {
	r := &reader{goOn: make(chan error)}
	q := NewLogQueue(slog.NewTextHandler(r, nil))
	log := slog.New(q).With("node", "dev1")
	if NewLogQueue(log.Handler()).lines != q.lines {
		t.Error("a queue before a queue")
	}
	log.Debug("never")
	log.Info("first")
	r.goOn <- errors.New("broken pipe")
	if !q.Flush(time.Minute) || q.Lost() != 1 {
		t.Fatalf("%d lost", q.Lost())
	}
	if _, still := q.losing(); !still {
		t.Error("the pipe is broken, and no lines are lost")
	}
	log.Info("held") // by the writer: nothing waits
	eventually(t, "the writer has the line", func() bool {
		q.mu.Lock()
		defer q.mu.Unlock()
		return len(q.waiting) == 0
	})
	const more = 10
	for i := range queueLines + more {
		log.Info("line", "i", i)
	}
	if q.Flush(0) || q.Lost() != 1+more {
		t.Errorf("%d lost", q.Lost())
	}
	r.goOn <- nil // that one line was lost
	r.goOn <- nil // the line that was held
	eventually(t, "there is room for one", func() bool {
		q.mu.Lock()
		defer q.mu.Unlock()
		return len(q.waiting) < queueLines
	})
	log.Info("waits with what is to be told")
	if _, still := q.losing(); !still || q.Lost() != 1+more {
		t.Errorf("%d lost, still %v", q.Lost(), still)
	}
	close(r.goOn)
	if !q.Flush(time.Minute) {
		t.Fatal("not all is written")
	}
	if at, still := q.losing(); still || at.IsZero() {
		t.Error("it loses lines still")
	}
	log.Info("last")
	if !q.Flush(time.Minute) || q.Lost() != 1+more {
		t.Errorf("%d lost", q.Lost())
	}
	lines := strings.Split(strings.TrimSpace(r.String()), "\n")
	if len(lines) != 2+queueLines+3 {
		t.Fatalf("%d lines", len(lines))
	}
	for i, part := range map[int]string{
		0: "level=WARN", 1: "msg=held node=dev1", 2: "msg=line node=dev1 i=0",
		queueLines + 1: "i=1023", queueLines + 2: "node=dev1 lines=10", queueLines + 3: "waits with", queueLines + 4: "msg=last",
	} {
		if !strings.Contains(lines[i], part) {
			t.Errorf("line %d is %s", i, lines[i])
		}
	}
}

// TestStuckLog: a node whose log is not read lives on, and ends.
func TestStuckLog(t *testing.T) {
	r := &reader{goOn: make(chan error)}
	defer close(r.goOn)
	n, err := Start(context.Background(), Config{Name: "dev1", Data: t.TempDir(), Log: slog.New(slog.NewTextHandler(r, nil))})
	if err != nil {
		t.Fatal(err)
	}
	for i := range queueLines + 10 {
		n.log.Info("line", "i", i)
	}
	if _, err := n.Add(t.Context(), "dev2", "127.0.0.1:1"); err != nil {
		t.Fatal(err)
	}
	if n.Status().LogLost == 0 {
		t.Error("nothing was lost")
	}
	if _, still := n.logs.losing(); !still || metricsOf(t, n)["nanoring_log_lines_lost_total"] == 0 || n.Status().Conditions[0].Code != "log-lost" {
		t.Errorf("it is not told: %+v", n.Status().Conditions)
	}
	isReady(t, n, 200, "ok")
	if err := n.Close(); err != nil {
		t.Error(err)
	}
}
