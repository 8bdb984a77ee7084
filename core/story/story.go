// Package story plays stories about rings, those of core/testdata, in the
// simulator: what is done stands in a file, and what has to come of it. It is for
// tests, of every implementation of core.Engine.
package story

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/sim"
	"github.com/nanoring/nanoring/core/wire"
)

// Play plays the stories of a folder, *.txt, each as a subtest, on nodes whose
// engines newEngine makes; nil is core.New. With -rewrite it records what happens.
func Play(t *testing.T, dir string, newEngine func(core.Config) (core.Engine, error)) {
	files, err := filepath.Glob(filepath.Join(dir, "*.txt"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenarios in %s: %v", dir, err)
	}
	if newEngine == nil {
		newEngine = func(cfg core.Config) (core.Engine, error) { return core.New(cfg) }
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			t.Parallel()
			s := newScenario(t, newEngine)
			defer s.w.Close()
			datadriven.RunTest(t, file, s.play)
			if err := s.w.Err(); err != nil {
				t.Error(err)
			}
		})
	}
}

// scenario is one story: its world, and what was heard since the last line.
type scenario struct {
	t     *testing.T
	w     *sim.World
	new   func(core.Config) (core.Engine, error)
	said  []saying
	shown map[*sim.Machine]map[string]core.Node
	lines []string          // of the trace, while it is asked for
	does  map[string]string // what a bad peer does, by its node's name

	letters map[wire.RingID]string // ids of rings
}

// saying is one thing that happened, and the nodes that say so.
type saying struct {
	what string
	by   []string
}

func newScenario(t *testing.T, newEngine func(core.Config) (core.Engine, error)) *scenario {
	s := &scenario{t: t, new: newEngine, shown: make(map[*sim.Machine]map[string]core.Node), does: make(map[string]string), letters: make(map[wire.RingID]string)}
	s.w = sim.New(sim.Config{Seed: 1, New: s.engine})
	s.w.OnEvent(s.event)
	s.w.OnHalt(func(m *sim.Machine, why core.Reason, text string) {
		s.say("", m.Name()+" halts: "+why.String()+colon(text))
		delete(s.shown, m)
	})
	return s
}

// engine makes an engine, of a bad peer where the story wants one.
func (s *scenario) engine(cfg core.Config) (core.Engine, error) {
	e, err := s.new(cfg)
	if err != nil {
		return nil, err
	}
	if does := s.does[cfg.Name]; does != "" {
		return &bad{Engine: e, name: cfg.Name, does: does, heard: make(map[string]wire.Record)}, nil
	}
	return e, nil
}

// play carries out one line of a story, gives it a second where it is an
// action, and returns what was heard.
func (s *scenario) play(t *testing.T, d *datadriven.TestData) string {
	a := args{d: d}
	for _, arg := range d.CmdArgs {
		if len(arg.Vals) == 0 {
			a.words = append(a.words, arg.Key)
		}
	}
	s.said, s.lines = nil, nil
	if word := a.value("trace"); word != "" {
		s.w.OnTrace(func(line string) { s.lines = append(s.lines, line) })
		defer func() { s.w.OnTrace(nil) }()
	}
	frames, bytes := s.w.Sent()
	switch d.Cmd {
	case "all", "up":
		return s.views(a.words, d.Cmd == "up")
	case "file":
		return s.file(s.machine(a.word(0)))
	case "ids":
		return s.ids(a.words)
	case "records":
		return s.records(s.machine(a.word(0)))
	case "where":
		return s.where(a.word(0))
	case "settle":
		return s.settle(a.duration("within", time.Minute))
	case "wait":
		s.w.Run(micros(d, a.word(0)))
	case "ring":
		s.ring(a)
		return s.settle(a.duration("within", time.Minute))
	default:
		if act, ok := acts[d.Cmd]; ok {
			act(s, a)
		} else {
			d.Fatalf(t, "no such line: %s", d.Cmd)
		}
		s.w.Run(core.Second)
	}
	return s.heard() + s.traced(a.value("trace")) + s.traffic(a, frames, bytes)
}

