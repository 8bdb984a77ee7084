package native

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// TestWrongClock: the clock of a node jumps by an hour. All say so, and why it is
// down, itself too; it takes no changes, and is a node like others when it is right.
func TestWrongClock(t *testing.T) {
	var ahead atomic.Int64
	var right, wrong logged
	dev1 := real(t, "dev1", func(c *Config) { c.Log = right.logger() })
	dev2 := real(t, "dev2", join(dev1.addr))
	dev3 := real(t, "dev3", join(dev1.addr), func(c *Config) {
		c.Log = wrong.logger()
		c.Clock = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	})
	all := []*mortal{dev1, dev2, dev3}
	agree(t, "", all...)
	if s := dev3.Status(); len(s.Clocks) > 0 || !s.OwnClockSince.IsZero() {
		t.Fatalf("with clocks that are right: %+v", s)
	}

	ahead.Store(int64(time.Hour))
	off := func(by *mortal, of string) int64 {
		var node NodeJSON
		answer := httptest.NewRecorder()
		by.Handler().ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "http://"+by.addr+"/v1/nodes/"+of, nil))
		if err := json.Unmarshal(answer.Body.Bytes(), &node); err != nil {
			t.Fatal(err)
		}
		if node.State != "down" || node.Reason != "clock-skew" {
			return 0
		}
		return (time.Duration(node.AheadMicros) * time.Microsecond).Round(time.Minute).Milliseconds() / 60_000
	}
	eventually(t, "the others show it down, and why", func() bool { return off(dev1, "dev3") == 60 && off(dev2, "dev3") == 60 })
	eventually(t, "it shows the others down, and why", func() bool { return off(dev3, "dev1") == -60 && off(dev3, "dev2") == -60 })
	if s := dev1.Status(); len(s.Clocks) != 1 || s.Clocks[0].Name != "dev3" || s.Clocks[0].Since.IsZero() || !s.OwnClockSince.IsZero() {
		t.Errorf("a node whose clock is right: %+v", s)
	}
	if s := dev3.Status(); len(s.Clocks) != 2 || s.OwnClockSince.IsZero() {
		t.Errorf("the node whose clock is wrong: %+v", s)
	}
	if names(dev1.Up()) != "dev1 dev2" {
		t.Errorf("up are %s", names(dev1.Up()))
	}
	for what, err := range map[string]error{
		"add": second(dev3.Add(soon(t), "never-heard-of", "127.0.0.1:1")),
		"del": dev3.Del(soon(t), "dev2"),
	} {
		if no := (*CommandError)(nil); !errors.As(err, &no) || no.Code != wire.CodeSkew {
			t.Errorf("%s at a node that nobody hears: %v", what, err)
		}
	}

	ahead.Store(0)
	agree(t, "", all...)
	eventually(t, "no clock is wrong any more", func() bool {
		for _, n := range all {
			if s := n.Status(); len(s.Clocks) > 0 || !s.OwnClockSince.IsZero() {
				return false
			}
		}
		return true
	})
	if began, ended := right.count("a clock is wrong"), right.count("the clock is not wrong any more"); began != 1 || ended != 1 {
		t.Errorf("the others' logs say %d times that a clock is wrong, and %d times that it is not", began, ended)
	}
	if began, ended := wrong.count("this node's clock is wrong"), wrong.count("this node's clock is not wrong any more"); began != 1 || ended != 1 {
		t.Errorf("its log says %d times that its clock is wrong, and %d times that it is not", began, ended)
	}
}

func second[T any](_ T, err error) error { return err }

// TestWrongClockAtJoin: a node that never was in has nobody to name, and says what
// is wrong all the same.
func TestWrongClockAtJoin(t *testing.T) {
	var ahead atomic.Int64
	ahead.Store(int64(-2 * time.Hour))
	dev1 := real(t, "dev1")
	dev2 := real(t, "dev2", join(dev1.addr), func(c *Config) {
		c.Clock = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	})
	eventually(t, "both say why", func() bool {
		s := dev2.Status()
		return len(dev1.Status().Clocks) == 1 && len(s.Clocks) == 1 && s.Clocks[0].Address == dev1.addr && s.Clocks[0].Text != "" && !s.OwnClockSince.IsZero()
	})
	ahead.Store(0)
	agree(t, "", dev1, dev2)
	for _, n := range []*mortal{dev1, dev2} {
		eventually(t, n.cfg.Name+" has forgotten it", func() bool { s := n.Status(); return len(s.Clocks) == 0 && s.OwnClockSince.IsZero() })
	}
}

