package sim

import (
	"math"
	"math/rand/v2"
	"slices"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/lww"
	"github.com/nanoring/nanoring/core/wire"
)

// rest is the nodes of a ring of which only a sample is lived. They have no engines: where
// one of them is connected with a node that is lived, a stand-in speaks for it. What
// they know is what all know, and the news, of which each hears at its time: see epidemic.
type rest struct {
	w      *World
	rng    *rand.Rand
	first  int // machine that is one of them: the ones before it are lived
	plan   *Plan
	period int64
	old    int        // machines, the first, whose nodes take over from processes that were there
	nodes  []absent   // by their machine's index, less first
	sets   [2]lww.Set // what all of them have
	news   []*news    // what not all have, in the order of their coming
	by     map[newsKey][]*news
	ids    []wire.RingID
	all    []wire.Record // of sets, in a snapshot's order, as long as nodes take over
	wave   []hop         // of a flood
	peers  []passed
	under  int // news that some do not have yet
}

// absent is a node that is not lived.
type absent struct {
	near  []int32  // those of the rest with which it is connected
	dials []int32  // machines that are lived, with which it is, too, since it dialled them
	talks *standIn // nil while it never had to do with one that is lived
	dead  bool
}

// connectionsOfOwn are what each node keeps open, as the core does.
const connectionsOfOwn = 6

// longAgo is when the ring's nodes started, before Epoch.
const longAgo = core.Day / 2

func newRest(w *World, p *Plan) *rest {
	r := &rest{
		w: w, plan: p, first: p.Sample, old: p.Sample - p.Sample/newOf, period: p.Period, nodes: make([]absent, p.Nodes-p.Sample),
		rng: rand.New(rand.NewPCG(p.Seed, 0x72657374)),
		by:  make(map[newsKey][]*news),
		ids: []wire.RingID{{Start: Epoch - longAgo, Nonce: p.Seed}},
	}
	if r.period == 0 {
		r.period = core.Second
	}
	for i := range r.nodes {
		for range connectionsOfOwn {
			switch to := r.rng.IntN(p.Nodes); {
			case to >= r.old && to < r.first: // it is not there yet
			case to < r.old:
				r.nodes[i].dials = append(r.nodes[i].dials, int32(to))
			case to-r.first != i:
				r.connect(int32(i), int32(to-r.first))
			}
		}
	}
	return r
}

func (r *rest) connect(a, b int32) {
	if !slices.Contains(r.nodes[a].near, b) {
		r.nodes[a].near = append(r.nodes[a].near, b)
		r.nodes[b].near = append(r.nodes[b].near, a)
	}
}

// instance is the process of a machine that has run for long.
func (r *rest) instance(machine int) wire.Instance {
	return wire.Instance{Start: Epoch - longAgo, Nonce: uint64(machine+1) * 0x9e3779b97f4a7c15}
}

// member has a machine's node be one that all know, and that is up.
func (r *rest) member(m *Machine) {
	p := wire.Presence{Address: m.addr, Instance: r.instance(m.index), Version: wire.Version, ReapAfter: uint32(r.plan.ReapAfter / core.Second)}
	r.sets[wire.Nodes].Put(lww.New(m.opt.Node, Epoch-longAgo, 0, wire.Member{Address: m.addr}.Value()))
	r.sets[wire.Up].Put(lww.New(m.opt.Node, Epoch-longAgo, 0, p.Value()))
}

// takesOver has a machine's node take over from the process of its name that was there: it
// knows all that all know, and has no connections.
func (r *rest) takesOver(m *Machine) {
	if r.all == nil {
		for id := range wire.Up + 1 {
			for rec := range r.sets[id].All() {
				r.all = append(r.all, recordOf(id, rec))
			}
		}
	}
	s := wire.Snapshot{Ring: m.opt.Ring, Name: m.opt.Node, Wall: m.Wall(), LastContact: m.Wall(), IDs: r.ids, Records: r.all}
	tune := m.opt.Tune
	m.opt.Tune = func(c *core.Config) {
		tune(c)
		c.Takeover, c.Instance, c.Snapshot = true, r.instance(m.index), s.Append(make([]byte, 0, 64*len(s.Records)))
	}
}

// expects tells whether a machine's node is about to take over: whoever dials it has to wait.
func (r *rest) expects(m *Machine) bool { return r != nil && m.index < r.old && !m.ever }

func recordOf(id wire.SetID, rec *lww.Record) wire.Record {
	return wire.Record{Set: id, Name: rec.Name, Stamp: rec.Stamp, Rank: rec.Rank, Value: rec.Value}
}

// at returns which of the rest a machine is.
func (r *rest) at(m *Machine) (i int32, is bool) {
	if r == nil {
		return 0, false
	}
	return int32(m.index - r.first), m.index >= r.first
}

func (r *rest) machine(i int32) *Machine { return r.w.machines[r.first+int(i)] }

// awake has one of the rest be there to be talked with, if it is not dead.
func (r *rest) awake(m *Machine) {
	if i, is := r.at(m); is && m.proc == nil && !r.nodes[i].dead {
		if err := m.Start(); err != nil {
			r.w.fail(m, err)
		}
	}
}

// dial has those who are connected with a node that is lived, and dialled it, do so.
func (r *rest) dial(m *Machine) {
	for i := range r.nodes {
		if slices.Contains(r.nodes[i].dials, int32(m.index)) && !r.nodes[i].dead {
			r.awake(r.machine(int32(i)))
			r.nodes[i].talks.dialSoon(m.addr)
		}
	}
}

