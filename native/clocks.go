package native

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

const (
	maxClocks = 1000            // that are known to be wrong at a time
	clockPast = 3 * time.Minute // without news, after which the clock of somebody who is no member is forgotten
)

// Clock is the clock of a node that is so far from this node's that the two do not
// let each other in; docs/api.md has its fields.
type Clock struct {
	Name        string    `json:"name"`
	Address     string    `json:"address"`
	AheadMicros int64     `json:"ahead_micros"`
	Since       time.Time `json:"since"`
	Text        string    `json:"text"`
}

// clocks knows from the engine's events whose clocks keep them and this node apart.
type clocks struct {
	now func() time.Time

	mu    sync.Mutex
	apart map[string]*apart // by name; of a node whose name was not learnt by address
	peers int               // other durable nodes that are up
	alone time.Time         // since when none of those has the same time, and some clock is wrong; zero if one has
}

type apart struct {
	Clock
	member bool
	up     bool // it counts among the peers
	heard  time.Time
}

// clockNews is what an operator is told, once.
type clockNews struct {
	Clock
	own  bool // of this node's clock: nobody lets it in
	over bool
}

// take takes in an event. If it is of a node, before is what was known of it, if known
// is set; else is is the node of its name, if member is set.
func (k *clocks) take(e *core.Event, self string, before core.Node, known bool, is core.Node, member bool) (news []clockNews) {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case e.Kind == core.EventNode && e.Node.Name != self:
		news = k.node(e.Node, before, known)
	case (e.Kind == core.EventSkew || e.Kind == core.EventRefused) && e.Code == wire.CodeSkew:
		news = k.wrong(e, is, member)
	case e.Kind == core.EventSkew && e.Skew == 0:
		news = k.right(e.Name)
	}
	switch alone := k.isAlone(); {
	case alone && k.alone.IsZero():
		k.alone = k.now().UTC()
		news = append(news, clockNews{Clock: k.list()[0], own: true})
	case !alone && !k.alone.IsZero():
		k.alone = time.Time{}
		news = append(news, clockNews{own: true, over: true})
	}
	return news
}

func (k *clocks) isAlone() bool {
	apart := 0
	for _, a := range k.apart {
		if a.up {
			apart++
		}
	}
	return len(k.apart) > 0 && apart == k.peers
}

// node takes in what became of a node. Who comes up was let in by somebody, and
// another process may have another clock.
func (k *clocks) node(now, before core.Node, known bool) []clockNews {
	was, is := known && isUp(before.State), isUp(now.State)
	if !now.Ephemeral && was != is {
		if is {
			k.peers++
		} else {
			k.peers--
		}
	}
	if a := k.apart[now.Name]; a != nil {
		a.up = is && !now.Ephemeral
	}
	switch {
	case now.State == core.Removed:
		delete(k.apart, now.Name)
	case is && (!was || now.Instance != before.Instance):
		if !now.Ephemeral {
			for key, a := range k.apart {
				if a.Name == "" {
					delete(k.apart, key) // this node is let in
				}
			}
		}
		return k.right(now.Name)
	}
	return nil
}

// wrong takes in a refusal for a clock. Who is refused is told by how much in words
// alone, until it has heard the other's clock.
func (k *clocks) wrong(e *core.Event, is core.Node, member bool) []clockNews {
	key := e.Name
	if key == "" {
		key = e.Addr
	}
	a := k.apart[key]
	began := a == nil
	if began {
		if k.forget(); len(k.apart) >= maxClocks {
			return nil
		}
		a = &apart{Clock: Clock{Name: e.Name, Address: e.Addr, Since: k.now().UTC()}}
		if k.apart == nil {
			k.apart = make(map[string]*apart)
		}
		k.apart[key] = a
	}
	a.member, a.up, a.heard = member, member && isUp(is.State) && !is.Ephemeral, time.Now()
	if e.Skew != 0 {
		a.AheadMicros = e.Skew
	}
	if e.Text != "" {
		a.Text = e.Text
	}
	if !began {
		return nil
	}
	return []clockNews{{Clock: a.Clock}}
}

func (k *clocks) right(name string) []clockNews {
	a := k.apart[name]
	if a == nil {
		return nil
	}
	delete(k.apart, name)
	return []clockNews{{Clock: a.Clock, over: true}}
}

// forget forgets strangers that have gone.
func (k *clocks) forget() {
	maps.DeleteFunc(k.apart, func(_ string, a *apart) bool { return !a.member && time.Since(a.heard) > clockPast })
}

// list returns them sorted by name.
func (k *clocks) list() []Clock {
	k.forget()
	all := make([]Clock, 0, len(k.apart))
	for _, a := range k.apart {
		all = append(all, a.Clock)
	}
	slices.SortFunc(all, func(a, b Clock) int {
		return strings.Compare(a.Name+"@"+a.Address, b.Name+"@"+b.Address)
	})
	return all
}

// status returns whose clocks are wrong, and since when that keeps this node out.
func (k *clocks) status() ([]Clock, time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	all, alone := k.list(), k.alone
	if len(all) == 0 {
		alone = time.Time{}
	}
	return all, alone
}

// explain adds to nodes why they are not let in.
func (k *clocks) explain(nodes ...NodeJSON) []NodeJSON {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.apart) == 0 {
		return nodes
	}
	for i := range nodes {
		if a := k.apart[nodes[i].Name]; a != nil {
			nodes[i].Reason, nodes[i].AheadMicros = wire.CodeSkew.String(), a.AheadMicros
		}
	}
	return nodes
}
