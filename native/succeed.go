package native

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// One engine takes over from another in two cases: an operator swaps it, or it
// broke. Either way the connections stay, and what a peer's hello said, which is
// the first frame that came from it, is told to the next one.

// maxStory is how long a first frame is kept: a hello has no more.
const maxStory = 1 << 10

// story is what the next engine has to be told of a connection.
type story struct {
	open  opening
	came  bool   // a frame
	first []byte // nil if it is too long for a hello
	said  bool   // the engine has sent a frame
}

func (s *story) heard(frame []byte) {
	if s.came {
		return
	}
	s.came = true
	if len(frame) <= maxStory {
		s.first = bytes.Clone(frame)
	}
}

// told says whether the next engine can go on with the connection.
func (s *story) told() bool { return !s.came || s.first != nil }

// heir is an engine that is about to take over, and what it said at its start.
type heir struct {
	core.Engine
	make     maker
	snapshot []byte // that it was made of
	effects  []core.Effect
	view     core.View
	without  core.ConnID // a connection that is not inherited
}

// heir makes an engine of a snapshot, and tells it of all connections but one.
func (l *loop) heir(make maker, snapshot []byte, without core.ConnID) (*heir, error) {
	cfg := l.config
	cfg.Snapshot, cfg.Takeover, cfg.Seed = snapshot, true, random()
	engine, err := make(cfg)
	if err != nil {
		return nil, err
	}
	h := &heir{Engine: engine, make: make, snapshot: snapshot, without: without}
	for _, in := range append(l.inheritance(without), core.Input{Kind: core.Start}) {
		l.now(&in)
		if h.effects, err = engine.Step(in); err != nil {
			engine.Close()
			return nil, err
		}
	}
	for i := range h.effects {
		switch e := &h.effects[i]; e.Kind {
		case core.Emit:
			h.view.Apply(e.Event, 0)
		case core.Halt:
			engine.Close()
			return nil, fmt.Errorf("it halts at once: %s", e.Reason)
		}
	}
	return h, nil
}

// inheritance is what an engine is told before its Start: see core.Config.Takeover.
func (l *loop) inheritance(without core.ConnID) []core.Input {
	all := []core.Input{{Kind: core.Closed, Conn: l.lastDial}}
	for _, id := range slices.Sorted(maps.Keys(l.conns)) {
		s := &l.conns[id].story
		if id == without || !s.told() {
			continue
		}
		in := core.Input{Kind: core.Opened, Conn: id}
		s.open.describe(&in)
		all = append(all, in)
		if s.first != nil && s.said {
			all = append(all, core.Input{Kind: core.Received, Conn: id, Frame: s.first})
		}
	}
	return all
}

// agrees says how the heir's view differs from what the node shows.
func (l *loop) agrees(h *heir) error {
	shown := l.All()
	for _, node := range shown {
		has, ok := h.view.Get(node.Name)
		if !ok {
			return fmt.Errorf("it does not know %s, which is %s", node.Name, node.State)
		}
		if node.Name == l.cfg.Name { // it may speak another version of the protocol, and say so
			has.Incarnation, has.Version = node.Incarnation, node.Version
		}
		has.Since = node.Since // which is this node's to know
		if !reflect.DeepEqual(has, node) {
			return fmt.Errorf("to it %s is %+v, and not %+v", node.Name, has, node)
		}
	}
	if h.view.Len() != len(shown) {
		return errors.New("it knows nodes that are not there")
	}
	return nil
}

// succeed puts the heir in the place of the engine, and carries out what it said
// at its start. What the engine before had begun and not ended is begun again.
func (l *loop) succeed(h *heir) {
	l.engine.Close()
	l.put(h.Engine)
	l.make, l.base, l.store.follows = h.make, l.store.dirty, false
	if !l.sound {
		l.held, l.heldUpTo = h.snapshot, l.base
	}
	for id, cancel := range l.dials { // the heir dials whom it wants
		cancel()
		delete(l.dials, id)
	}
	var again []core.Input
	for _, id := range slices.Sorted(maps.Keys(l.conns)) {
		c := l.conns[id]
		switch s := &c.story; {
		case id == h.without:
			c.close(wire.CodeBadFrame, "this node cannot take what came")
			l.drop(id)
		case !s.told():
			c.close(wire.CodeRotated, "")
			l.drop(id)
		case s.first != nil && !s.said: // a hello that waits for its answer
			again = append(again, core.Input{Kind: core.Received, Conn: id, Frame: s.first})
		}
	}
	for _, id := range slices.Sorted(maps.Keys(l.answers)) {
		if cmd := l.answers[id]; cmd.Op < core.SendMessage || cmd.number >= l.heldFrom { // messages are handed over
			again = append(again, core.Input{Kind: core.Do, Command: cmd.Command})
		}
	}
	for i := range h.effects {
		if e := &h.effects[i]; e.Kind != core.Emit || !l.known(e.Event) {
			l.carryOut(e)
		}
	}
	for _, node := range l.All() {
		if _, ok := h.view.Get(node.Name); !ok {
			node.State = core.Removed
			l.emit(&core.Event{Kind: core.EventNode, Node: node})
		}
	}
	l.pending = append(again, l.pending...)
}

// known says whether an event is no news.
func (l *loop) known(e *core.Event) bool {
	l.status.Lock()
	defer l.status.Unlock()
	switch e.Kind {
	case core.EventNode:
		node, ok := l.Get(e.Node.Name)
		is := e.Node
		is.Since = node.Since // which is this node's to know
		return ok && reflect.DeepEqual(node, is)
	case core.EventLeaving:
		return l.status.leaving
	case core.EventStale:
		return l.status.stale
	}
	return false
}
