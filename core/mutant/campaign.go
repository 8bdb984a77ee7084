package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// trial is a test binary that a mutant has to get past, the fast ones first.
type trial struct {
	pkg  string
	args []string
}

// heavy are tests that take half a second and more.
const heavy = "^(TestWorkIsCharged|TestIdleFramesAreSmall|TestTwoReconcile|TestEndlessSync|TestGuestsAreNotOnDisk|TestAsserterRates|TestHeapOfARingOf1000|TestOwnersShare|TestGuestFloods|TestSilentConnections|TestOperationsLeaveNothing|TestSyncFrameCostsWhatItAnswers|TestFreshNodeMeetsTenThousand|TestStrangers|TestOwedIsBounded|TestTicksWalkNothing|TestStrayPresences|TestBadFrames|TestCollidingNames|TestFutureStamps|TestFlushIsBounded|FuzzStep)$"

// few is for tests of the simulator: a few schedules each, and none of those that
// live for long, or in a crowd.
const few = "^Test(Seeds|Determinism|Plan.*|GatewayOf500|NoFalseDeath|PartitionsHeal|MassDeath|NoMemberIsLost|IdleCost|Workers|Takeovers|HostileGuest)$"

var trials = []trial{
	{"./core", []string{"-test.failfast", "-test.skip=" + heavy}},
	{"./core", []string{"-test.failfast", "-test.run=" + heavy}},
	{"./core/sim", []string{"-test.failfast", "-test.run=^TestSeeds$", "-sim.seeds=20"}},
}

// longer is tried with -long only.
var longer = trial{"./core/sim", []string{"-test.failfast", "-test.skip=" + few, "-sim.schedules=3"}}

// campaign tries mutants.
type campaign struct {
	count, workers int
	seed           uint64
	glue, list     bool
	long, chosen   bool
	again          bool
	only, log      string
	patience       time.Duration

	shared string // the folder of binaries in which mutants are chosen
	mu     sync.Mutex
	tally  map[string]int
	known  map[string]bool
}

func (m *campaign) run(ctx context.Context) error {
	all, err := m.pick()
	if err != nil || m.list {
		for i := range all {
			fmt.Println(&all[i])
		}
		return err
	}
	m.tally, m.known = make(map[string]int), make(map[string]bool)
	if m.log != "" {
		m.recall()
	}
	if err := m.share(ctx, all); err != nil {
		return err
	}
	defer os.RemoveAll(m.shared)
	todo := make(chan *mutant)
	var wg sync.WaitGroup
	for range m.workers {
		wg.Go(func() {
			for one := range todo {
				m.judge(ctx, one)
			}
		})
	}
	for i := range all {
		if !m.known[all[i].String()] && ctx.Err() == nil && !(m.chosen && all[i].choice == "") {
			todo <- &all[i]
		}
	}
	close(todo)
	wg.Wait()
	killed := m.tally["killed"] + m.tally["late"]
	fmt.Printf("%d mutants: %d killed, %d of them by time; %d survived; %d did not compile and do not count\n",
		killed+m.tally["survived"], killed, m.tally["late"], m.tally["survived"], m.tally["broken"])
	return ctx.Err()
}

// pick returns as many mutants as are asked for, but those that are known to
// change nothing.
func (m *campaign) pick() ([]mutant, error) {
	equal, err := equivalents()
	if err != nil {
		return nil, err
	}
	files := owners
	if m.glue {
		files = append(files, glue...)
	}
	var all []mutant
	for _, name := range files {
		of, err := mutants(filepath.Join("core", name+".go"))
		if errors.Is(err, os.ErrNotExist) {
			continue
		} else if err != nil {
			return nil, err
		}
		for _, one := range of {
			if strings.Contains(one.String(), m.only) {
				all = append(all, one)
			}
		}
	}
	rand.New(rand.NewPCG(m.seed, 0)).Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	if m.count > 0 && m.count < len(all) {
		all = all[:m.count]
	}
	return slices.DeleteFunc(all, func(one mutant) bool {
		_, after := one.lines()
		return equal[one.file+" | "+after]
	}), nil
}

