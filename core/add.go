package core

import "github.com/nanoring/nanoring/core/wire"

// adding is an Add whose node's hello is awaited.
type adding struct {
	_    incomparable
	id   uint64
	name string // "" until the hello tells
	addr string
}

// add dials the address first: what answers there has to be the node that was
// meant. If nobody answers, a node that was named is added all the same.
func (r *Ring) add(cmd *Command) (wire.Code, string) {
	err := wire.ValidAddress(cmd.Addr)
	if cmd.Name != "" {
		if e := wire.ValidName(cmd.Name); e != nil {
			err = e
		}
	}
	switch {
	case err != nil:
		return wire.CodeInvalid, err.Error()
	case cmd.Name == r.cfg.Name || cmd.Addr == r.cfg.Address:
		return wire.CodeInvalid, "that is this node itself"
	case r.cfg.Ephemeral:
		return wire.CodeForbidden, "a guest adds nobody: ask its gateway's operator"
	}
	c := r.overlay.dial(cmd.Addr, cmd.Name, dialAdd)
	c.add = &adding{id: cmd.ID, name: cmd.Name, addr: cmd.Addr}
	return 0, ""
}

// endAdd mints the membership of the node whose hello was awaited.
func (r *Ring) endAdd(c *conn) {
	if code, text := r.unable(); code != 0 {
		r.failAdd(c, code, text)
	}
	if a := c.add; a != nil {
		c.add = nil
		r.reconciler.vouch(c) // an operator who joins rings means what this one holds
		r.addNode(a.id, c.name, a.addr, "")
	}
}

func (r *Ring) addNode(id uint64, name, addr, but string) {
	r.replica.add(name, wire.Member{Address: addr}, 0)
	r.settle()
	r.replica.result(id, name, 0, but)
}

// failAdd ends an Add whose node answered, but not as it should.
//
//go:noinline
func (r *Ring) failAdd(c *conn, code wire.Code, text string) {
	if a := c.add; a != nil {
		c.add = nil
		r.replica.result(a.id, a.name, code, text)
	}
}

// missAdd ends an Add to which nobody answered.
func (r *Ring) missAdd(c *conn, code wire.Code) {
	a := c.add
	switch {
	case a == nil:
	case code >= wire.CodeBye:
		r.failAdd(c, code, "the node at "+a.addr+" closed the connection")
	case code == wire.CodeUntrusted:
		r.failAdd(c, code, "the node at "+a.addr+" and this one do not believe each other to be of one ring: do they have the same secret? Their logs say more")
	case a.name == "":
		r.failAdd(c, code, "no node answers at "+a.addr+": to add one that does not run yet, say its name too")
	default:
		if code, text := r.unable(); code != 0 {
			r.failAdd(c, code, text)
			return
		}
		c.add = nil
		r.addNode(a.id, a.name, a.addr, "no node answers at "+a.addr+" yet")
	}
}
