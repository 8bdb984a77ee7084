package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"time"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/sim"
	"github.com/nanoring/nanoring/host"
	"github.com/nanoring/nanoring/native"
	"github.com/spf13/cobra"
)

func simCommand(o *options) *cobra.Command {
	s := simulation{}
	cmd := &cobra.Command{
		Use:   "sim",
		Short: "Simulate a ring, to plan its size and pick its settings",
		Long: `Sim lives a ring of many nodes through what you plan for it, and prints how well
they agreed. The nodes are the code that 'nanoring node' runs; their clocks, disks
and network are simulated, in virtual time, so hours take minutes and nothing is
opened or written. The same seed and flags give the same output. It uses all cores,
and says on stderr how far it is, and about how long it will still take.

First the nodes join: each second as many as are there already, a thousand at
most, each at a moment of its own and through two random nodes that run. Then the
guests, through eight random gateways each. The ring stands when every durable
node shows all nodes up. From then on the times in flags count, and --for.

--kill       processes end, and their addresses refuse connections
--power-off  machines stop: nothing and nobody answers any more
--partition  nodes are cut from the others, with as many of the guests by
             proportion, until it heals
--return     so many of those that were killed, or lost their power, start again
             from their ring files, all at once; a share is one of all nodes
--readdress  nodes are killed and start again, all at once, each at another address,
             through two of the others
--clock      wall clocks are set, by less than 60 s
--starve     nodes run for 100 ms of each second, and stand still for the rest
--gateways   so many nodes have all the guests
--churn      so often a random node is stopped, or killed, in turn; it starts
             again from its ring file 1 to 9 seconds later
--loss       a frame is a segment of TCP: lost, it is sent again after 200 ms, lost
             again after twice that, and so on; what was sent behind it waits.
             A dial that is lost waits for a second
--latency    one way; every two nodes have their own between the two, and each
             frame takes up to a quarter more
--skew       each clock is off by up to so much, ahead or behind
--sample     so many of the nodes are lived, in a ring of all: 50 of 100,000.
             What they have to do with the others is played, see below
--wasm       so many of the nodes and guests, spread evenly, run the WebAssembly
             module in its sandbox, the others the native core. What is printed is
             the same, for the same seed; it takes some 3 MB and more time for each

What is printed of a change (a node joined, started again, stopped, was killed,
lost power, was cut off, is back):

FOUND        from a death or cut to the moment when the first node shows the lost
             one as suspect or down
SHOWN        from the change to the moment when the last node shows it: of the
             durable nodes that ran at its time, those that still run
ROUNDS       SHOWN in units of the period
P50 P99 MAX  of half of the changes, of 99 in 100, of the slowest
OVERTAKEN    changes of a node that its next change came before; not in SHOWN
OPEN         changes that not all nodes show at the end; not in SHOWN either

False suspicions and false deaths are those of a node that runs, by a node on its
side of every partition; those that all hear of count once. Traffic is what frames
carry, without the headers of WebSocket, TCP and IP (some 46 bytes a frame). State
is the ring file that one node would write at the end.

With --sample nine in ten of the lived nodes take over, from what was there,
in a ring that all know, and the others join it. Each is connected with some
twelve nodes that are not lived. Stand-ins speak for those: they have a hello,
rounds with the right fingerprint, rumors, digests, probes and answers to
syncs, and hear of each change when it gets to them over a random graph of all
nodes, with their latencies and by the rules of rumors. Who is killed may be
any node; who of the rest finds that out is played as well. Stand-ins begin no
syncs, open no other connections but for one that was killed, lose no frames,
and compute in no time. What is printed is of the lived nodes alone; SHOWN is
until all of those show it. Only --kill can be planned, of a tenth of the
nodes at most.

At last stand the flags that make these nodes of 'nanoring node'. With --recommend
the plan is lived several times, to find the shortest --patience with which no node
that lives is suspected; what is printed is how the ring did with that.`,
		Example: `  nanoring sim --nodes 1000 --latency 1ms-40ms --kill 30%@20s --for 1m
  nanoring sim --nodes 200 --guests 50 --loss 2% --churn 5/s --skew 2s --seed 7 --svg ring.svg
  nanoring sim --nodes 100 --latency 80ms-300ms --loss 1% --recommend
  nanoring sim --nodes 1000 --kill 33%@10s --return 17%@30s --clock 2%@5s+50s
  nanoring sim --nodes 100000 --sample 50 --latency 1ms-40ms --kill 20@5s --for 30s
  nanoring sim --nodes 300 --partition 50%@10s+60s --patience 8s -o json`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.output == "names" {
				return usage(cmd, errors.New("sim has no output names: there are table, json"))
			}
			if err := s.complete(o); err != nil {
				return usage(cmd, o.explain(err))
			}
			return s.run(stdout(cmd), stderr(cmd), o.output)
		},
	}
	s.flags(cmd)
	return cmd
}

// simulation is a plan as the command line has it.
type simulation struct {
	plan sim.Plan
	acts []simAct
	wasm someNodes // run the module
	svg  string

	times     timeFlags
	inForce   native.Times
	recommend bool
}

