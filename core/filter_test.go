package core_test

import (
	"encoding/json"
	"errors"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
	"pgregory.net/rapid"
)

// filterVectors are testdata/filters.json; the README beside it says what its
// fields mean.
type filterVectors struct {
	Nodes []struct {
		Name, State string
		Ephemeral   bool
		Tags        map[string]string
	}
	Filters []struct {
		filterTerms
		Picks []string
	}
	Invalid []filterTerms
}

type filterTerms struct {
	Tags        []string
	State, Name string
}

func (f *filterTerms) parse() (core.Filter, error) { return core.ParseFilter(f.Tags, f.State, f.Name) }

func readFilterVectors(t testing.TB) (v filterVectors, nodes []core.Node) {
	b, err := os.ReadFile("testdata/filters.json")
	if err == nil {
		err = json.Unmarshal(b, &v)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range v.Nodes {
		node := core.Node{Name: n.Name, State: stateOf(t, n.State), Ephemeral: n.Ephemeral}
		for key, value := range n.Tags {
			node.Tags = append(node.Tags, wire.Tag{Key: key, Value: value})
		}
		nodes = append(nodes, node)
	}
	return v, nodes
}

func stateOf(t testing.TB, word string) core.State {
	for s := core.Unknown; s <= core.Removed; s++ {
		if s.String() == word {
			return s
		}
	}
	t.Fatalf("there is no state %s", word)
	return 0
}

func TestFilterVectors(t *testing.T) {
	v, nodes := readFilterVectors(t)
	if len(v.Filters) < 50 || len(v.Invalid) < 15 {
		t.Fatal("vectors are missing")
	}
	for _, want := range v.Filters {
		f, err := want.parse()
		if err != nil {
			t.Errorf("%+v: %v", want.filterTerms, err)
			continue
		}
		got := []string{}
		for _, n := range core.Pick(nodes, f) {
			got = append(got, n.Name)
		}
		if !slices.Equal(got, want.Picks) {
			t.Errorf("%+v picks %q, not %q", want.filterTerms, got, want.Picks)
		}
	}
	for _, bad := range v.Invalid {
		var why *core.FilterError
		if _, err := bad.parse(); !errors.As(err, &why) || why.Text == "" {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}

// TestFilters: several filters pick what each of them does, and none picks all.
func TestFilters(t *testing.T) {
	v, nodes := readFilterVectors(t)
	if all := core.Pick(nodes); len(all) != len(nodes) || &all[0] == &nodes[0] {
		t.Errorf("without a filter %d of %d are picked, or in the same list", len(all), len(nodes))
	}
	for _, one := range v.Filters {
		for _, two := range v.Filters {
			f, _ := one.parse()
			g, _ := two.parse()
			for _, n := range core.Pick(nodes, f, g) {
				if !slices.Contains(one.Picks, n.Name) || !slices.Contains(two.Picks, n.Name) {
					t.Errorf("%+v and %+v together pick %s", one.filterTerms, two.filterTerms, n.Name)
				}
			}
		}
	}
}

// TestFilterNoText: what is no text is no filter. As one it was sent on, and all who got it
// closed their connections.
func TestFilterNoText(t *testing.T) {
	for _, bad := range []struct {
		tags        []string
		state, name string
	}{
		{name: "a\xff*"}, {name: "!\xc3"}, {state: "*\xff"}, {tags: []string{"a", "k\xff"}}, {tags: []string{"k=\xed\xa0\x80"}},
	} {
		var why *core.FilterError
		if f, err := core.ParseFilter(bad.tags, bad.state, bad.name); !errors.As(err, &why) || f.Terms() != nil {
			t.Errorf("%q: %q, %v", bad, f.Terms(), err)
		}
	}
}

// TestOwnersAmong: a filter takes away claims and changes nobody's score.
func TestOwnersAmong(t *testing.T) {
	var v core.View
	zone := func(name, zone string) {
		v.Apply(&core.Event{Kind: core.EventNode, Node: core.Node{Name: name, State: core.Alive, Tags: []wire.Tag{{Key: "zone", Value: zone}}}}, 0)
	}
	for _, name := range []string{"a", "b", "c", "d", "e", "f"} {
		zone(name, string("xy"[name[0]%2]))
	}
	f, err := core.ParseFilter([]string{"zone=x"}, "", "")
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"1", "2", "3", "user:42"} {
		all := v.Owners(key, 6)
		if want := core.Pick(all, f); !slices.EqualFunc(v.Owners(key, 6, f), want, func(a, b core.Node) bool { return a.Name == b.Name }) || len(want) != 3 {
			t.Errorf("of %s: %+v, not %+v", key, v.Owners(key, 6, f), want)
		}
		if after := v.Owners(key, 6); len(after) != 6 {
			t.Errorf("a filter has changed what comes after it: %+v", after)
		}
	}
}

// TestPatterns: a pattern is as the regular expression that it would be.
func TestPatterns(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOfN(rapid.SampledFrom([]rune("ab*é\n")), 0, 8, -1)
		pattern, value := text.Draw(t, "pattern"), text.Draw(t, "value")
		f, err := core.ParseFilter([]string{"k=" + pattern}, "", "")
		if err != nil {
			t.Fatal(err)
		}
		re := regexp.MustCompile("(?s)^" + strings.ReplaceAll(regexp.QuoteMeta(pattern), `\*`, ".*") + "$")
		if got := f.Match(&core.Node{Tags: []wire.Tag{{Key: "k", Value: value}}}); got != re.MatchString(value) {
			t.Fatalf("%q is like %q: %v", value, pattern, got)
		}
	})
}

func FuzzFilter(f *testing.F) {
	v, nodes := readFilterVectors(f)
	for _, terms := range append(v.Invalid, filterTerms{[]string{"zone=a", "!b"}, "up", "web*"}) {
		f.Add(strings.Join(terms.Tags, "\x00"), terms.State, terms.Name)
	}
	f.Fuzz(func(t *testing.T, tags, state, name string) {
		filter, err := core.ParseFilter(strings.Split(tags, "\x00"), state, name)
		if err != nil {
			if text := err.Error(); !utf8.ValidString(text) || len(text) > 8<<10 {
				t.Errorf("%q", text)
			}
			return
		}
		if len(tags)+len(state)+len(name) > core.MaxFilter+core.MaxTerms {
			t.Error("it is longer than may be")
		}
		core.Pick(nodes, filter)
	})
}
