package core

import (
	"slices"
	"strconv"

	"github.com/nanoring/nanoring/core/wire"
)

// hearing owns who hears messages by this node: its own programs, and its guests.
type hearing struct {
	*self
	replica   *replica
	overlay   *overlay
	spread    *spread
	questions *questions
	mine      Subscription
	said      bool // mine is not empty, or was not: a guest tells its gateway
}

//go:noinline
func (s *Subscription) all() []string { return append(slices.Clone(s.Messages), s.Questions...) }

// subscribe changes what this node's programs hear.
func (h *hearing) subscribe(s *Subscription) (wire.Code, string) {
	if n := len(s.all()); n > wire.MaxTopics {
		return wire.CodeInvalid, strconv.Itoa(n) + " patterns of topics: a node hears " + strconv.Itoa(wire.MaxTopics)
	}
	mine := Subscription{keptAll(s.Messages), keptAll(s.Questions)}
	for _, pattern := range mine.all() {
		if err := wire.ValidPattern(pattern); err != nil {
			return wire.CodeInvalid, err.Error()
		}
	}
	h.mine = mine
	h.said = h.said || len(mine.all()) > 0
	if c := h.overlay.gateway(); c != nil && h.cfg.Ephemeral && h.said {
		h.tellGateway(c, 0)
	}
	return 0, ""
}

// greet tells a guest's gateway what it hears, and what it has heard: so it misses
// nothing between two of them.
func (h *hearing) greet(c *conn) {
	if h.said {
		h.tellGateway(c, h.spread.window.back())
	}
	if own := h.spread.window.find(h.cfg.Name, h.cfg.Instance); own != nil && len(own.kept) > 0 {
		st := h.spread.window.seenStream(own)
		st.Old = st.Upto // no other way is quicker
		h.spread.show(c, wire.KindSeen, 0, st)
	}
}

func (h *hearing) tellGateway(c *conn, back uint64) {
	f := wire.Frame{Kind: wire.KindHear, Topics: h.mine.all(), Window: back}
	for _, s := range h.spread.window.active {
		if back > 0 && s.name != h.cfg.Name {
			push(&f.Streams, wire.Stream{Name: s.name, Instance: s.instance, Upto: s.last})
		}
	}
	h.send(c, &f)
}

// asks takes in what a guest wants to hear, and has heard.
func (h *hearing) asks(c *conn, f *wire.Frame) {
	c.line.topics, c.line.hears = keptAll(f.Topics), true
	if f.Window == 0 {
		return
	}
	w := h.spread.window
	for i := range f.Streams {
		st := &f.Streams[i]
		if s := w.find(st.Name, st.Instance); s != nil && len(s.kept) > 0 {
			s.upto = st.Upto
		}
	}
	c.line.own = nil
	for _, s := range w.active {
		for i, n := range s.kept[:s.heard] {
			if before := n.Seq - n.Step; i == 0 && before > s.upto && w.age(n.sent)+n.Since < f.Window {
				h.owe(c, h.gap(s, before)) // this node was not up yet
			}
			if n.Seq > s.upto && w.age(n.sent) < f.Window {
				h.owe(c, n)
			}
		}
		s.upto = 0
	}
}

// owe makes a message owed to a guest that is to hear it.
//
//go:noinline
func (h *hearing) owe(c *conn, n *news) {
	if n.Name != c.name && (n.Verb == wire.VerbGap || n.says() && c.hears(n.Topic)) {
		push(&c.line.own, n)
		h.spread.soon(coalesce)
	}
}

// loseOld makes gaps of the older half of what a guest is owed that does not read, one of each
// stream, when that is no news any more.
func (h *hearing) loseOld(c *conn) {
	var gaps []*news
	half := len(c.line.own) / 2
	if half < maxOwn/2 || !h.spread.isOld(c.line.own[half]) {
		return
	}
	for _, n := range c.line.own[:half] {
		s := n.stream
		if s.upto == 0 {
			push(&gaps, h.gap(s, n.Seq))
		}
		s.upto = max(s.upto, n.Seq)
	}
	for _, g := range gaps {
		g.Seq, g.stream.upto = g.stream.upto, 0
	}
	c.line.own = append(gaps, c.line.own[half:]...)
}

