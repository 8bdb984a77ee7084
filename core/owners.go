package core

import (
	"slices"
	"strings"

	"github.com/cespare/xxhash/v2"
)

// Owners returns the count nodes to which a key is given, the first owner first,
// of those that are up, suspects among them, durable, not cordoned, and picked by all
// filters: all of them if they are fewer. Whoever has the same of those gives a key to
// the same. It is empty if the key is, or if count is below 1.
func (v *View) Owners(key string, count int, among ...Filter) []Node {
	if v.claimants == nil {
		v.claimants = make([]claimant, 0, len(v.nodes))
		for name, n := range v.nodes {
			if !n.Ephemeral && !n.Cordoned && n.isUp() {
				v.claimants = append(v.claimants, newClaimant(name))
			}
		}
	}
	of := v.claimants
	if len(among) > 0 {
		of = slices.DeleteFunc(slices.Clone(of), func(c claimant) bool { return !isPicked(v.nodes[c.name], among) })
	}
	var owners []Node
	for _, c := range choose(key, count, of) {
		owners = append(owners, *v.nodes[c.name])
	}
	return owners
}

// Owners returns which count of some names a key is given to, the first owner
// first, or all if they are fewer. The names, each there once, may come in any
// order. It is empty if the key is, or if count is below 1.
//
// This is rendezvous hashing, or highest random weight (Thaler, Ravishankar:
// Using name-based mappings to increase hit rates, IEEE/ACM Transactions on
// Networking 6(1), 1998): the key gives every name a score, and those with the
// highest own it. A name that comes or goes changes no other's score, so keys
// move only to it or from it. The formula is in docs/protocol.md, 26.
func Owners(key string, count int, names []string) []string {
	of := make([]claimant, len(names))
	for i, name := range names {
		of[i] = newClaimant(name)
	}
	var owners []string
	for _, c := range choose(key, count, of) {
		push(&owners, c.name)
	}
	return owners
}

// claimant is a name that may own keys.
type claimant struct {
	name  string
	hash  uint64 // of its name
	score uint64 // for the key in question
}

func newClaimant(name string) claimant {
	return claimant{name: name, hash: xxhash.Sum64String(name)}
}

// choose returns the count best, in order. It looks at each once, and keeps no
// more than it returns.
func choose(key string, count int, of []claimant) []claimant {
	if key == "" || count < 1 {
		return nil
	}
	k := mix(xxhash.Sum64String(key))
	var best []claimant
	for _, c := range of {
		c.score = mix(c.hash ^ k)
		if len(best) == count {
			if c.compare(best[count-1]) > 0 {
				continue
			}
			best = best[:count-1]
		}
		at, _ := slices.BinarySearchFunc(best, c, claimant.compare)
		best = slices.Insert(best, at, c)
	}
	return best
}

// compare orders claimants, the best first. Equal scores need names of equal
// hashes, which can be made: then the lower name comes first.
func (c claimant) compare(d claimant) int {
	switch {
	case c.score > d.score:
		return -1
	case c.score < d.score:
		return 1
	}
	return strings.Compare(c.name, d.name)
}

// mix is the finalizer of MurmurHash3 (Appleby): a bijection in which every bit
// that goes in changes about half of those that come out.
func mix(h uint64) uint64 {
	h = (h ^ h>>33) * 0xff51afd7ed558ccd
	h = (h ^ h>>33) * 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}