// die kills one of the rest. The others that were connected with it find that out as
// the core does, and open other connections; those who are lived find out themselves.
func (r *rest) die(m *Machine) {
	v, _ := r.at(m)
	n := &r.nodes[v]
	n.dead = true
	m.Crash()
	var found []hop
	for _, u := range n.near {
		near := &r.nodes[u].near
		*near = slices.DeleteFunc(*near, func(x int32) bool { return x == v })
	}
	for _, u := range n.near {
		if !r.nodes[u].dead {
			lost := r.w.now + r.trip(r.machine(u), m)
			found = append(found, hop{at: r.refused(u, m, lost), to: u, from: -1})
			r.connect(u, r.anyOf())
		}
	}
	r.accuse(m.opt.Node, found...)
}

func (r *rest) anyOf() int32 {
	for {
		if i := int32(r.rng.IntN(len(r.nodes))); !r.nodes[i].dead {
			return i
		}
	}
}

// refused is when one of the rest knows that a process is gone to which it lost its
// connection at a time: it dials, and has three of its peers dial, and all are refused.
func (r *rest) refused(u int32, gone *Machine, lost int64) int64 {
	m, near := r.machine(u), r.nodes[u].near
	own := lost + 2*r.trip(m, gone)
	all := own
	for range min(helpersAsked, len(near)) {
		h := r.machine(near[r.rng.IntN(len(near))])
		all = max(all, own+2*r.trip(m, h)+2*r.trip(h, gone))
	}
	return all
}

const helpersAsked = 3

// accuse has a node be down by those who find it so, each at its time.
func (r *rest) accuse(name string, found ...hop) {
	rec := r.sets[wire.Up].Get(name)
	for _, n := range r.by[newsKey{wire.Up, name}] {
		rec = n.rec
	}
	if rec == nil || len(found) == 0 || rec.Rank == rankOfLeft {
		return
	}
	if rec.Rank < rankOfDown {
		rec = rec.Next(rec.Stamp, rankOfDown)
	}
	r.flood(r.newsOf(wire.Up, rec), found...)
}

const (
	rankOfSuspect = 1
	rankOfDown    = 2
	rankOfLeft    = 3
)

// has returns what one of the rest knows of a name; nil if nothing.
func (r *rest) has(i int32, id wire.SetID, name string) *lww.Record {
	rec := r.sets[id].Get(name)
	for _, n := range r.by[newsKey{id, name}] {
		if n.at[i] <= r.w.now {
			rec = n.rec
		}
	}
	return rec
}

// find returns what one of the rest knows by its digest, nil if it knows no such record.
func (r *rest) find(i int32, digest uint64) (wire.SetID, *lww.Record) {
	for id := range wire.Up + 1 {
		if rec := r.sets[id].Half(digest); rec != nil && r.has(i, id, rec.Name) == rec {
			return id, rec
		}
	}
	for _, n := range r.news {
		if n.at[i] <= r.w.now && wire.Digest(n.rec.Hash(), n.rec.Sum()) == digest {
			return n.id, r.has(i, n.id, n.rec.Name)
		}
	}
	return 0, nil
}

// differs goes through all by which what one of the rest has in a range is not what all
// have: what it has of a name, and what all have, or nil.
func (r *rest) differs(i int32, id wire.SetID, rg lww.Range, yield func(now, was *lww.Record)) {
	for _, n := range r.news { // one for each name: the first of it goes on for the others
		same := r.by[newsKey{id, n.rec.Name}]
		if n.id != id || same[0] != n || !rg.Contains(n.rec.Hash()) {
			continue
		}
		if now, was := r.has(i, id, n.rec.Name), r.sets[id].Get(n.rec.Name); now != was {
			yield(now, was)
		}
	}
}

// fingerprintOf is what one of the rest has in a range.
func (r *rest) fingerprintOf(i int32, id wire.SetID, rg lww.Range) wire.Fingerprint {
	f := wire.Fingerprint(r.sets[id].FingerprintOf(rg))
	r.differs(i, id, rg, func(now, was *lww.Record) {
		f.Sum += now.Sum()
		if f.Count++; was != nil {
			f.Sum -= was.Sum()
			f.Count--
		}
	})
	return f
}

// upFactor keeps the two sets of a combined fingerprint apart: docs/protocol.md.
const upFactor = 0x9E3779B97F4A7C15

func (r *rest) fingerprint(i int32) uint64 {
	return r.fingerprintOf(i, wire.Nodes, lww.Range{}).Sum + upFactor*r.fingerprintOf(i, wire.Up, lww.Range{}).Sum
}

// recordsIn returns what one of the rest has in a range.
func (r *rest) recordsIn(i int32, id wire.SetID, rg lww.Range) (all []wire.Record) {
	news := make(map[string]*lww.Record)
	r.differs(i, id, rg, func(now, _ *lww.Record) { news[now.Name] = now })
	for rec := range r.sets[id].In(rg) {
		if n := news[rec.Name]; n != nil {
			rec = n
			delete(news, n.Name)
		}
		all = append(all, recordOf(id, rec))
	}
	var more lww.Set // for their order
	for _, rec := range news {
		more.Put(rec)
	}
	for rec := range more.All() {
		all = append(all, recordOf(id, rec))
	}
	return all
}

// settle makes what all have heard of a part of what all know.
func (r *rest) settle() {
	r.news = slices.DeleteFunc(r.news, func(n *news) bool {
		if n.all > r.w.now-core.Second {
			return false
		}
		if old := r.sets[n.id].Get(n.rec.Name); old == nil || old.Compare(n.rec) < 0 {
			r.sets[n.id].Put(n.rec)
		}
		k := newsKey{n.id, n.rec.Name}
		if r.by[k] = slices.DeleteFunc(r.by[k], func(o *news) bool { return o == n }); len(r.by[k]) == 0 {
			delete(r.by, k)
		}
		return true
	})
}

const never = math.MaxInt64