// heard brings a message, whose turn in its stream it is, to all who hear it here.
func (h *hearing) heard(n *news) {
	for _, c := range h.overlay.live {
		if c.line.hears {
			h.loseOld(c)
			h.owe(c, n)
		}
	}
	if n.Verb == wire.VerbOff {
		h.questions.end(n.Name, n.Instance, n.Seq-n.Wait)
	}
	picked := n.says() && n.sent >= h.spread.window.since && h.isPicked(n)
	number := uint64(0)
	if one := h.questions.find(n.Name, n.Instance, n.Seq); one != nil {
		if picked && isLikeAny(h.mine.Questions, n.Topic) {
			number = h.questions.give(one)
		} else if picked {
			h.nobody(one, h.cfg.Name)
		}
		for _, c := range h.overlay.live {
			if c.guest && !c.hears(n.Topic) {
				h.nobody(one, c.name)
			}
		}
	}
	if number != 0 || picked && isLikeAny(h.mine.Messages, n.Topic) {
		e := h.bring(n.Name, n.Topic, n.Payload)
		if e.Question = number; n.Verb == wire.VerbAsk {
			e.Wait = max(n.sent+int64(n.Wait)*Millisecond-h.newsTime(), 1)
		}
	}
}

// nobody says that nobody answers at a node.
func (h *hearing) nobody(one *question, name string) {
	h.questions.put(one, wire.Answer{Name: name, Code: wire.CodeNobody})
}

// bring brings a message to this node's programs.
func (h *hearing) bring(name, topic, payload string) *Event {
	e := h.event(EventHeard)
	e.Name, e.Topic, e.Payload = name, topic, payload
	return e
}

// isPicked says whether a message's filter picks this node.
func (h *hearing) isPicked(n *news) bool {
	var me Node
	s := h.replica.look(h.cfg.Name)
	s.describe(h.cfg.Name, &me)
	f := FilterOf(n.Filter)
	return f.Match(&me)
}

// lost says that something of a stream was lost, up to a message of it.
func (h *hearing) lost(s *stream, upto uint64, to loss) {
	if to == lostNothing {
		return
	}
	if to == lostToAll {
		h.event(EventGap).Name = s.name
	}
	for _, c := range h.overlay.live {
		if c.line.hears {
			h.owe(c, h.gap(s, upto))
		}
	}
}

// gap is what a guest is told of what is lost of a stream: who has heard it all the
// same takes no notice.
func (h *hearing) gap(s *stream, upto uint64) *news {
	return &news{stream: s, sent: h.newsTime(), Message: wire.Message{Name: s.name, Instance: s.instance, Seq: upto, Verb: wire.VerbGap}}
}

// told brings what this node was told to who hears it, and says whether anybody does.
func (h *hearing) told(from, topic, payload string) bool {
	if !isLikeAny(h.mine.Messages, topic) {
		return false
	}
	h.bring(kept(from), kept(topic), kept(payload)).Told = true
	return true
}

// hears says whether a guest is to hear of a topic: it has asked for it, and may.
//
//go:noinline
func (c *conn) hears(topic string) bool {
	return isLikeAny(c.line.topics, topic) && (c.line.may == nil || isLikeAny(c.line.may.Hear, topic))
}

// maySend says whether a guest may send on a topic.
func (c *conn) maySend(topic string) bool {
	return c.line.may == nil || isLikeAny(c.line.may.Send, topic)
}

//go:noinline
func isLikeAny(patterns []string, s string) bool {
	for _, pattern := range patterns {
		if isLike(pattern, s) {
			return true
		}
	}
	return false
}
