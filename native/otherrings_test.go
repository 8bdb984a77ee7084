package native

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// TestOtherRings: who of another ring is met is known for a while, longer if that happens again, and until
// it is let in, or is to be met no more. There is an end to how many are kept.
func TestOtherRings(t *testing.T) {
	now := time.Unix(1.8e9, 0)
	var o otherRings
	refused := func(name, addr string) *core.Event {
		return &core.Event{Kind: core.EventRefused, Name: name, Addr: addr, Code: wire.CodeRing, Text: "dev9 and dev1 are of two rings. To make them one, …"}
	}
	take := func(e *core.Event) { o.take(e, core.Node{}, false, now) }
	is := func(want string) {
		t.Helper()
		var all []string
		for _, r := range o.list(now) {
			all = append(all, r.Name+"@"+r.Address)
		}
		if got := strings.Join(all, " "); got != want {
			t.Errorf("%q, not %q", got, want)
		}
	}
	node := func(name, addr string, s core.State) *core.Event {
		return &core.Event{Kind: core.EventNode, Node: core.Node{Name: name, Address: addr, State: s}}
	}
	take(refused("", "a:1"))
	take(refused("dev9", "b:1"))
	take(&core.Event{Kind: core.EventRefused, Name: "dev8", Addr: "c:1", Code: wire.CodeSkew})
	is("@a:1 dev9@b:1")
	if text := othersMet(o.list(now)); text != "at a:1, last at 2027-01-15T08:00:00Z: dev9 and dev1 are of two rings; dev9 at b:1, last at 2027-01-15T08:00:00Z: dev9 and dev1 are of two rings" {
		t.Error(text)
	}
	now = now.Add(metOnce - time.Second)
	take(refused("dev9", "b:2"))
	is("@a:1 dev9@b:2")
	now = now.Add(time.Second)
	is("dev9@b:2")
	now = now.Add(metAgain - time.Second)
	is("")

	for _, over := range []struct {
		what string
		do   func()
	}{
		{"it is let in", func() { take(node("dev9", "c:1", core.Alive)) }},
		{"who is there is let in", func() { take(node("dev7", "b:1", core.Alive)) }},
		{"it is a member no more", func() { take(node("dev9", "c:1", core.Removed)) }},
		{"nobody is there", func() { o.gone("b:1") }},
	} {
		take(refused("dev9", "b:1"))
		take(node("dev7", "d:1", core.Alive))
		take(node("dev9", "b:1", core.Down))
		o.take(node("dev9", "b:1", core.Alive), core.Node{State: core.Suspect}, true, now)
		o.dropped([]string{"b:1"}, nil)
		is("dev9@b:1")
		if over.do(); len(o.list(now)) > 0 {
			t.Errorf("%s: %v", over.what, o.list(now))
		}
	}
	take(refused("", "b:1"))
	o.dropped([]string{"b:1", "c:1"}, []string{"b:1"})
	is("@b:1")
	o.dropped([]string{"b:1"}, nil)
	is("")

	for i := range 2 * mostOthers {
		take(refused(fmt.Sprint("n", i), fmt.Sprint("h:", i)))
	}
	if all := o.list(now); len(all) != mostOthers || !strings.HasSuffix(othersMet(all), "; and 61 more") {
		t.Errorf("%d, %s", len(all), othersMet(all))
	}
}

// TestMeetsAnotherRing: both sides say so, and whom they met; who has joined is ready all the same.
// What was wrong is told no more once it is right.
func TestMeetsAnotherRing(t *testing.T) {
	foreign := real(t, "dev9", func(c *Config) { c.Ring = "another" })
	a := real(t, "dev1")
	b := real(t, "dev2", join(a.Addr()))
	if err := b.Joined(soon(t)); err != nil {
		t.Fatal(err)
	}
	if err := b.SetJoin([]string{a.Addr(), foreign.Addr()}); err != nil {
		t.Fatal(err)
	}
	met := func(n *mortal, is bool, wants ...string) {
		t.Helper()
		eventually(t, "a condition", func() bool {
			text, says := "", is
			for _, c := range n.Status().Conditions {
				if c.Code == "wrong-ring" {
					text = c.Text
				}
			}
			for _, want := range wants {
				says = says && strings.Contains(text, want)
			}
			return says == is && is == (text != "")
		})
	}
	met(b, true, "at "+foreign.Addr(), "dev2 belongs to the ring "+testRing+", dev9 to another")
	met(foreign, true, "dev2 at 127.0.0.1:", "belongs to the ring "+testRing)
	isReady(t, b.Node, 200, "ok")
	isReady(t, foreign.Node, 200, "ok")
	if got := metricsOf(t, b.Node)[`nanoring_condition{code="wrong-ring",severity="warning"}`]; got != 1 {
		t.Errorf("the metric is %v", got)
	}
	if err := b.SetJoin([]string{a.Addr()}); err != nil {
		t.Fatal(err)
	}
	met(b, false)
}