// acts are the lines that change something.
var acts = map[string]func(*scenario, args){
	"node":     func(s *scenario, a args) { s.make(a.word(0), a).start(s, a) },
	"tab":      func(s *scenario, a args) { s.make(a.word(0), a).start(s, a) },
	"start":    func(s *scenario, a args) { machine{s.machine(a.word(0))}.start(s, a) },
	"crash":    func(s *scenario, a args) { each(s, a, (*sim.Machine).Crash) },
	"poweroff": func(s *scenario, a args) { each(s, a, (*sim.Machine).PowerOff) },
	"reload":   func(s *scenario, a args) { s.reload(a) },
	"close":    func(s *scenario, a args) { each(s, a, (*sim.Machine).GoAway) },
	"stop":     func(s *scenario, a args) { each(s, a, (*sim.Machine).Stop) },
	"pause":    func(s *scenario, a args) { each(s, a, (*sim.Machine).Pause) },
	"resume":   func(s *scenario, a args) { each(s, a, (*sim.Machine).Resume) },
	"unlearn":  func(s *scenario, a args) { each(s, a, s.unlearn) },
	"halve":    func(s *scenario, a args) { each(s, a, (*sim.Machine).HalveFile) },
	"lose":     func(s *scenario, a args) { each(s, a, (*sim.Machine).LoseDisk) },
	"move":     func(s *scenario, a args) { s.machine(a.word(0)).Move(a.word(1)) },
	"clock":    func(s *scenario, a args) { s.machine(a.word(0)).StepClock(micros(a.d, a.word(1))) },
	"heal":     func(s *scenario, a args) { s.w.Heal() },
	"reset":    func(s *scenario, a args) { s.w.ResetAll(s.machine(a.word(0)), s.machine(a.word(1))) },
	"forget":   func(s *scenario, a args) { s.forget(a) },
	"cutlink":  func(s *scenario, a args) { s.w.CutLink(s.machine(a.word(0)), s.machine(a.word(1))) },
	"cut":      func(s *scenario, a args) { s.cut(a) },
	"refuse":   func(s *scenario, a args) { s.w.Refuse(s.machine(a.word(0)), s.machine(a.word(1))) },
	"deafen":   func(s *scenario, a args) { each(s, a, (*sim.Machine).Deafen) },
	"members":  func(s *scenario, a args) { s.members(s.machine(a.word(0)), a.word(1)) },
	"add": func(s *scenario, a args) {
		c := core.Command{Op: core.Add, Addr: a.value("at")}
		if len(a.words) > 1 {
			c.Name = a.word(1)
			if c.Addr == "" {
				c.Addr = c.Name + ":7946"
			}
		}
		s.command(a.word(0), c)
	},
	"del":      func(s *scenario, a args) { s.command(a.word(0), core.Command{Op: core.Del, Name: a.word(1)}) },
	"leave":    func(s *scenario, a args) { s.command(a.word(0), core.Command{Op: core.Leave}) },
	"cordon":   func(s *scenario, a args) { s.command(a.word(0), core.Command{Op: core.Cordon, Name: a.word(1)}) },
	"uncordon": func(s *scenario, a args) { s.command(a.word(0), core.Command{Op: core.Uncordon, Name: a.word(1)}) },
	"drain":    func(s *scenario, a args) { s.drain(s.machine(a.word(0)), a.duration("within", time.Minute)) },

	"hear": func(s *scenario, a args) {
		hear := core.Subscription{Messages: a.words[1:]}
		if questions := a.value("answers"); questions != "" {
			hear.Questions = []string{questions}
		}
		s.command(a.word(0), core.Command{Op: core.Hear, Hear: hear})
	},
	"send": func(s *scenario, a args) {
		s.command(a.word(0), core.Command{Op: core.SendMessage, Topic: a.word(1), Payload: a.word(2), Filter: a.filter()})
	},
	"tell": func(s *scenario, a args) {
		s.command(a.word(0), core.Command{Op: core.Tell, Name: a.word(1), Topic: a.word(2), Payload: a.word(3)})
	},
	"ask": func(s *scenario, a args) {
		s.command(a.word(0), core.Command{Op: core.Ask, Topic: a.word(1), Filter: a.filter()})
	},
}

// filter is what name=PATTERN makes of it.
func (a args) filter() core.Filter {
	f, err := core.ParseFilter(nil, "", a.value("name"))
	if err != nil {
		panic(err)
	}
	return f
}

func each(s *scenario, a args, do func(*sim.Machine)) {
	for _, name := range a.words {
		do(s.machine(name))
	}
}

func (s *scenario) machine(name string) *sim.Machine {
	if m := s.w.Machine(name); m != nil {
		return m
	}
	s.t.Fatalf("the story knows no %q", name)
	return nil
}

// ring starts machines that make a ring: the others join the first.
func (s *scenario) ring(a args) {
	for i, name := range a.words {
		m := s.make(name, a)
		if i == 0 {
			m.start(s, args{d: a.d})
		} else {
			m.start(s, a, s.machine(a.words[0]).Addr())
		}
	}
}

type machine struct{ *sim.Machine }

func (s *scenario) make(name string, a args) machine {
	o := sim.Options{Node: a.value("as"), Ring: a.value("ring"), Guest: a.d.Cmd == "tab", DialOnly: a.d.HasArg("dial-only")}
	if clock := a.value("clock"); clock != "" {
		o.Clock = micros(a.d, clock)
	}
	if reap := a.value("reap-after"); reap != "" {
		o.Tune = func(c *core.Config) { c.ReapAfter = micros(a.d, reap) }
	}
	m := machine{s.w.Add(name, o)}
	if does := a.value("does"); does != "" {
		if habits[does] == nil {
			a.d.Fatalf(s.t, "no peer does that: %s", does)
		}
		s.does[m.Node()] = does
	}
	return m
}

