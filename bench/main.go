// Command bench measures NanoRing against hashicorp/memberlist and
// hashicorp/serf: all nodes of a ring in one process, on loopback, each system
// with its defaults. It is a module of its own so that nobody who uses NanoRing
// gets the others with it. It needs a Unix: it stops and kills processes.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// A ring whose engines run in the sandbox has at most so many nodes, and is
// compared with a ring of memberlist's of the same size.
const (
	sandboxed    = "wasm"
	maxSandboxed = 16
)

func main() {
	child()
	var b bench
	n := flag.Int("n", 64, "nodes of a ring")
	only := flag.String("only", "", "measurements, with commas between: "+names(measurements, func(m measurement) string { return m.name })+" (default all)")
	which := flag.String("systems", "", "systems, with commas between: "+names(systems, func(s system) string { return s.name })+" (default all; wasm has 16 nodes at most, and is compared with a memberlist of as many)")
	output := flag.String("o", "table", "table or json")
	flag.IntVar(&b.Reps, "reps", 30, "repetitions of what is quick; silent deaths are nine at most, the rest three")
	flag.DurationVar(&b.Bound, "bound", 2*time.Minute, "what takes longer is given up, and shown as that")
	flag.DurationVar(&b.Idle, "idle", time.Minute, "how long an idle ring is watched")
	flag.DurationVar(&b.Slow, "slow", 3*time.Minute, "how long a slow node is watched")
	flag.DurationVar(&b.Starve, "starve", time.Minute, "how long the cores are kept busy")
	flag.IntVar(&b.Burners, "burners", 8*runtime.NumCPU(), "processes that keep them busy")
	secret := flag.Bool("secret", false, "encrypt: NanoRing by TLS, the others by a keyring")
	flag.StringVar(&b.Dir, "dir", inMemory(), "where nodes keep their files; by default in memory, if that can be: no nodes of a real ring share a disk")
	flag.StringVar(&b.cpuProfile, "cpuprofile", "", "write a profile of each round to this file, with .MEASUREMENT.SYSTEM.NODES.NUMBER appended")
	flag.StringVar(&b.MemProfile, "memprofile", "", "write the heap's profile of each idle ring to this file, with .SYSTEM.NODES appended")
	flag.Parse()
	groups, err := groupsOf(*which, *n)
	chosen, err2 := choose(*only, measurements, measurementOf)
	switch err := errors.Join(err, err2); {
	case err != nil:
		usage(err)
	case flag.NArg() > 0:
		usage(fmt.Errorf("what is %q?", flag.Arg(0)))
	case *output != "table" && *output != "json":
		usage(fmt.Errorf("-o is table or json, not %q", *output))
	case *n < 3 || b.Reps < 1:
		usage(errors.New("it takes three nodes (-n) and one repetition (-reps) at least"))
	}
	if *secret {
		lock()
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	fmt.Fprintf(os.Stderr, "This takes about %v.\n", b.estimate(groups, chosen).Round(time.Minute/2))
	r, err := b.all(ctx, groups, chosen)
	if err != nil {
		fail(err)
	}
	if *output == "json" {
		err = r.json(os.Stdout)
	} else {
		err = r.table(os.Stdout)
	}
	if err != nil {
		fail(err)
	}
}

// inMemory returns a folder in memory, or that for temporary files.
func inMemory() string {
	const shm = "/dev/shm"
	if info, err := os.Stat(shm); err == nil && info.IsDir() {
		return shm
	}
	return os.TempDir()
}

// all runs everything, in a temporary folder.
func (b *bench) all(ctx context.Context, groups []group, chosen []measurement) (_ *result, err error) {
	if b.Dir, err = os.MkdirTemp(b.Dir, "nanoring-bench-"); err != nil {
		return nil, err
	}
	defer os.RemoveAll(b.Dir)
	r := &result{Cores: runtime.NumCPU(), Go: runtime.Version()}
	for _, g := range groups {
		got, err := b.run(ctx, g, chosen)
		if err != nil {
			return nil, err
		}
		r.Groups = append(r.Groups, sized{g.n, b.lines(g, got)})
	}
	return r, nil
}

// groupsOf says which rings to compare: wasm has a group of its own.
func groupsOf(list string, n int) ([]group, error) {
	chosen, err := choose(list, systems, systemOf)
	if err != nil {
		return nil, err
	}
	small := group{n: min(n, maxSandboxed)}
	large := group{n: n}
	for _, s := range chosen {
		if s.name != sandboxed {
			large.systems = append(large.systems, s)
		}
		if s.name == sandboxed || s.name == baseline {
			small.systems = append(small.systems, s)
		}
	}
	var groups []group
	if len(large.systems) > 0 {
		groups = append(groups, large)
	}
	if small.has(sandboxed) {
		groups = append(groups, small)
	}
	return groups, nil
}

// choose returns those that a list names, or all.
func choose[T any](list string, all []T, named func(string) (T, error)) ([]T, error) {
	if list == "" {
		return all, nil
	}
	var chosen []T
	for name := range strings.SplitSeq(list, ",") {
		x, err := named(name)
		if err != nil {
			return nil, err
		}
		chosen = append(chosen, x)
	}
	return chosen, nil
}

func names[T any](all []T, nameOf func(T) string) string {
	var s []string
	for _, x := range all {
		s = append(s, nameOf(x))
	}
	return strings.Join(s, ",")
}

func usage(err error) {
	fmt.Fprintf(os.Stderr, "bench: %v\n", err)
	flag.Usage()
	os.Exit(2)
}

func complain(format string, args ...any) { fmt.Fprintf(os.Stderr, "bench: "+format+"\n", args...) }

func fail(err error) {
	complain("%v", err)
	os.Exit(1)
}
