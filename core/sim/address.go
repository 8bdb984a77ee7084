package sim

// Renumber gives a machine another address while its process runs, which goes on
// to tell the one that it began with; without an address, to a machine that is
// not dialled, it is another network to dial from. All its connections fall
// silent. Whoever dials the address before finds nobody, until a machine gets it.
func (m *Machine) Renumber(addr string) {
	m.w.note(m, "has another address: ", addr)
	delete(m.w.byAddr, m.addr)
	m.rename(addr)
	m.estrange(silently)
}

// SwapAddresses has two machines change their addresses while their processes
// run, which go on to tell the ones that they began with. Their connections are
// dead: what they send on them does not arrive, and what the others send is
// answered by a reset, since it comes to the other machine.
func (w *World) SwapAddresses(a, b *Machine) {
	w.note(nil, a.name, " and ", b.name, " swap their addresses")
	from := a.addr
	a.rename(b.addr)
	b.rename(from)
	a.estrange(loudly)
	b.estrange(loudly)
}

// Resolve has an address lead to another machine, as a name does whose entry in
// the DNS is changed, or to nobody. Connections are not disturbed. Whoever gets
// the address by Move, Renumber or SwapAddresses is found there again.
func (w *World) Resolve(addr string, to *Machine) {
	if to == nil {
		w.note(nil, addr, " leads to nobody")
		delete(w.byAddr, addr)
		return
	}
	w.note(nil, addr, " leads to ", to.name)
	w.byAddr[addr] = to
	w.names[addr] = to.addr != addr
}

// rename makes an address that of the machine.
func (m *Machine) rename(addr string) {
	m.addr = addr
	if addr != "" {
		m.w.byAddr[addr] = m
		delete(m.w.names, addr)
	}
}

// estrange loses all that a machine sends on the connections that it has, since
// its address is another; what becomes of what the others send on them, how says.
func (m *Machine) estrange(how func(*end)) {
	forgotten(m, nil, silently)
	for _, o := range m.w.machines {
		forgotten(o, m, how)
	}
}
