package core

import (
	"errors"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/nanoring/nanoring/core/wire"
)

// How much a node may say of itself, keys that are not known included: whoever is a
// member keeps it, in memory, and of durable nodes on disk.
const (
	MaxTags       = 1 << 10 // bytes of a durable node's tags
	MaxGuestValue = 512     // bytes of each of a guest's two values
)

// labels owns this node's tags.
type labels struct {
	now []wire.Tag // all of them, ascending by key
	set []wire.Tag // those that were set while it ran: the next process has them, but where it is given others
}

// resume makes the tags of a process that begins: what was set lies under what it is
// given. One that takes over has those that it had.
func (l *labels) resume(given []wire.Tag, had *wire.Presence) {
	l.now = with(l.set, &Command{Tags: given})
	if had != nil {
		l.now = had.Tags
	}
}

// with returns some tags as a command changes them.
//
//go:noinline
func with(tags []wire.Tag, cmd *Command) []wire.Tag {
	var all []wire.Tag
	for _, t := range tags {
		if !slices.Contains(cmd.Drop, t.Key) {
			all = append(all, t)
		}
	}
	return wire.SortTags(append(all, cmd.Tags...))
}

//go:noinline
func same(a, b []wire.Tag) bool { return slices.Equal(a, b) }

// change has this node say something else of itself from now on.
func (l *labels) change(r *Ring, cmd *Command) (wire.Code, string) {
	before := *l
	kept := Command{Drop: cmd.Drop}
	for _, t := range cmd.Tags {
		if !slices.Contains(cmd.Drop, t.Key) {
			kept.Tags = append(kept.Tags, t)
		}
	}
	l.now, l.set = with(l.now, cmd), with(l.set, &kept)
	if err := checkTags(r.presence(), r.cfg.Ephemeral); err != nil {
		*l = before
		return wire.CodeInvalid, "the tags: " + err.Error()
	}
	if !same(l.set, before.set) {
		r.replica.unsaved.rest = r.replica.version + 1
		r.replica.version++
	}
	if !same(l.now, before.now) && r.replica.up.Get(r.cfg.Name) != nil {
		r.mintPresence(0)
	}
	r.replica.result(cmd.ID, r.cfg.Name, 0, "")
	return 0, ""
}

// checkTags says what is wrong with the tags of what a node says of itself.
func checkTags(p wire.Presence, ephemeral bool) error {
	for _, t := range p.Tags {
		if t.Key == "" || !utf8.ValidString(t.Key) || !utf8.ValidString(t.Value) {
			return errors.New(wire.Quote(t.Key) + ": a key is not empty, and it and its value are UTF-8")
		}
	}
	n, most := len(p.Value()), MaxGuestValue
	if !ephemeral {
		p.Tags = nil
		n, most = n-len(p.Value()), MaxTags
	}
	if n > most {
		return errors.New("they have " + tooLong(n, most) + ": use fewer or shorter ones")
	}
	return nil
}

//go:noinline
func tooLong(n, most int) string {
	return strconv.Itoa(n) + " bytes, and may have " + strconv.Itoa(most)
}
