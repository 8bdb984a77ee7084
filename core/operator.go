package core

import "github.com/nanoring/nanoring/core/wire"

// do takes an operator's command.
func (r *Ring) do(cmd *Command) {
	if cmd.Op >= Leave && cmd.Op <= SetTags || cmd.Op == Drain || cmd.Op == Join || cmd.Name == "" && (cmd.Op == Cordon || cmd.Op == Uncordon) {
		cmd.Name = r.cfg.Name
	}
	if cmd.Op >= SendMessage && cmd.Op <= Hear && cmd.Op != Tell {
		cmd.Name = "" // it is to all
	}
	code, text := r.unable()
	switch {
	case cmd.Op == Stop:
		r.goodbye(HaltStopped)
		return
	case code != 0 && (cmd.Op != Hear || r.halted): // to hear is nobody else's business
	case cmd.Op == Add:
		code, text = r.add(cmd)
	case cmd.Op == Del:
		code, text = r.del(cmd)
	case cmd.Op == Leave:
		r.startLeave(cmd)
	case cmd.Op == SetTags:
		code, text = r.labels.change(r, cmd)
	case cmd.Op == Cordon, cmd.Op == Uncordon:
		code, text = r.cordon.wish(r, cmd)
	case cmd.Op == Join:
		code, text = r.overlay.join(cmd)
	case cmd.Op == Drain:
		code, text = r.cordon.drain(r, cmd)
	case cmd.Op >= SendMessage && cmd.Op <= Hear:
		code, text = r.messages.do(cmd)
	default:
		code, text = wire.CodeInvalid, "no such command"
	}
	if code != 0 {
		r.replica.result(cmd.ID, cmd.Name, code, text)
	}
}

func (r *Ring) del(cmd *Command) (wire.Code, string) {
	rec := r.replica.nodes.Get(cmd.Name)
	if !r.replica.isMember(cmd.Name) {
		return wire.CodeUnknown, unknownNode(cmd.Name)
	}
	if r.cfg.Ephemeral {
		return wire.CodeForbidden, "a guest deletes nobody: ask its gateway's operator"
	}
	r.replica.put(wire.Nodes, rec.Next(r.replica.mint(rec), rankDel))
	r.replica.result(cmd.ID, cmd.Name, 0, "")
	return 0, ""
}
