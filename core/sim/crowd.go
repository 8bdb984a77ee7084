package sim

import (
	"math/rand/v2"
	"strconv"
	"strings"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// crowd is what some tales begin with, beside their nodes: a ring that has been there
// for long, and has many guests.
type crowd struct {
	names  int    // that were members, or still are, by the ring files of the first nodes
	guests int    // that only listen, all at one gateway or two
	greedy int    // and some that ask for as much as they can
	seed   uint64 // of who knows what
}

// drawCrowd draws the crowd of a tale; nil for nearly all that do not ask for one.
func drawCrowd(t Tale) *crowd {
	rng := rand.New(rand.NewPCG(t.Seed, 0x63726f7764))
	if rng.IntN(32) > 0 && t.Crowd == 0 || t.Crowd < 0 {
		return nil
	}
	c := &crowd{names: 500 + rng.IntN(1500), guests: 20 + rng.IntN(100), greedy: rng.IntN(3), seed: rng.Uint64()}
	if t.Crowd > 0 {
		c.names, c.guests = min(c.names, t.Crowd), min(c.guests, t.Crowd)
	}
	return c
}

// The names of a crowd: some hundreds share a hash, and have records so long that a
// frame has no room for a part of them. Who is a member and never runs is dialled again
// and again, so that they are not too many: of the others the deletion is known.
const (
	mostHashed  = 900
	mostMembers = 600
)

var farAway = strings.Repeat("far-away.", 25) + "example:7946"

// gather begins a storm with a crowd: the first nodes each have a ring file, with all
// of it, or a part, or nothing, and are alone. The guests come, and then the nodes to
// each other.
func (s *storm) gather(p *plot) {
	s.most, s.w.crowd = p.most, p.crowd
	rng := rand.New(rand.NewPCG(p.crowd.seed, 0x67617468))
	all := s.members(p.crowd.names, rng)
	var nodes []*Machine
	for range max(2, min(p.nodes, 5)) {
		m := s.machine()
		if m.addr == "" {
			continue
		}
		share := [...]int{100, 50, 90, 0}[rng.IntN(4)]
		if nodes == nil {
			share = max(share, 50)
		}
		s.remember(m, all, share, rng)
		nodes = append(nodes, m)
		s.start(m)
		s.w.Run(rng.Int64N(core.Second))
	}
	s.listeners(p.crowd, nodes, rng)
	s.w.Run(rng.Int64N(10 * core.Second))
	for _, m := range nodes[1:] {
		if rng.IntN(2) == 0 {
			s.add(nodes[0], m)
		} else {
			s.add(m, nodes[0])
		}
		s.w.Run(rng.Int64N(5 * core.Second))
	}
	s.w.Run(rng.Int64N(20 * core.Second))
}

// members makes the records of a crowd's names.
func (s *storm) members(n int, rng *rand.Rand) (all []wire.Record) {
	now := Epoch + s.w.now
	turns := rng.Perm(len(hashed()))
	for i := range n {
		name, m, rank := "gone"+strconv.Itoa(i), wire.Member{Address: "gone:7946"}, uint8(deleted)
		if i < min(2*n/3, mostHashed) {
			name, m.Address = hashed()[turns[i]], farAway
			s.crowd = append(s.crowd, name)
		}
		if i < mostMembers {
			rank = 0
		}
		all = append(all, wire.Record{Set: wire.Nodes, Name: name, Stamp: now - rng.Int64N(20*core.Hour), Rank: rank, Value: m.Value()})
	}
	return all
}

// remember gives a machine a ring file of so many in a hundred records; none of none.
func (s *storm) remember(m *Machine, all []wire.Record, share int, rng *rand.Rand) {
	if share == 0 {
		return
	}
	file := wire.Snapshot{Ring: m.opt.Ring, Name: m.opt.Node, Wall: m.Wall(), LastContact: m.Wall()}
	for i := range all {
		if rng.IntN(100) < share {
			file.Records = append(file.Records, all[i])
		}
	}
	file.Records = append(file.Records, wire.Record{Set: wire.Nodes, Name: m.opt.Node, Stamp: m.Wall() - core.Hour, Value: wire.Member{Address: m.addr}.Value()})
	m.disk.Ring = file.Append(nil)
	for _, r := range file.Records { // of what is lost with it nobody may know
		s.w.ops = append(s.w.ops, op{name: r.Name, ring: m.opt.Ring, add: r.Rank == 0, by: m, lo: r.Stamp, hi: r.Stamp, unsure: true})
	}
	s.w.note(m, "remembers ", strconv.Itoa(len(file.Records)), " names, of which ", strconv.Itoa(len(s.crowd)), " in all share a hash")
}

// listeners has the guests come to one gateway, or two.
func (s *storm) listeners(c *crowd, nodes []*Machine, rng *rand.Rand) {
	a, b := nodes[rng.IntN(len(nodes))], nodes[rng.IntN(len(nodes))]
	for i := range c.guests + c.greedy {
		opt := Options{Guest: true, Rogue: listen}
		name := "hears" + strconv.Itoa(i)
		if i >= c.guests {
			name, opt.Rogue = "greedy"+strconv.Itoa(i-c.guests), Greedy(s.known, s.lives, new(int))
		}
		m := s.w.Add(name, opt)
		s.start(m, a.addr, b.addr)
		s.w.Run(rng.Int64N(20 * core.Millisecond))
	}
}
