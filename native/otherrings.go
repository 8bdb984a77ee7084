package native

import (
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

const (
	mostOthers  = 64              // nodes of other rings that are known
	shownOthers = 3               // of them in a condition
	metOnce     = 5 * time.Minute // for how long it is told of one that was met once, by a slip perhaps,
	metAgain    = time.Hour       // and of one that is met again: an address to join is dialled every 1,024 periods at least
)

// OtherRing is a node of another ring that this one dialled, or was dialled by, and that it did
// not let in, or that did not let it in, for that; docs/api.md has its fields.
type OtherRing struct {
	Name    string    `json:"name"`
	Address string    `json:"address"`
	Since   time.Time `json:"since"`
	Last    time.Time `json:"last"`
	Text    string    `json:"text"`

	again bool // it was met more than once
}

// otherRings knows from the engine's events who of other rings was met lately.
type otherRings struct {
	mu  sync.Mutex
	met []OtherRing // in the order of Since
}

// take takes in an event. If it is of a node, before is what was known of it, if known is set.
func (o *otherRings) take(e *core.Event, before core.Node, known bool, now time.Time) {
	switch {
	case e.Kind == core.EventRefused && e.Code == wire.CodeRing:
		o.meet(e.Name, e.Addr, e.Text, now)
	case e.Kind == core.EventNode && (e.Node.State == core.Removed || isUp(e.Node.State) && !(known && isUp(before.State))):
		o.over(func(r *OtherRing) bool {
			return r.Name == e.Node.Name || isUp(e.Node.State) && r.Address != "" && r.Address == e.Node.Address
		})
	}
}

func (o *otherRings) meet(name, addr, text string, now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.met = slices.DeleteFunc(o.met, func(r OtherRing) bool { return r.past(now) })
	i := slices.IndexFunc(o.met, func(r OtherRing) bool { return name != "" && r.Name == name || r.Address == addr })
	switch {
	case i >= 0:
		r := &o.met[i]
		r.Address, r.Text, r.Last, r.again = addr, text, now.UTC(), true
		if name != "" {
			r.Name = name
		}
	case len(o.met) < mostOthers:
		o.met = append(o.met, OtherRing{Name: name, Address: addr, Text: text, Since: now.UTC(), Last: now.UTC()})
	}
}

func (r *OtherRing) past(now time.Time) bool {
	if r.again {
		return now.Sub(r.Last) >= metAgain
	}
	return now.Sub(r.Last) >= metOnce
}

// over forgets those of which that is no more.
func (o *otherRings) over(is func(*OtherRing) bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.met = slices.DeleteFunc(o.met, func(r OtherRing) bool { return is(&r) })
}

// gone takes note that nobody is at an address any more.
func (o *otherRings) gone(addr string) {
	o.over(func(r *OtherRing) bool { return r.Address == addr })
}

// dropped takes note that an address is to be joined no more. Whom this node has met there said no name.
func (o *otherRings) dropped(before, now []string) {
	o.over(func(r *OtherRing) bool {
		return r.Name == "" && slices.Contains(before, r.Address) && !slices.Contains(now, r.Address)
	})
}

// list returns them, those first that were met first.
func (o *otherRings) list(now time.Time) []OtherRing {
	o.mu.Lock()
	defer o.mu.Unlock()
	all := []OtherRing{}
	for _, r := range o.met {
		if !r.past(now) {
			all = append(all, r)
		}
	}
	return all
}

// othersMet says of some for people who they are, and when they were met last.
func othersMet(all []OtherRing) string {
	var some []string
	for _, r := range all[:min(len(all), shownOthers)] {
		who := "at " + r.Address
		if r.Name != "" {
			who = r.Name + " " + who
		}
		why, _, _ := strings.Cut(r.Text, ". ") // the rest is what to do
		some = append(some, who+", last at "+stamp(r.Last)+": "+truncate(why, maxSaid))
	}
	if more := len(all) - len(some); more > 0 {
		some = append(some, "and "+strconv.Itoa(more)+" more")
	}
	return strings.Join(some, "; ")
}
