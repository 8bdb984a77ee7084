package native

import (
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

const (
	maxClocks = 1000            // that are known to be wrong at a time
	clockPast = 3 * time.Minute // without a refusal, after which the clock of who is up, or no member, is right as far as is known
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
	now   func() time.Time
	epoch time.Time

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
	clock  time.Duration // this node's, less the time that passed, when it was heard
}

// clockNews is what an operator is told, once.
type clockNews struct {
	Clock
	own      bool // of this node's clock: nobody lets it in
	over     bool
	stranger bool // who makes names up at will
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
	news = append(news, k.forget()...)
	switch alone := k.isAlone(); {
	case alone && k.alone.IsZero():
		k.alone = k.now().UTC()
		began := clockNews{own: true}
		if all := k.list(); len(all) > 0 {
			began.Clock = all[0]
		}
		news = append(news, began)
	case !alone && !k.alone.IsZero():
		k.alone = time.Time{}
		news = append(news, clockNews{own: true, over: true})
	}
	return news
}

func (l *loop) watchClocks(e *core.Event, before core.Node, known bool) {
	is, member := l.Get(e.Name)
	for _, news := range l.clocks.take(e, l.cfg.Name, before, known, is, member) {
		l.logClock(news)
	}
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

// node takes in what became of a node. Who comes up was let in by somebody, another
// process may have another clock, and who refutes a suspicion says what time it has.
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
	case is && (!was || now.Instance != before.Instance || now.Incarnation > before.Incarnation && k.agrees(now.Incarnation)):
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
	key := k.key(e)
	a := k.apart[key]
	began := a == nil
	if began {
		if len(k.apart) >= maxClocks {
			return nil
		}
		a = &apart{Clock: Clock{Name: e.Name, Address: e.Addr, Since: k.now().UTC()}}
		if k.apart == nil {
			k.apart = make(map[string]*apart)
		}
		k.apart[key] = a
	}
	a.heard, a.clock = time.Now(), k.clock()
	if e.Name != "" {
		a.member, a.up = member, member && isUp(is.State) && !is.Ephemeral
	}
	if e.Skew != 0 {
		a.AheadMicros = e.Skew
	}
	if e.Text != "" {
		a.Text = e.Text
	}
	if !began {
		return nil
	}
	return []clockNews{{Clock: a.Clock, stranger: !a.member}}
}

// key is by what a node is kept. Its address says who it is, if that was learnt.
func (k *clocks) key(e *core.Event) string {
	if e.Name != "" {
		if a := k.apart[e.Addr]; a != nil && a.Name == "" {
			delete(k.apart, e.Addr)
		}
		return e.Name
	}
	for name, a := range k.apart {
		if a.Address == e.Addr {
			return name
		}
	}
	return e.Addr
}

func (k *clocks) right(name string) []clockNews {
	a := k.apart[name]
	if a == nil {
		return nil
	}
	delete(k.apart, name)
	return []clockNews{{Clock: a.Clock, over: true}}
}

func (k *clocks) agrees(stamp int64) bool {
	ahead := stamp - k.now().UnixMicro()
	return ahead <= core.MaxSkew && ahead >= -core.MaxSkew
}

// clock is what this node's clock is ahead of the time that passes: it changes when the
// clock is set.
func (k *clocks) clock() time.Duration {
	return time.Duration(k.now().UnixNano()-k.epoch.UnixNano()) - time.Since(k.epoch)
}

// past says whether something is not known to be wrong any more: nobody was refused for
// long (who is down is not asked often), or this node's clock was set since.
func (k *clocks) past(a *apart) bool {
	return (a.up || !a.member) && time.Since(a.heard) > clockPast || (k.clock()-a.clock).Abs() > time.Second
}

// forget forgets what is past; strangers just go.
func (k *clocks) forget() (news []clockNews) {
	for key, a := range k.apart {
		if !k.past(a) {
			continue
		}
		delete(k.apart, key)
		if a.member {
			news = append(news, clockNews{Clock: a.Clock, over: true})
		}
	}
	return news
}

// list returns them sorted by name.
func (k *clocks) list() []Clock {
	all := make([]Clock, 0, len(k.apart))
	for _, a := range k.apart {
		if !k.past(a) {
			all = append(all, a.Clock)
		}
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
		if a := k.apart[nodes[i].Name]; a != nil && !k.past(a) {
			nodes[i].Reason, nodes[i].AheadMicros = wire.CodeSkew.String(), a.AheadMicros
		}
	}
	return nodes
}
