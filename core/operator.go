package core

import "github.com/nanoring/nanoring/core/wire"

// do takes an operator's command.
func (r *Ring) do(cmd Command) {
	if cmd.Op == Leave {
		cmd.Name = r.cfg.Name
	}
	if code, text := r.unable(); code != 0 && cmd.Op != Stop {
		r.result(cmd.ID, cmd.Name, code, text)
		return
	}
	switch cmd.Op {
	case Add:
		r.add(cmd)
	case Del:
		r.del(cmd)
	case Leave:
		r.startLeave(cmd)
	case Stop:
		r.goodbye(HaltStopped)
	default:
		r.result(cmd.ID, cmd.Name, wire.CodeInvalid, "no such command")
	}
}

func (r *Ring) del(cmd Command) {
	rec := r.replica.nodes.Get(cmd.Name)
	if !r.replica.isMember(cmd.Name) {
		r.result(cmd.ID, cmd.Name, wire.CodeUnknown, "no node of this ring is called "+cmd.Name)
		return
	}
	if r.cfg.Ephemeral {
		r.result(cmd.ID, cmd.Name, wire.CodeForbidden, "a guest deletes nobody: ask its gateway's operator")
		return
	}
	r.replica.put(wire.Nodes, rec.Next(r.replica.mint(rec), rankDel))
	r.result(cmd.ID, cmd.Name, 0, "")
}