// TestClocks: what is told of clocks is told once, and ends with whatever shows that
// it is over.
func TestClocks(t *testing.T) {
	node := func(name string, s core.State, instance uint64) core.Event {
		return core.Event{Kind: core.EventNode, Node: core.Node{Name: name, State: s, Instance: wire.Instance{Nonce: instance}}}
	}
	dev3, gone := node("dev3", core.Alive, 1), node("dev3", core.Down, 1)
	again, later := node("dev2", core.Alive, 1), node("dev2", core.Alive, 1)
	again.Node.Incarnation, later.Node.Incarnation = time.Now().UnixMicro(), time.Now().Add(time.Hour).UnixMicro()
	up, down := node("dev2", core.Alive, 1), node("dev2", core.Down, 1)
	wrong := core.Event{Kind: core.EventSkew, Name: "dev2", Addr: "127.0.0.1:2", Code: wire.CodeSkew, Skew: 61_000_000}
	refused := core.Event{Kind: core.EventRefused, Name: "dev2", Addr: "127.0.0.1:2", Code: wire.CodeSkew, Text: "no"}
	nameless := core.Event{Kind: core.EventRefused, Addr: "127.0.0.1:2", Code: wire.CodeSkew, Text: "no"}
	record := core.Event{Kind: core.EventSkew, Name: "dev2", Skew: 61_000_000}
	right := core.Event{Kind: core.EventSkew, Name: "dev2"}
	for name, test := range map[string]struct {
		events []core.Event
		want   string // began, ended, and in capitals of the own clock
		left   int
	}{
		"told again and again": {[]core.Event{up, dev3, refused, wrong, refused, wrong}, "b", 1},
		"right again":          {[]core.Event{up, dev3, wrong, right, right}, "be", 0},
		"with all others":      {[]core.Event{up, wrong, down}, "bB", 1},
		"the other is down":    {[]core.Event{up, dev3, wrong, gone}, "bB", 1},
		"up again":             {[]core.Event{up, wrong, down, up, right}, "bBeE", 0},
		"still up":             {[]core.Event{up, dev3, wrong, node("dev2", core.Suspect, 1), up}, "b", 1},
		"says the time":        {[]core.Event{up, dev3, wrong, node("dev2", core.Suspect, 1), again}, "be", 0},
		"says another time":    {[]core.Event{up, dev3, wrong, node("dev2", core.Suspect, 1), later}, "b", 1},
		"another process":      {[]core.Event{up, dev3, wrong, node("dev2", core.Alive, 2)}, "be", 0},
		"removed":              {[]core.Event{up, dev3, wrong, node("dev2", core.Removed, 1)}, "b", 0},
		"a record of tomorrow": {[]core.Event{up, record}, "", 0},
		"at join":              {[]core.Event{nameless, nameless}, "bB", 1},
		"at join, and named":   {[]core.Event{up, dev3, nameless, wrong, nameless}, "bb", 1},
		"in after all":         {[]core.Event{nameless, up}, "bBE", 0},
	} {
		t.Run(name, func(t *testing.T) {
			k := clocks{now: time.Now, epoch: time.Now()}
			var b board
			got := ""
			for _, e := range test.events {
				before, known := b.apply(&e, time.Time{})
				is, member := b.view.Get(e.Name)
				for _, news := range k.take(&e, "dev1", before, known, is, member) {
					switch {
					case news.own && news.over:
						got += "E"
					case news.own:
						got += "B"
					case news.over:
						got += "e"
					default:
						got += "b"
					}
				}
			}
			if left, alone := k.status(); got != test.want || len(left) != test.left || (left == nil) || alone.IsZero() == (strings.Count(got, "B") > strings.Count(got, "E")) {
				t.Errorf("told %q and not %q; %+v are left, alone since %s", got, test.want, left, alone)
			}
		})
	}
}

// TestClockIsSet: what was told of others' clocks is of no use once the own was set.
func TestClockIsSet(t *testing.T) {
	var ahead time.Duration
	k := clocks{now: func() time.Time { return time.Now().Add(ahead) }, epoch: time.Now()}
	for _, name := range []string{"dev2", "dev3"} {
		k.take(&core.Event{Kind: core.EventSkew, Name: name, Code: wire.CodeSkew, Skew: 61_000_000}, "dev1", core.Node{}, false, core.Node{Name: name, State: core.Down}, true)
	}
	if all, alone := k.status(); len(all) != 2 || alone.IsZero() {
		t.Fatalf("%+v, alone since %s", all, alone)
	}
	ahead = time.Minute
	if all, alone := k.status(); len(all) != 0 || !alone.IsZero() {
		t.Errorf("its clock was set: %+v, alone since %s", all, alone)
	}
	if news := k.take(&core.Event{Kind: core.EventFresh}, "dev1", core.Node{}, false, core.Node{}, false); len(news) != 3 {
		t.Errorf("told are %+v", news)
	}
}
