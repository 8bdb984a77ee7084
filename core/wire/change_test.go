package wire_test

import (
	"reflect"
	"testing"

	"github.com/nanoring/nanoring/core/wire"
	"pgregory.net/rapid"
)

// TestChangesRoundTrip: a change comes back, and makes of a snapshot what a map of its
// records would be.
func TestChangesRoundTrip(t *testing.T) {
	type key struct {
		set  wire.SetID
		name string
	}
	sets := rapid.SampledFrom([]wire.SetID{wire.Nodes, wire.Up})
	rapid.Check(t, func(rt *rapid.T) {
		s := wire.Snapshot{Ring: "r", Name: "n"}
		want := make(map[key]wire.Record)
		var all []wire.Change
		for range rapid.IntRange(0, 4).Draw(rt, "changes") {
			c := wire.Change{Wall: genTime.Draw(rt, "wall"), LastContact: genTime.Draw(rt, "last"), Records: drawRecords(rt, sets)}
			for _, r := range drawRecords(rt, sets) {
				c.Gone = append(c.Gone, wire.Record{Set: r.Set, Name: r.Name, Value: "\x80"})
			}
			for k := range want {
				if rapid.IntRange(0, 2).Draw(rt, "goes") == 0 {
					c.Gone = append(c.Gone, wire.Record{Set: k.set, Name: k.name, Value: "\x80"})
				}
			}
			if rapid.Bool().Draw(rt, "rest") {
				c.Rest = &wire.Snapshot{Cordoned: rapid.Bool().Draw(rt, "cordoned")}
			}
			var got wire.Change
			if err := got.Decode(c.Append(nil)); err != nil || len(got.Records) != len(c.Records) || len(got.Gone) != len(c.Gone) || !reflect.DeepEqual(got.Rest, c.Rest) {
				rt.Fatalf("got %+v, %v, want %+v", got, err, c)
			}
			all = append(all, got)
			for _, g := range got.Gone {
				delete(want, key{g.Set, g.Name})
			}
			for _, r := range got.Records {
				want[key{r.Set, r.Name}] = r
			}
		}
		s.Fold(all)
		upYet := false
		for _, r := range s.Records {
			if upYet = upYet || r.Set == wire.Up; r.Set == wire.Nodes && upYet {
				rt.Fatal("a record of nodes comes after one of up")
			}
			k := key{r.Set, r.Name}
			if want[k] != r {
				rt.Fatalf("%+v is in it", r)
			}
			delete(want, k)
		}
		if len(want) > 0 {
			rt.Fatalf("it lacks %+v", want)
		}
		if n := len(all); n > 0 && (s.Wall != all[n-1].Wall || s.LastContact != all[n-1].LastContact) {
			rt.Fatalf("its times are %d, %d", s.Wall, s.LastContact)
		}
	})
}
