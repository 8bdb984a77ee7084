package sim

import (
	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// Command is a command that a machine was given, and what became of it.
type Command struct {
	core.Command
	Machine *Machine
	At      int64     // when
	Done    bool      // the engine has answered
	Acked   bool      // with success, and what it changed is on the disk
	Failed  bool      // with an error, since what it changed could not be written
	Code    wire.Code // the answer, 0 for success
	Text    string

	seq  uint64
	proc *process
}

// Do gives the machine's process a command, at once if it is not paused, and
// returns its number: see World.Command.
func (m *Machine) Do(c core.Command) uint64 {
	w := m.w
	c.ID = uint64(len(w.commands) + 1)
	if c.Op != core.Cordon && c.Op != core.Uncordon && c.Op != core.Drain { // of which nobody is to notice anything
		w.promises.happened()
	}
	w.commands = append(w.commands, Command{Command: c, Machine: m, At: w.now, proc: m.proc})
	w.recount(m, "is told: ", commandWords(c))
	if m.proc != nil {
		w.commanded(m, c)
		w.serve(&event{kind: evCommand, proc: m.proc, arg: int64(c.ID)})
	}
	return c.ID
}

// DoSoon is Do from within an event: the process gets the command when it is done with that.
func (m *Machine) DoSoon(c core.Command) uint64 { return m.w.whisper(m.proc, c, 1) }

func (p *process) command(id int) {
	if !p.dead {
		p.m.w.talk.spoken(id)
		p.step(core.Input{Kind: core.Do, Command: p.m.w.commands[id-1].Command})
	}
}

// Command returns what became of the command with that number.
func (w *World) Command(id uint64) Command { return w.commands[id-1] }

func commandWords(c core.Command) string {
	s := "?"
	switch c.Op {
	case core.Add:
		s = "add"
	case core.Del:
		s = "del"
	case core.Leave:
		s = "leave"
	case core.Stop:
		s = "stop"
	case core.Cordon:
		s = "cordon"
	case core.Uncordon:
		s = "uncordon"
	case core.Drain:
		s = "drain"
	}
	if c.Name != "" {
		s += " " + c.Name
	}
	if c.Addr != "" {
		s += " at " + c.Addr
	}
	return s
}
