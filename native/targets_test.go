package native

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// TestTargets: Prometheus is told of all durable nodes that it could ask, and of no others.
func TestTargets(t *testing.T) {
	node := func(name, address string, change func(*core.Node)) core.Effect {
		n := core.Node{Name: name, State: core.Alive, Address: address}
		change(&n)
		return emit(core.Event{Kind: core.EventNode, Node: n})
	}
	n := startFake(t, newFake(func(in core.Input) []core.Effect {
		if in.Kind != core.Start {
			return nil
		}
		return []core.Effect{
			node("dev1", "10.0.0.1:7001", func(n *core.Node) {
				n.Tags = []wire.Tag{{Key: "a.zone-ü", Value: "b\n"}, {Key: "role", Value: "web"}}
			}),
			node("dev2", "[fd00::2]:7001", func(n *core.Node) { n.State, n.Cordoned = core.Down, true }),
			node("tab", "10.0.0.3:7001", func(n *core.Node) { n.Ephemeral = true }),
			node("mute", "", func(n *core.Node) {}),
		}
	}))
	eventually(t, "the nodes", func() bool { return len(n.All()) == 4 })
	dev1 := TargetJSON{[]string{"10.0.0.1:7001"}, map[string]string{
		"__meta_nanoring_name": "dev1", "__meta_nanoring_ring": testRing, "__meta_nanoring_state": "up", "__meta_nanoring_tag_a_zone__": "b\n", "__meta_nanoring_tag_role": "web",
	}}
	dev2 := TargetJSON{[]string{"[fd00::2]:7001"}, map[string]string{
		"__meta_nanoring_name": "dev2", "__meta_nanoring_ring": testRing, "__meta_nanoring_state": "down", "__meta_nanoring_cordoned": "true",
	}}
	for query, want := range map[string][]TargetJSON{"": {dev1, dev2}, "?tag=role=web": {dev1}, "?tag=role=db": {}} {
		got := ask(t, httpClient(t), "GET", "http://"+n.Addr()+"/v1/targets"+query, "")
		var all []TargetJSON
		if err := json.Unmarshal([]byte(got.body), &all); err != nil || got.typ != "application/json" || !reflect.DeepEqual(all, want) {
			t.Errorf("%q: %d %s %s, %v", query, got.status, got.typ, got.body, err)
		}
	}
}