func (s *simulation) flags(cmd *cobra.Command) {
	p, flags := &s.plan, cmd.Flags()
	times := func(name string, v *int64, value, help string) {
		f := &parsed{kind: "time", set: func(s string) (err error) { *v, err = parseTime(s); return err }}
		f.Set(value)
		f.text = value
		flags.Var(&once{f}, name, help)
	}
	acts := func(name string, kind sim.ActKind, form, help string) {
		flags.Var(&parsed{kind: form, set: func(text string) error {
			a, err := parseAct(kind, text)
			a.flag, a.text = "--"+name, text
			s.acts = append(s.acts, a)
			return err
		}}, name, help+"; may be given again")
	}
	flags.IntVar(&p.Nodes, "nodes", 100, "how many durable nodes")
	flags.IntVar(&p.Sample, "sample", 0, "live so many of the nodes, with stand-ins for the others (default all)")
	flags.IntVar(&p.Guests, "guests", 0, "how many guests, as tabs are")
	flags.IntVar(&p.Gateways, "gateways", 0, "have all guests join through the first so many nodes")
	p.LatencyMin, p.LatencyMax = core.Millisecond, 20*core.Millisecond
	flags.Var(&once{&parsed{text: "1ms-20ms", kind: "least-most", set: func(s string) (err error) {
		p.LatencyMin, p.LatencyMax, err = parseLatency(s)
		return err
	}}}, "latency", "of a frame, one way")
	flags.Var(&once{&parsed{text: "0%", kind: "share", set: func(s string) error {
		share, err := parseShare(s)
		p.Loss = int(share * 1e6)
		return err
	}}}, "loss", "of frames, which TCP sends again")
	acts("kill", sim.Kill, "who@when", "kill processes: a number of nodes, or a share")
	acts("power-off", sim.PowerOff, "who@when", "stop machines, likewise")
	acts("partition", sim.Cut, "who@when+long", "cut nodes from the others, likewise, until it heals")
	acts("return", sim.Return, "who@when", "start so many of the dead again, at once")
	acts("readdress", sim.Readdress, "who@when", "start nodes again at other addresses, at once")
	acts("clock", sim.Clock, "who@when+far", "set clocks forward, or back: who@when-far")
	acts("starve", sim.Starve, "who@when", "from then on leave nodes a tenth of each second")
	flags.Var(&once{&parsed{text: "0/s", kind: "rate", set: func(s string) (err error) {
		p.ChurnEvery, err = parseRate(s)
		return err
	}}}, "churn", "restarts of random nodes")
	times("skew", &p.Skew, "0s", "how far clocks are off")
	s.times.register(flags)
	markFile(flags, timeNames...)
	flags.BoolVar(&s.recommend, "recommend", false, "find the shortest --patience with which no node that lives is suspected")
	flags.Uint64Var(&p.Seed, "seed", 1, "of all that is random")
	times("for", &p.For, "1m", "how long to watch the ring once it stands")
	flags.Var(&once{&parsed{kind: "who", set: func(text string) (err error) {
		s.wasm, err = parseNodes(text)
		return err
	}}}, "wasm", "run so many nodes on the WebAssembly module: a number, or a share")
	flags.StringVar(&s.svg, "svg", "", "a file for a picture of the agreement over time")
	cmd.MarkFlagFilename("svg", "svg")
}

// once is a flag of which only the last value counts.
type once struct{ *parsed }

func (o *once) Set(s string) error {
	if err := o.set(s); err != nil {
		return err
	}
	o.text = s
	return nil
}

// complete makes the plan of the flags, and says what of it cannot be meant.
func (s *simulation) complete(o *options) (err error) {
	if s.inForce, err = s.times.complete(o); err != nil {
		return err
	}
	s.use(s.inForce)
	if s.recommend && (o.given("patience") || o.given("profile")) {
		return errors.New("--recommend finds the patience: leave out what says it, --patience or --profile")
	}
	for _, a := range s.acts {
		a.Nodes = a.nodes.of(s.plan.Nodes)
		s.plan.Acts = append(s.plan.Acts, a.Act)
	}
	s.plan.Others, s.plan.Other = s.wasm.of(s.plan.Nodes+s.plan.Guests), inSandbox
	return s.plan.Validate()
}

func (s *simulation) run(out, progress printer, output string) error {
	var picture *os.File
	if s.svg != "" { // before the work, which may take minutes
		f, err := os.Create(s.svg)
		if err != nil {
			return fmt.Errorf("cannot write --svg: %w", err)
		}
		defer f.Close()
		picture = f
	}
	if s.plan.Others > 0 { // one that stays, so that the module stays compiled
		stays, err := inSandbox(core.Config{Ring: "sim", Name: "sim"})
		if err != nil {
			return fmt.Errorf("cannot run nodes with --wasm: %w", err)
		}
		defer stays.Close()
	}
	var done func()
	s.plan.Progress, done = showProgress(progress, s.lived(), s.plan.Sample > 0)
	// Engines keep nearly all that they make: collecting often finds little.
	debug.SetGCPercent(400)
	debug.SetMemoryLimit(10 << 30)
	r, tried, err := s.live()
	done()
	if err != nil {
		return fmt.Errorf("the simulation broke down: %w", err)
	}
	if picture != nil {
		if err := drawSim(picture, s, r); err != nil {
			return fmt.Errorf("cannot write --svg: %w", err)
		}
		if err := picture.Close(); err != nil {
			return fmt.Errorf("cannot write --svg: %w", err)
		}
	}
	if output == "json" {
		return out.value(s.json(r))
	}
	if err := printTried(out, tried); err != nil {
		return err
	}
	return s.table(out, r)
}

// lived is how many nodes and guests are started.
func (s *simulation) lived() int {
	if s.plan.Sample > 0 {
		return s.plan.Sample
	}
	return s.plan.Nodes + s.plan.Guests
}

// inSandbox makes a simulated node's engine in WebAssembly. Nobody waits for one that
// computes for long: a machine that has no time for it is no reason to give up.
func inSandbox(cfg core.Config) (core.Engine, error) {
	e, err := host.New(context.Background(), host.Config{Node: cfg, Deadline: time.Minute})
	if err != nil {
		return nil, err
	}
	return e, nil
}