func (m machine) start(s *scenario, a args, join ...string) {
	for _, name := range strings.FieldsFunc(a.value("join")+a.value("gateways"), func(r rune) bool { return r == ',' }) {
		join = append(join, s.machine(name).Addr())
	}
	delete(s.shown, m.Machine)
	start := m.Start
	if a.d.HasArg("rejoin") {
		start = m.Rejoin
	}
	if err := start(join...); err != nil {
		s.say("", m.Name()+" does not start: "+err.Error())
	}
}

func (s *scenario) reload(a args) {
	m := s.machine(a.word(0))
	m.GoAway()
	machine{m}.start(s, a)
}

func (s *scenario) cut(a args) {
	groups := [][]*sim.Machine{nil}
	for _, word := range a.words {
		if word == "|" {
			groups = append(groups, nil)
		} else {
			groups[len(groups)-1] = append(groups[len(groups)-1], s.machine(word))
		}
	}
	s.w.Partition(groups...)
}

// forget has all connections between two machines forgotten, or all that there are.
func (s *scenario) forget(a args) {
	if len(a.words) == 0 {
		s.w.ForgetAll()
	} else {
		s.w.Forget(s.machine(a.word(0)), s.machine(a.word(1)))
	}
}

// command gives a command and waits for its answer, like the command line.
func (s *scenario) command(at string, c core.Command) {
	id := s.machine(at).Do(c)
	got := func() sim.Command { return s.w.Command(id) }
	s.w.RunUntil(30*core.Second, func() bool { return got().Acked || got().Done && got().Code != 0 })
	switch {
	case !got().Done:
		s.say("", at+" does not answer")
	case got().Code != 0:
		s.say("", at+" says no: "+got().Code.String()+", "+got().Text)
	case got().Acked && c.Op != core.Leave && c.Op < core.SendMessage: // of what is said there is nothing on a disk
		s.say("", at+": done, and on the disk")
	}
}

// drain has a node drain and stop.
func (s *scenario) drain(m *sim.Machine, within time.Duration) {
	if !m.Drain(within.Microseconds()) {
		s.say("", "guests of "+m.Name()+" are left")
	}
}

// members adds n members that never run.
func (s *scenario) members(m *sim.Machine, n string) {
	count, err := strconv.Atoi(n)
	if err != nil {
		s.t.Fatal(err)
	}
	var last uint64
	for i := range count {
		name := fmt.Sprintf("%s-%04d", m.Name(), i)
		last = m.Do(core.Command{Op: core.Add, Name: name, Addr: name + ":7946"})
	}
	s.w.RunUntil(core.Minute, func() bool { return s.w.Command(last).Acked })
}

// settle waits until all is as it must be, and says about how long it took.
func (s *scenario) settle(within time.Duration) string {
	from := s.w.Now()
	if err := s.w.Settle(within.Microseconds()); err != nil {
		return s.heard() + "NOT WELL:\n" + err.Error() + "\n"
	}
	s.w.Settled()
	took := s.w.Now() - from
	for _, step := range []int64{1, 2, 5, 10, 20, 30, 60, 120, 300} {
		if took <= step*core.Second {
			return s.heard() + fmt.Sprintf("all agree, within %v\n", time.Duration(step)*time.Second)
		}
	}
	return s.heard() + "all agree\n"
}

// args are the arguments of a line: words, and key=value.
type args struct {
	d     *datadriven.TestData
	words []string
}

func (a args) word(i int) string {
	if i >= len(a.words) {
		return ""
	}
	return a.words[i]
}

func (a args) value(key string) string {
	i := slices.IndexFunc(a.d.CmdArgs, func(arg datadriven.CmdArg) bool { return arg.Key == key })
	if i < 0 || len(a.d.CmdArgs[i].Vals) == 0 {
		return ""
	}
	return strings.Join(a.d.CmdArgs[i].Vals, ",")
}

func (a args) duration(key string, otherwise time.Duration) time.Duration {
	if v := a.value(key); v != "" {
		return time.Duration(micros(a.d, v)) * time.Microsecond
	}
	return otherwise
}

// micros reads a duration: 5s, -1h, 25h, 7d.
func micros(d *datadriven.TestData, text string) int64 {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.Atoi(days); err == nil {
			return int64(n) * core.Day
		}
	}
	v, err := time.ParseDuration(text)
	if err != nil {
		panic(fmt.Sprintf("%s: %v", d.Pos, err))
	}
	return v.Microseconds()
}
