package core

// census is what follows from the standings of all names, kept as they change.
type census struct {
	durable  int                 // durable members
	guests   int                 // and guests, until they are forgotten
	peersUp  int                 // of those, the ones that are up, this node included
	gateways int                 // and of those, the ones that take guests
	lost     nameSet             // durable members that are not up
	through  map[string]*nameSet // who is reached through a gateway, by the gateway
}

// alone says whether this node is the only durable member it knows.
func (c *census) alone() bool { return c.durable <= 1 }

// move counts a name by its new standing instead of the one before.
func (c *census) move(name string, before, after *standing) {
	if before.isGateway() != after.isGateway() {
		if c.gateways++; before.isGateway() {
			c.gateways -= 2
		}
	}
	if before.state != after.state || before.guest != after.guest || before.gateway() != after.gateway() {
		c.count(name, before, -1)
		c.count(name, after, +1)
	}
}

func (c *census) count(name string, s *standing, by int) {
	if s.state == Removed {
		return
	}
	c.countThrough(name, s, by)
	if s.guest {
		c.guests += by
		return
	}
	c.durable += by
	if s.isUp() {
		c.peersUp += by
	} else if by > 0 {
		c.lost.add(name)
	} else {
		c.lost.remove(name)
	}
}

func (c *census) countThrough(name string, s *standing, by int) {
	via := s.gateway()
	if !s.isUp() || via == "" {
		return
	}
	of := c.through[via]
	if by > 0 {
		if of == nil {
			of = new(nameSet)
			c.through[via] = of
		}
		of.add(name)
	} else if of != nil {
		of.remove(name)
		if len(of.list) == 0 {
			delete(c.through, via)
		}
	}
}
