package native

import (
	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// input is what the loop is given for the engine. It is small, as most are frames.
type input struct {
	kind    core.InputKind // Opened, Received, Closed, Do
	code    wire.Code
	id      core.ConnID
	conn    *conn // nil if a dial failed, and of Do
	frame   []byte
	command *core.Command
	answer  chan<- result // of Do
}

// whole is what the engine gets.
func (in *input) whole() core.Input {
	all := core.Input{Kind: in.kind, Conn: in.id, Frame: in.frame, Code: in.code}
	switch in.kind {
	case core.Opened:
		in.conn.story.open.describe(&all)
	case core.Do:
		all.Command = *in.command
	}
	return all
}

// postOf hands the engine an input of a connection. It is not a part of serve, on whose
// stack each of many readers would have one while it waits.
//
//go:noinline
func (n *Node) postOf(c *conn, kind core.InputKind, frame []byte, code wire.Code) bool {
	return n.post(input{kind: kind, code: code, id: c.id, conn: c, frame: frame})
}

// opening is what an engine is told of a connection that opens: see core.Input.
type opening struct {
	role   core.Role
	addr   string
	name   string
	tags   []wire.Tag
	own    []string
	topics *core.Topics
	party  string // of a guest: who answers for it
}

func (o *opening) describe(in *core.Input) {
	in.Role, in.Addr, in.Name, in.Tags, in.Own, in.Topics, in.Party = o.role, o.addr, o.name, o.tags, o.own, o.topics, o.party
}

// tick is not a part of loop, nor is bye: an Input is so large that the stack of an idle
// node would be.
//
//go:noinline
func (l *loop) tick() { l.step(core.Input{Kind: core.Tick}) }

//go:noinline
func (l *loop) bye() {
	l.step(core.Input{Kind: core.Do, Command: core.Command{Op: core.Stop}})
}