// judge tries one mutant and says what came of it.
func (m *campaign) judge(ctx context.Context, one *mutant) {
	verdict := m.try(ctx, one)
	if ctx.Err() != nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.tally[verdict]++
	text := verdict + " " + one.String() + "\n"
	fmt.Print(text)
	if m.log == "" {
		return
	}
	f, err := os.OpenFile(m.log, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = f.WriteString(text)
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutant:", err)
	}
}

// share builds what all mutants have in common that can be chosen.
func (m *campaign) share(ctx context.Context, all []mutant) error {
	dir, env, err := overlay(choosing(all))
	m.shared = dir
	for _, t := range trials {
		if err != nil {
			return err
		}
		if o := t.build(ctx, m.patience, dir, env); !o.ok {
			err = fmt.Errorf("the mutants of one binary do not compile together: %s", o.output)
		} else if o := t.run(ctx, m.patience, dir, env); !o.ok {
			err = fmt.Errorf("%s fails without a mutant: %s", t.pkg, o.output)
		}
	}
	return err
}

func (t *trial) binary(dir string) string {
	return filepath.Join(dir, strings.ReplaceAll(t.pkg[2:], "/", "-")+".test")
}

func (t *trial) build(ctx context.Context, patience time.Duration, dir string, env []string) outcome {
	if _, err := os.Stat(t.binary(dir)); err == nil {
		return outcome{ok: true}
	}
	return command(ctx, patience, "", env, "go", "test", "-c", "-ldflags=-s -w", "-o", t.binary(dir), t.pkg)
}

// bounds are of a trial: what is broken may go on for ever, and take all memory.
const bounds = `ulimit -t 120; ulimit -v 8388608; exec "$@"`

func (t *trial) run(ctx context.Context, patience time.Duration, dir string, env []string) outcome {
	return command(ctx, patience, t.pkg, env, append([]string{"sh", "-c", bounds, "sh", t.binary(dir)}, t.args...)...)
}

func (m *campaign) try(ctx context.Context, one *mutant) string {
	dir, env := m.shared, append(os.Environ(), "MUTANT="+one.id())
	if one.choice == "" {
		var err error
		dir, env, err = overlay(map[string][]byte{one.file: one.source()})
		defer os.RemoveAll(dir)
		if err != nil {
			return "broken"
		}
	}
	todo := trials
	if m.long {
		todo = append(todo[:len(todo):len(todo)], longer)
	}
	for _, t := range todo {
		if o := t.build(ctx, m.patience, dir, env); !o.ok {
			return "broken"
		}
		switch o := t.run(ctx, m.patience, dir, env); {
		case o.late:
			return "late"
		case !o.ok:
			return "killed"
		}
	}
	return "survived"
}

// recall reads the verdicts of an earlier run.
func (m *campaign) recall() {
	b, _ := os.ReadFile(m.log)
	lines := strings.Split(string(b), "\n")
	for i := 0; i+2 < len(lines); i++ {
		if verdict, where, ok := strings.Cut(lines[i], " "); ok && strings.HasPrefix(lines[i+1], "\t- ") && !(m.again && verdict == "survived") {
			m.tally[verdict]++
			m.known[where+"\n"+lines[i+1]+"\n"+lines[i+2]] = true
		}
	}
}

// equivalents reads which mutants change nothing that anybody could see: lines of
// FILE | THE LINE AS IT IS THEN | WHY.
func equivalents() (map[string]bool, error) {
	const file = "core/mutant/equivalent.txt"
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("run this where go.mod is: %w", err)
	}
	all := make(map[string]bool)
	for i, line := range strings.Split(strings.TrimSpace(string(b)), "\n") {
		if strings.HasPrefix(line, "#") {
			continue
		}
		at := strings.LastIndex(line, " | ")
		if at < 0 || !strings.Contains(line[:at], " | ") {
			return nil, fmt.Errorf("%s:%d: want FILE | LINE | WHY", file, i+1)
		}
		all[line[:at]] = true
	}
	return all, nil
}
