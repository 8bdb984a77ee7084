package core_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/cespare/xxhash/v2"
	"github.com/nanoring/nanoring/core"
	"pgregory.net/rapid"
)

// ownerVectors are testdata/owners.json; the README beside it says what its
// fields mean.
type ownerVectors struct {
	Hashes []struct {
		vectorKey
		Hash string
	}
	Scores []struct {
		vectorKey
		Name, Score string
	}
	Rings map[string][]struct {
		Name, State string
		Ephemeral   bool
		Cordoned    bool
	}
	Owners []struct {
		vectorKey
		Ring   string
		Count  int
		Owners []string
	}
}

type vectorKey struct {
	Key string
	Hex string `json:"key_hex"`
}

func (k vectorKey) key(t *testing.T) string {
	t.Helper()
	b, err := hex.DecodeString(k.Hex)
	if err != nil || k.Key != "" && k.Hex != "" {
		t.Fatalf("%+v: %v", k, err)
	}
	return k.Key + string(b)
}

func TestOwnersVectors(t *testing.T) {
	b, err := os.ReadFile("testdata/owners.json")
	if err != nil {
		t.Fatal(err)
	}
	var v ownerVectors
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	if len(v.Hashes) == 0 || len(v.Scores) == 0 || len(v.Owners) == 0 {
		t.Fatal("some vectors are missing")
	}
	for _, h := range v.Hashes {
		if got := fmt.Sprintf("%016x", xxhash.Sum64String(h.key(t))); got != h.Hash {
			t.Errorf("hash of %q: %s, not %s", h.key(t), got, h.Hash)
		}
	}
	for _, s := range v.Scores {
		if got := fmt.Sprintf("%016x", core.Score(s.key(t), s.Name)); got != s.Score {
			t.Errorf("score of %q for %q: %s, not %s", s.Name, s.key(t), got, s.Score)
		}
	}
	states := make(map[string]core.State)
	for _, s := range []core.State{core.Unknown, core.Alive, core.Suspect, core.Down, core.Left} {
		states[s.String()] = s
	}
	views := make(map[string]*core.View)
	for ring, nodes := range v.Rings {
		views[ring] = new(core.View)
		for _, n := range nodes {
			state, ok := states[n.State]
			if !ok {
				t.Fatalf("%s: no state %q", ring, n.State)
			}
			show(views[ring], core.Node{Name: n.Name, State: state, Ephemeral: n.Ephemeral, Cordoned: n.Cordoned})
		}
	}
	for _, o := range v.Owners {
		if got := nodeNames(views[o.Ring].Owners(o.key(t), o.Count)); !slices.Equal(got, o.Owners) {
			t.Errorf("%d owners of %q in %s: %q, not %q", o.Count, o.key(t), o.Ring, got, o.Owners)
		}
	}
}

func show(v *core.View, n core.Node) {
	v.Apply(&core.Event{Kind: core.EventNode, Node: n}, 0)
}

func nodeNames(nodes []core.Node) []string {
	var names []string
	for _, n := range nodes {
		names = append(names, n.Name)
	}
	return names
}

// TestOwnersFollowTheView says that a key's owners are nodes as the view has
// them now, and none if nobody can be meant.
func TestOwnersFollowTheView(t *testing.T) {
	var v core.View
	for i := range 5 {
		show(&v, core.Node{Name: fmt.Sprint("dev", i), State: core.Alive, Address: "old"})
	}
	before := v.Owners("key", 3)
	if len(before) != 3 {
		t.Fatal(before)
	}
	show(&v, core.Node{Name: before[0].Name, State: core.Down})
	show(&v, core.Node{Name: before[1].Name, State: core.Suspect, Address: "new"})
	show(&v, core.Node{Name: before[2].Name, State: core.Removed})
	after := v.Owners("key", 2)
	if after[0].Name != before[1].Name || after[0].Address != "new" || slices.Contains(nodeNames(before), after[1].Name) {
		t.Errorf("%+v, then %+v", before, after)
	}
	if got := v.Owners("key", math.MaxInt); len(got) != 3 {
		t.Errorf("all owners: %+v", got)
	}
	for _, none := range [][]core.Node{v.Owners("", 3), v.Owners("key", 0), v.Owners("key", -1), new(core.View).Owners("key", 3)} {
		if len(none) > 0 {
			t.Error(none)
		}
	}
}

// TestOwnersCordoned: what a cordoned node owns goes to others, and comes back to it.
func TestOwnersCordoned(t *testing.T) {
	var v core.View
	for i := range 5 {
		show(&v, core.Node{Name: fmt.Sprint("dev", i), State: core.Alive})
	}
	before := nodeNames(v.Owners("key", 5))
	show(&v, core.Node{Name: before[1], State: core.Alive, Cordoned: true})
	if got, want := nodeNames(v.Owners("key", 5)), slices.Delete(slices.Clone(before), 1, 2); !slices.Equal(got, want) {
		t.Errorf("%q, not %q", got, want)
	}
	show(&v, core.Node{Name: before[1], State: core.Alive})
	if got := nodeNames(v.Owners("key", 5)); !slices.Equal(got, before) {
		t.Errorf("%q, not %q", got, before)
	}
}

