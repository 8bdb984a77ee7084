package core

import (
	"fmt"
	"testing"

	"github.com/nanoring/nanoring/core/wire"
)

// TestCensus: what is counted is what a count of all names would give.
func TestCensus(t *testing.T) {
	r := newCopy(t, Config{})
	guest := wire.Member{Ephemeral: true}
	x, y := wire.Presence{Address: "x:1"}, wire.Presence{Via: "x"}
	for _, step := range []struct {
		what string
		w    wire.Record
		want string // durable, of them up, lost, and through x
	}{
		{"x is added", r.node("x", 9, rankAdd, durable), "1 0 [x] []"},
		{"and up", r.presence("x", 9, rankUp, x), "1 1 [] []"},
		{"a guest of it is added", r.node("tab", 9, rankAdd, guest), "1 1 [] []"},
		{"and up", r.presence("tab", 9, rankUp, wire.Presence{Ephemeral: true, Via: "x"}), "1 1 [] [tab]"},
		{"y, that cannot be dialled, is added", r.node("y", 9, rankAdd, wire.Member{}), "2 1 [y] [tab]"},
		{"and up", r.presence("y", 9, rankUp, y), "2 2 [] [tab y]"},
		{"x is suspect, and counts as up", r.presence("x", 9, rankSuspect, x), "2 2 [] [tab y]"},
		{"it is down", r.presence("x", 9, rankDown, x), "2 1 [x] [tab y]"},
		{"the guest goes to y", r.presence("tab", 8, rankUp, wire.Presence{Ephemeral: true, Via: "y"}), "2 1 [x] [y]"},
		{"and leaves", r.presence("tab", 8, rankLeft, wire.Presence{Ephemeral: true, Via: "y"}), "2 1 [x] [y]"},
		{"y can be dialled", r.presence("y", 8, rankUp, wire.Presence{Address: "y:1"}), "2 1 [x] []"},
		{"y is deleted", r.node("y", 8, rankDel, wire.Member{}), "1 0 [x] []"},
		{"and added again, up as it is", r.node("y", 7, rankAdd, wire.Member{}), "2 1 [x] []"},
		{"x is up again", r.presence("x", 7, rankUp, x), "2 2 [] []"},
		{"the name of a guest that left is a node's now", r.node("tab", 10, rankAdd, durable), "3 2 [tab] []"},
	} {
		r.told(step.w)
		through := []string{}
		if s := r.through["x"]; s != nil {
			through = s.list
		}
		if got := fmt.Sprintf("%d %d %v %v", r.durable, r.peersUp, append([]string{}, r.lost.list...), through); got != step.want {
			t.Errorf("%s: %s, want %s", step.what, got, step.want)
		}
	}
	if r.told(r.node("x", 0, rankDel, durable), r.node("y", 0, rankDel, durable)); !r.alone() {
		t.Error("one durable member is not alone")
	}
}
