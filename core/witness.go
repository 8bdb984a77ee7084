package core

import "strings"

// conflict is what is known of another living process with this node's name.
type conflict struct {
	minted  int64 // the presence with which this one answered it
	times   int
	refused int64  // since when this one is refused for it; 0 if it is not
	witness string // the host that says that there is one,
	said    int64  // and when it said so last
}

// insists says whether a node stays although it is refused since its name is taken: it
// knows that the name was deleted, and who refuses it for a process that was deleted
// will hear of that soon. It does not insist for longer than that one may stay.
func (c *conflict) insists(now, deleted, grace int64) bool {
	if c.refused == 0 || now-c.refused > Minute+grace {
		c.refused = now
	}
	return deleted != 0 && now-c.refused < grace
}

// believes says whether this node gives way on the word of one that another, older process has its
// name. Whom a certificate vouches for is believed; else what is at one address may be anything, and
// it takes two hosts that say so within a minute, or one if nobody who is up is at another.
func (c *conflict) believes(by *conn, r *replica) bool {
	host := hostOf(by.addr)
	if by.authenticated != "" || r.cfg.Ephemeral || !r.hasPeerBeyond(host) {
		return true
	}
	if c.witness == "" || r.now-c.said > Minute {
		c.witness = host
	}
	if c.witness != host {
		return true
	}
	c.said = r.now
	return false
}

// hasPeerBeyond says whether a durable node is up, as far as is known, that is at another host.
func (r *replica) hasPeerBeyond(host string) bool {
	for rec := range r.nodes.All() {
		if s := r.look(rec.Name); s.isUp() && !s.guest && rec.Name != r.cfg.Name && s.address() != "" && hostOf(s.address()) != host {
			return true
		}
	}
	return false
}

// hostOf is an address without its port.
func hostOf(addr string) string {
	if i := strings.LastIndexByte(addr, ':'); i >= 0 {
		return addr[:i]
	}
	return addr
}
