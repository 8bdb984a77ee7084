package core

import (
	"slices"

	"github.com/nanoring/nanoring/core/wire"
)

// lack is a message that others have.
type lack struct {
	id   newsID
	at   int64 // the ring's clock: it is asked for
	from []ConnID
}

// had takes in what a peer has.
func (sp *spread) had(c *conn, streams []wire.Stream) {
	cold := true
	for _, o := range sp.overlay.live {
		cold = cold && !o.line.eager
	}
	var want []wire.Stream
	for i := range streams {
		st := &streams[i]
		s := sp.window.find(st.Name, st.Instance)
		for _, seq := range st.Seqs {
			if s != nil && s.has(seq) {
				if n := s.get(seq); n != nil {
					n.settle(c)
				}
				continue
			}
			id := newsID{st.Name, st.Instance, seq}
			l := sp.lacks[id]
			if l == nil && len(sp.lacking) < maxLacks {
				id.name = kept(id.name)
				l = &lack{id: id, at: sp.now + eagerFirst}
				if sp.lacks == nil {
					sp.lacks = make(map[newsID]*lack)
				}
				sp.lacks[id] = l
				push(&sp.lacking, l)
				sp.wantSoon()
				if cold {
					l.at = sp.now + eagerNext
					push(&want, id.stream())
					continue
				}
			}
			if l != nil && len(l.from) < maxTellers {
				push(&l.from, c.id)
			}
		}
	}
	sp.want(c, want...)
}

//go:noinline
func (id *newsID) stream() wire.Stream {
	return wire.Stream{Name: id.name, Instance: id.instance, Seqs: []uint64{id.seq}}
}

// want asks for messages: this connection is a quick one.
//
//go:noinline
func (sp *spread) want(c *conn, streams ...wire.Stream) {
	if len(streams) > 0 {
		sp.quicken(c, true)
		sp.showIDs(c, wire.KindWant, streams)
	}
}

// quicken makes a connection an eager one, or one that is not.
//
//go:noinline
func (sp *spread) quicken(c *conn, eager bool) {
	if eager && !c.line.eager {
		c.line.large = sp.now // more of them are to come
	}
	c.line.eager = eager
}

// wantSoon arms the next asking: of nodes that are cut off together each at another
// time, since one that asks does so for all.
//
//go:noinline
func (sp *spread) wantSoon() {
	if !sp.wanting {
		sp.wanting = true
		sp.after(eagerNext/2+sp.rand.Int64N(eagerNext), wantDue, "", 0)
	}
}

// wantNext asks for what did not come: the next who has the first of it, since that one
// most likely has all, and is an eager connection from then on.
func (sp *spread) wantNext() {
	sp.wanting = false
	var c *conn
	var want []wire.Stream
	keep(&sp.lacking, func(l *lack) bool {
		if sp.lacks[l.id] != l {
			return false // it is here
		}
		if l.at > sp.now {
			return true
		}
		for c == nil && len(l.from) > 0 {
			if c = sp.overlay.established(l.from[0]); c == nil {
				drop(&l.from, 0)
			}
		}
		if len(l.from) == 0 {
			delete(sp.lacks, l.id) // who has it still is found by comparing
			return false
		}
		if at := slices.Index(l.from, c.id); at >= 0 {
			drop(&l.from, at)
		}
		push(&want, l.id.stream())
		l.at = sp.now + eagerNext
		return true
	})
	sp.want(c, want...)
	if len(sp.lacking) == 0 {
		sp.lacking, sp.lacks = nil, nil
		return
	}
	sp.wantSoon()
}

// wanted takes in what a peer asks for: nothing, if it has it from others, and wants ids.
func (sp *spread) wanted(c *conn, streams []wire.Stream) {
	sp.quicken(c, len(streams) > 0)
	for i := range streams {
		if s := sp.window.find(streams[i].Name, streams[i].Instance); s != nil {
			for _, seq := range streams[i].Seqs {
				if n := s.get(seq); n != nil {
					sp.owe(c, n)
				}
			}
		}
	}
}
