package sim

import (
	"errors"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// Options say what kind of machine to make. The zero value is a machine for a
// durable node of its own name.
type Options struct {
	Node     string             // its node's name; default the machine's
	Ring     string             // its ring's name; default "sim"
	Guest    bool               // it is a tab: no address, no disk, dials its gateways
	DialOnly bool               // it can dial out, but not be dialled
	Clock    int64              // microseconds that its wall clock is ahead
	Tune     func(*core.Config) // has the last word on its engine's configuration

	// Rogue makes its engine, of which nothing is expected: only what the others say
	// of each other is held against the truth. Default Config.New.
	Rogue func(core.Config) (core.Engine, error)
}

// Machine has a clock, a disk and an address, and runs one process or none.
type Machine struct {
	w     *World
	name  string
	index int
	opt   Options
	addr  string
	told  string // that its last process tells
	clock int64
	slide slide
	group int      // of a partition
	off   bool     // without power: its address does not answer
	deaf  bool     // its listener is closed
	ever  bool     // it was started
	join  []string // what its last process was told to join

	paused bool
	asleep bool
	since  int64 // it is asleep
	proc   *process
	disk   Disk
	halt   core.Reason // of the last process that halted
	text   string
}

// Add makes a machine. Its address is its name and port 7946.
func (w *World) Add(name string, o Options) *Machine {
	if o.Node == "" {
		o.Node = name
	}
	if o.Ring == "" {
		o.Ring = "sim"
	}
	m := &Machine{w: w, name: name, index: len(w.machines), opt: o, clock: o.Clock}
	w.machines = append(w.machines, m)
	w.byName[name] = m
	if !o.Guest && !o.DialOnly {
		m.Move(name + ":7946")
	}
	return m
}

// Name returns the machine's name; Node its node's.
func (m *Machine) Name() string { return m.name }

// Node returns the name of the machine's node.
func (m *Machine) Node() string { return m.opt.Node }

// Addr returns where the machine's node is dialled; empty if it cannot be.
func (m *Machine) Addr() string { return m.addr }

// Running tells whether a process runs, paused or not.
func (m *Machine) Running() bool { return m.proc != nil }

// Paused tells whether the process is stopped in its tracks.
func (m *Machine) Paused() bool { return m.paused }

// Halted returns why the last process halted by itself; 0 if it did not.
func (m *Machine) Halted() (core.Reason, string) { return m.halt, m.text }

// Disk returns the machine's disk.
func (m *Machine) Disk() *Disk { return &m.disk }

// Snapshot returns what the running engine holds, guests too.
func (m *Machine) Snapshot() ([]byte, error) {
	if m.proc == nil {
		return nil, errors.New("machine " + m.name + " runs no process")
	}
	return m.proc.eng.Handover()
}

// View returns what the running process shows of the ring; nil without one.
func (m *Machine) View() *core.View {
	if m.proc == nil {
		return nil
	}
	return &m.proc.view
}

// Instance returns the running process's instance.
func (m *Machine) Instance() wire.Instance {
	if m.proc == nil {
		return wire.Instance{}
	}
	return m.proc.instance
}

// Move gives the machine another address, for its next process.
func (m *Machine) Move(addr string) {
	m.rename(addr)
}

// Start starts a process from what is on the disk, as native does: from the
// generation before when the ring file is damaged, and not at all when the node
// was removed and has addresses to join.
func (m *Machine) Start(join ...string) error { return m.start(join, false) }

// Rejoin starts a process although its node was removed.
func (m *Machine) Rejoin(join ...string) error { return m.start(join, true) }

func (m *Machine) start(join []string, rejoin bool) error {
	if m.proc != nil {
		return errors.New("machine " + m.name + " runs a process already")
	}
	if m.disk.Removed && len(join) > 0 && !rejoin {
		return errors.New("node " + m.opt.Node + " was removed: start it with rejoin")
	}
	if !m.opt.Guest && !m.disk.usable() {
		return errors.New("the disk of machine " + m.name + " is " + m.disk.Fault.String())
	}
	w, engine := m.w, m.w.cfg.New
	if m.opt.Rogue != nil {
		engine = m.opt.Rogue
	}
	cfg := core.Config{
		Ring:      m.opt.Ring,
		Name:      m.opt.Node,
		Address:   m.addr,
		Instance:  wire.Instance{Start: m.Wall(), Nonce: w.rng.Uint64()},
		Seed:      w.rng.Uint64(),
		Ephemeral: m.opt.Guest,
		Join:      join,
		Rejoin:    rejoin,
		Snapshot:  m.disk.Ring,
	}
	if w.lean {
		cfg.Intern = w.intern
	}
	if m.opt.Tune != nil {
		m.opt.Tune(&cfg)
	}
	eng, err := engine(cfg)
	if err != nil && m.disk.Prev != nil {
		w.note(m, "its ring file is damaged (", err.Error(), "): the generation before is used")
		cfg.Snapshot = m.disk.Prev
		eng, err = engine(cfg)
	}
	if err != nil {
		return err
	}
	w.note(m, "starts")
	w.started(m, rejoin)
	m.off, m.paused, m.ever, m.join = false, false, true, join
	m.told = m.addr
	m.disk.Removed = false
	m.halt, m.text = 0, ""
	m.proc = newProcess(m, eng, cfg.Instance)
	w.release()
	m.proc.step(core.Input{Kind: core.Start})
	if m.proc != nil {
		w.talk.start(m.proc)
	}
	return nil
}

// Crash kills the process (kill -9): its ring file is as of the last finished
// write, and its kernel breaks its connections.
func (m *Machine) Crash() {
	if m.proc == nil {
		return
	}
	m.w.note(m, "crashes")
	m.end(0, false)
}

// PowerOff stops the whole machine at once: nothing and nobody answers at its address.
func (m *Machine) PowerOff() {
	if m.proc == nil {
		return
	}
	m.w.note(m, "loses its power")
	m.off = true
	m.end(0, true)
}

// GoAway ends the process as a page's reload does: its connections are closed
// in order, with 1001, and its engine is not asked.
func (m *Machine) GoAway() {
	if m.proc == nil {
		return
	}
	m.w.note(m, "goes away")
	m.end(wire.CodeGoingAway, false)
}

// end takes the process away and its connections down: closed with code, lost
// when that is 0, or without a word.
func (m *Machine) end(code wire.Code, silent bool) {
	p := m.proc
	m.proc, m.paused, m.asleep = nil, false, false
	p.dead = true
	m.w.dropAll(p, code, silent)
	if err := p.eng.Close(); err != nil {
		m.w.fail(m, err)
	}
	for _, e := range p.deferred { // the network's part of them is still to be done
		m.w.schedule(m.w.now, e)
	}
}

// Pause stops the process in its tracks (SIGSTOP); its kernel goes on.
func (m *Machine) Pause() {
	if m.proc != nil && !m.paused {
		m.w.note(m, "is paused")
		m.paused = true
	}
}

// Sleep suspends the whole machine, as a laptop's lid does: it does not answer,
// its processes do not run, and its monotonic clock stands still.
func (m *Machine) Sleep() {
	if m.proc != nil && !m.paused {
		m.w.note(m, "falls asleep")
		m.paused, m.asleep, m.off, m.since = true, true, true, m.w.now
	}
}

// Resume lets a paused process, or a machine asleep, go on with all that has
// come meanwhile.
func (m *Machine) Resume() {
	if !m.paused {
		return
	}
	m.w.note(m, "is resumed")
	m.paused = false
	p := m.proc
	if m.asleep {
		m.asleep, m.off = false, false
		slept := m.w.now - m.since
		p.origin += slept
		if p.wakeAt != 0 {
			p.wakeAt += slept
		}
		m.w.release()
	}
	for _, e := range p.deferred {
		m.w.schedule(m.w.now, e)
	}
	p.deferred = p.deferred[:0]
}

// Stop asks the node to stop (SIGTERM).
func (m *Machine) Stop() { m.Do(core.Command{Op: core.Stop}) }
