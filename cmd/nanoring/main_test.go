package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nanoring/nanoring"
	"github.com/rogpeppe/go-internal/testscript"
)

// patience is how long a test waits for what has to come. None waits for what
// must not come.
const patience = 60 * time.Second

// The race detector lets a process sleep for a second before it exits.
const noExitSleep = "atexit_sleep_ms=0"

// watchedEnv has flags of go build, as -race. With them the command nanoring is built of its own: then
// what the tests start is watched, and what drives browsers is not, which would take twice the time.
const watchedEnv = "NANORING_WATCHED"

// TestMain makes the command nanoring of this test binary, unless it is to be built.
func TestMain(m *testing.M) {
	flag.Set("test.parallel", "8") // the tests wait more than they work
	os.Setenv("GORACE", noExitSleep)
	testscript.Main(watched{m}, map[string]func(){"nanoring": main})
}

type watched struct{ *testing.M }

func (w watched) Run() int {
	if flags := strings.Fields(os.Getenv(watchedEnv)); len(flags) > 0 {
		nanoring, err := exec.LookPath("nanoring")
		if err == nil {
			err = os.Remove(nanoring)
		}
		if err == nil {
			err = build(nanoring, flags...)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	return w.M.Run()
}

func build(to string, flags ...string) error {
	args := append(append([]string{"build"}, flags...), "-o", to, ".")
	if out, err := exec.Command("go", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("go %s: %w: %s", strings.Join(args, " "), err, out)
	}
	return nil
}

func TestScripts(t *testing.T) {
	runScripts(t, "", "*")
}

// TestScriptsInSandbox tells the stories, and what else a node's engine matters
// for, of nodes whose engine is WebAssembly.
func TestScriptsInSandbox(t *testing.T) {
	runScripts(t, "wasm", "story*", "ring", "killed", "frozen", "leave", "removed*", "stop", "secret", "messages")
}

// runScripts runs scripts. The race detector may watch the nodes that they start, but in the
// sandbox; the commands that they run again and again it does not.
func runScripts(t *testing.T, engine string, names ...string) {
	t.Parallel()
	var files []string
	for _, name := range names {
		found, err := filepath.Glob(filepath.Join("testdata", "script", name+".txtar"))
		if err != nil || len(found) == 0 {
			t.Fatalf("no scripts %s: %v", name, err)
		}
		files = append(files, found...)
	}
	testscript.Run(t, testscript.Params{
		Files: files,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":   cmdExits,
			"start":   cmdStart,
			"signal":  cmdSignal,
			"ended":   cmdEnded,
			"waitfor": cmdWaitfor,
			"ports":   cmdPorts,
			"damage":  cmdDamage,
			"clock":   cmdClock,
		},
		Setup: func(e *testscript.Env) error {
			dir, err := unwatched()
			if err != nil {
				return err
			}
			ns := &nodes{dir: e.WorkDir, engine: engine, byName: make(map[string]*process), clocks: make(map[string]*clocked)}
			if engine != "" {
				ns.path = filepath.Join(dir, "nanoring")
			}
			e.Values[nodesKey{}] = ns
			e.Setenv("PATH", dir+string(filepath.ListSeparator)+e.Getenv("PATH"))
			e.Setenv("GORACE", noExitSleep)
			e.Setenv("VERSION", nanoring.Version)
			return nil
		},
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
	})
}

type nodesKey struct{}

// cmdExits runs a command that has to end with a status: exits STATUS COMMAND...
func cmdExits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits STATUS COMMAND...")
	}
	got := 0
	var exit *exec.ExitError
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if want, err := strconv.Atoi(args[0]); err != nil || got != want {
		ts.Fatalf("it ended with status %d", got)
	}
}

// cmdStart starts a node in the background, and waits until it answers:
// start NAME [FLAG]... Its data folder is NAME, its address becomes $NAME, and
// is the same when it is started again.
func cmdStart(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: start NAME [FLAG]...")
	}
	ns := ts.Value(nodesKey{}).(*nodes)
	p, err := ns.start(args[0], ts.Getenv(args[0]), args[1:]...)
	if p != nil {
		ts.Defer(p.kill)
	}
	ts.Check(err)
	ts.Setenv(args[0], p.addr)
}

// cmdSignal sends a node a signal: signal SIGNAL NAME.
func cmdSignal(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: signal SIGNAL NAME")
	}
	sig, ok := signals[args[0]]
	if !ok {
		ts.Fatalf("no signal %s", args[0])
	}
	ts.Check(ts.Value(nodesKey{}).(*nodes).byName[args[1]].cmd.Process.Signal(sig))
}

// cmdEnded waits until a node has ended, which has to be with the status. What
// it has printed is the standard output: ended NAME STATUS.
func cmdEnded(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: ended NAME STATUS")
	}
	p := ts.Value(nodesKey{}).(*nodes).byName[args[0]]
	status, err := p.wait()
	ts.Check(err)
	ts.Stdout().Write([]byte(p.printed()))
	if strconv.Itoa(status) != args[1] {
		ts.Fatalf("%s ended with status %d:\n%s", args[0], status, p.printed())
	}
}

// cmdWaitfor runs a command again and again until its output matches:
// waitfor REGEXP COMMAND...
func cmdWaitfor(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: waitfor REGEXP COMMAND...")
	}
	want, err := regexp.Compile(`(?m)` + args[0])
	ts.Check(err)
	ns := ts.Value(nodesKey{}).(*nodes)
	command := args[1]
	if command == "nanoring" {
		dir, err := unwatched()
		ts.Check(err)
		command = filepath.Join(dir, command)
	}
	pause := 20 * time.Millisecond
	for deadline := time.Now().Add(patience); ; time.Sleep(pause) {
		pause = min(2*pause, time.Second/2)
		cmd := exec.Command(command, args[2:]...)
		cmd.Dir = ns.dir
		out, err := cmd.Output()
		if err == nil && want.Match(out) {
			ts.Stdout().Write(out)
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("%s did not print %s, but (%v):\n%s", strings.Join(args[1:], " "), args[0], err, out)
		}
	}
}

// unwatched is a folder with a nanoring that no race detector watches: it starts in a
// fifth of the time. It goes when the tests end.
var unwatched = sync.OnceValues(func() (string, error) {
	nanoring, err := exec.LookPath("nanoring")
	if err != nil {
		return "", err
	}
	dir := filepath.Join(filepath.Dir(nanoring), "unwatched")
	return dir, build(filepath.Join(dir, "nanoring"))
})

// cmdPorts finds ports in a row that are free: ports VARIABLE COUNT sets the
// variable to the first.
func cmdPorts(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: ports VARIABLE COUNT")
	}
	count, err := strconv.Atoi(args[1])
	ts.Check(err)
	first, err := freePorts(count)
	ts.Check(err)
	ts.Setenv(args[0], strconv.Itoa(first))
}

// cmdDamage copies a file and turns one bit in its middle: damage FROM TO.
func cmdDamage(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: damage FROM TO")
	}
	b := []byte(ts.ReadFile(args[0]))
	b[len(b)/2] ^= 1
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), b, 0o600))
}
