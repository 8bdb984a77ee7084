package main

import (
	"log/slog"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nanoring/nanoring/native"
)

const patience = 60 * time.Second

// TestMain has the program of the tests be a worker, too.
func TestMain(m *testing.M) {
	if os.Getenv("JOBS_WORKER") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// TestJobs has three processes share the jobs, of which one is killed and one told to
// stop, and asks them what they do.
func TestJobs(t *testing.T) {
	watcher, err := native.Start(t.Context(), native.Config{
		Ring: "jobs", Name: "watcher", Listen: "127.0.0.1:0", Data: t.TempDir(), NoPage: true, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer watcher.Close()
	w := &workers{t, t.TempDir(), watcher}
	w1, w2, w3 := w.start("w1"), w.start("w2"), w.start("w3")
	w.share("w1", "w2", "w3")

	w2.Process.Kill()
	w2.Wait()
	w.share("w1", "w3")

	w1.Process.Signal(syscall.SIGTERM)
	if err := w1.Wait(); err != nil {
		t.Errorf("told to stop, it ends with %v", err)
	}
	w.share("w3")

	w1 = w.start("w1") // as if it had never been away
	w.share("w1", "w3")
	for _, p := range []*exec.Cmd{w1, w3} {
		p.Process.Signal(syscall.SIGTERM)
		if err := p.Wait(); err != nil {
			t.Error(err)
		}
	}
}

type workers struct {
	testing.TB
	data    string
	watcher *native.Node
}

func (w *workers) start(name string) *exec.Cmd {
	w.Helper()
	cmd := exec.CommandContext(w.Context(), os.Args[0], "-name", name, "-listen", "127.0.0.1:0", "-join", w.watcher.Addr(), "-data", w.data)
	cmd.Env = append(os.Environ(), "JOBS_WORKER=1")
	cmd.Stdout, cmd.Stderr = w.Output(), w.Output()
	if err := cmd.Start(); err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	return cmd
}

// share waits until some workers do all jobs, each by one of them, and nobody else does any.
func (w *workers) share(names ...string) {
	w.Helper()
	deadline := time.Now().Add(patience)
	for {
		answers, err := w.watcher.Ask(w.Context(), "doing", nil)
		if err != nil {
			w.Fatal(err)
		}
		var done, who []string
		for a := range answers.All() {
			who = append(who, a.From)
			done = append(done, strings.Fields(string(a.Payload))...)
		}
		slices.Sort(done)
		slices.Sort(who)
		if slices.Equal(done, jobs) && slices.Equal(who, names) {
			return
		}
		if time.Now().After(deadline) {
			w.Fatalf("%q do %q", who, done)
		}
	}
}