// TestOwnersMove: when a node comes or goes, keys move only to it or from it,
// and the other owners keep their order. More owners are the same ones and more.
func TestOwnersMove(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SliceOfNDistinct(rapid.StringN(1, 12, 40), 1, 40, rapid.ID).Draw(t, "names")
		key := rapid.StringN(1, 20, -1).Draw(t, "key")
		count := rapid.IntRange(1, len(names)+1).Draw(t, "count")
		owners := func(count int, names []string) []string { return core.Owners(key, count, names) }

		with := owners(count, names)
		if len(with) != min(count, len(names)) {
			t.Fatalf("%d owners of %d: %q", count, len(names), with)
		}
		if got := owners(count, rapid.Permutation(names).Draw(t, "reordered")); !slices.Equal(got, with) {
			t.Fatalf("%q, and reordered %q", with, got)
		}
		if more := owners(count+1, names); !slices.Equal(more[:len(with)], with) {
			t.Fatalf("%d owners are %q, one more is %q", count, with, more)
		}
		comes := rapid.SampledFrom(names).Draw(t, "comes")
		is := func(name string) bool { return name == comes }
		without := owners(count, slices.DeleteFunc(slices.Clone(names), is))
		stayed := slices.DeleteFunc(slices.Clone(with), is)
		if !slices.Equal(stayed, without[:len(stayed)]) || len(stayed) == len(with) && len(without) != len(stayed) {
			t.Fatalf("%q, and without %q %q", with, comes, without)
		}
	})
}

// TestOwnersShare: keys are spread evenly, also over names and keys that differ
// in little, whoever the first owner is; and of n nodes' keys 1/n move.
func TestOwnersShare(t *testing.T) {
	const nodes, keys = 20, 40_000
	for what, format := range map[string][2]string{
		"short": {"%d", "%d"}, "usual": {"dev%d", "user:%d"}, "alike": {"%d", "%[1]d%[1]d"},
		"long": {"node-%03d.eu-west-1.compute.internal.example", "/var/lib/objects/2026/11/%08d.bin"},
	} {
		t.Run(what, func(t *testing.T) {
			var names []string
			for i := range nodes {
				names = append(names, fmt.Sprintf(format[0], i))
			}
			first, pairs, moved := make(map[string]int), make(map[[2]string]int), 0
			for i := range keys {
				key := fmt.Sprintf(format[1], i)
				o := core.Owners(key, 2, names)
				first[o[0]]++
				pairs[[2]string(o)]++
				if was := core.Owners(key, 1, names[1:]); was[0] != o[0] {
					moved++
				}
			}
			if moved != first[names[0]] {
				t.Errorf("%d keys move to a node that owns %d", moved, first[names[0]])
			}
			even(t, "first owners", first, nodes, keys)
			even(t, "pairs of owners", pairs, nodes*(nodes-1), keys)
		})
	}
}

// even holds counts against evenly drawn ones, by Pearson's chi-squared, which
// has to be within five standard deviations. The draws are always the same.
func even[K comparable](t *testing.T, what string, counts map[K]int, cells, draws int) {
	t.Helper()
	want, sum, most := float64(draws)/float64(cells), float64(cells-len(counts))*float64(draws)/float64(cells), 0
	for _, got := range counts {
		d := float64(got) - want
		sum += d * d / want
		most = max(most, got)
	}
	free := float64(cells - 1)
	t.Logf("%s: chi-squared %.0f of %.0f expected; most %.3f of the mean", what, sum, free, float64(most)/want)
	if d := sum - free; d*d > 25*2*free {
		t.Errorf("%s are not even: chi-squared is %.0f, with %d cells", what, sum, cells)
	}
}

// BenchmarkOwners gives keys to nodes of 10,000: with nothing new of the nodes,
// after news, and, to compare, Up.
func BenchmarkOwners(b *testing.B) {
	var v core.View
	for i := range 10_000 {
		show(&v, core.Node{Name: fmt.Sprintf("node-%05d.eu-west.example", i), State: core.Alive, Address: strings.Repeat("1", 14)})
	}
	for _, count := range []int{1, 3, 64} {
		b.Run(fmt.Sprint("count=", count), func(b *testing.B) {
			for i := 0; b.Loop(); i++ {
				v.Owners(fmt.Sprint("user:", i), count)
			}
		})
	}
	b.Run("news", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			show(&v, core.Node{Name: "node-00000.eu-west.example", State: core.Alive, Incarnation: int64(i)})
			v.Owners(fmt.Sprint("user:", i), 3)
		}
	})
	b.Run("Up", func(b *testing.B) {
		for b.Loop() {
			v.Up()
		}
	})
}
