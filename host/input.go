package host

import (
	"encoding/json"
	"errors"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// create says who the node is, and makes it.
func (e *Engine) create(c core.Config) error {
	var err error
	text := func(key, value string) {
		if err == nil {
			err = e.set(callText, key, value, 0)
		}
	}
	number := func(key string, value uint64) {
		if err == nil && value != 0 {
			err = e.set(callNumber, key, "", value)
		}
	}
	text("ring", c.Ring)
	text("name", c.Name)
	text("address", c.Address)
	for _, addr := range c.Join {
		text("join", addr)
	}
	for _, tag := range c.Tags {
		text("tag:"+tag.Key, tag.Value)
	}
	if c.Snapshot != nil {
		text("snapshot", string(c.Snapshot))
	}
	number("seed", c.Seed)
	number("instance-start", uint64(c.Instance.Start))
	number("instance-nonce", c.Instance.Nonce)
	number("ephemeral", bit(c.Ephemeral))
	number("joins", bit(c.Joins))
	number("rejoin", bit(c.Rejoin))
	number("takeover", bit(c.Takeover))
	number("period", uint64(c.Period))
	number("ack-timeout", uint64(c.AckTimeout))
	number("patience", uint64(c.Patience))
	number("removal-grace", uint64(c.RemovalGrace))
	number("reap-after", uint64(c.ReapAfter))
	number("max-guests", uint64(c.MaxGuests))
	if err != nil {
		return err
	}
	where, err := e.call(callCreate)
	if err != nil || where == 0 {
		return err
	}
	wrong, err := e.output(callCreate, where)
	if err != nil {
		return err
	}
	var bad struct{ Field, Text string }
	if err := json.Unmarshal(wrong, &bad); err != nil {
		return e.end(callCreate, err)
	}
	return &core.ConfigError{Field: bad.Field, Err: errors.New(bad.Text)}
}

// set sets a text, or a number.
func (e *Engine) set(x export, key, value string, n uint64) error {
	k, v, err := e.put(key, value)
	if err != nil {
		return err
	}
	args := []uint64{k, uint64(len(key)), n}
	if x == callText {
		args = []uint64{k, uint64(len(key)), v, uint64(len(value))}
	}
	switch said, err := e.call(x, args...); {
	case err != nil:
		return err
	case said != 0:
		return unusable("it does not know the %s %q: take a module and a host of one release", exports[x].name, key)
	}
	return nil
}

func bit(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

// input passes an input on, by the export that is there for it.
func (e *Engine) input(in core.Input) (err error) {
	mono, wall := uint64(in.Mono), uint64(in.Wall)
	switch in.Kind {
	case core.Start:
		_, err = e.call(callStart, mono, wall)
	case core.Opened:
		var addr uint64
		if in.Name != "" || in.Tags != nil || in.Own != nil || in.Topics != nil || in.Party != "" {
			err = e.openedAs(in)
		} else if addr, _, err = e.put(in.Addr, ""); err == nil {
			_, err = e.call(callOpened, mono, wall, uint64(in.Conn), uint64(in.Role), addr, uint64(len(in.Addr)))
		}
	case core.Received:
		frame := in.Frame[:min(len(in.Frame), wire.MaxFrame+1)] // too long is too long
		var at uint64
		if at, err = e.putBytes(frame); err == nil {
			_, err = e.call(callReceived, mono, wall, uint64(in.Conn), at, uint64(len(frame)))
		}
	case core.Closed:
		_, err = e.call(callClosed, mono, wall, uint64(in.Conn), uint64(in.Code))
	case core.Tick:
		_, err = e.call(callTick, mono, wall)
	case core.Do:
		err = e.command(mono, wall, in.Command)
	default:
		_, err = e.call(callClosed, mono, wall, 0, 0) // of no connection: time passes, as in a Ring
	}
	return err
}

// openedAs tells of a connection whose other end was authenticated.
func (e *Engine) openedAs(in core.Input) error {
	must, may := "", ""
	if in.Party != "" {
		if err := e.set(callText, "party", in.Party, 0); err != nil {
			return err
		}
	}
	if in.Tags != nil {
		must = presence(in.Tags)
	}
	if in.Own != nil {
		keys := make([]wire.Tag, len(in.Own))
		for i, key := range in.Own {
			keys[i].Key = key
		}
		may = presence(keys)
	}
	send, hear := anyTopic, anyTopic
	if in.Topics != nil {
		send, hear = topics(in.Topics.Send), topics(in.Topics.Hear)
	}
	addr, at, err := e.put(in.Addr, in.Name+must+may+send+hear)
	if err != nil {
		return err
	}
	args := []uint64{uint64(in.Mono), uint64(in.Wall), uint64(in.Conn), uint64(in.Role), addr, uint64(len(in.Addr))}
	for _, text := range []string{in.Name, must, may, send, hear} {
		args = append(args, at, uint64(len(text)))
		at += uint64(len(text))
	}
	_, err = e.call(callOpenedAs, args...)
	return err
}

// anyTopic is how any topics cross over, and topics how some do.
const anyTopic = "*,"

func topics(patterns []string) (list string) {
	for _, pattern := range patterns {
		list += pattern + ","
	}
	return list
}

// presence is how tags cross over.
func presence(tags []wire.Tag) string { return wire.Presence{Version: 1, Tags: tags}.Value() }

func (e *Engine) command(mono, wall uint64, c core.Command) error {
	switch c.Op {
	case core.SetTags:
		return e.setTags(mono, wall, c)
	case core.Join:
		for _, addr := range c.Join {
			if err := e.set(callText, "join", addr, 0); err != nil {
				return err
			}
		}
		_, err := e.call(callJoin, mono, wall, c.ID)
		return err
	case core.SendMessage, core.Tell, core.Ask, core.CallOff, core.Answer, core.Hear:
		return e.say(mono, wall, c)
	}
	name, addr, err := e.put(c.Name, c.Addr)
	if err != nil {
		return err
	}
	switch c.Op {
	case core.Add:
		_, err = e.call(callAdd, mono, wall, c.ID, name, uint64(len(c.Name)), addr, uint64(len(c.Addr)))
	case core.Del:
		_, err = e.call(callDel, mono, wall, c.ID, name, uint64(len(c.Name)))
	case core.Leave:
		_, err = e.call(callLeave, mono, wall, c.ID)
	case core.Stop:
		_, err = e.call(callStop, mono, wall, c.ID)
	case core.Cordon, core.Uncordon:
		_, err = e.call(callCordon, mono, wall, c.ID, bit(c.Op == core.Cordon), name, uint64(len(c.Name)))
	case core.Drain:
		_, err = e.call(callDrain, mono, wall, c.ID)
	default: // no export is for what is no command, but to add nothing is refused likewise
		_, err = e.call(callAdd, mono, wall, c.ID, name, uint64(len(c.Name)), 0, 0)
		for i := range e.events {
			if r := &e.events[i]; r.Kind == core.EventResult && r.ID == c.ID && r.Code == wire.CodeInvalid {
				r.Text = "no such command"
			}
		}
	}
	return err
}

// setTags says which tags, and then that they are to be set.
func (e *Engine) setTags(mono, wall uint64, c core.Command) error {
	for _, tag := range c.Tags {
		if err := e.set(callText, "tag:"+tag.Key, tag.Value, 0); err != nil {
			return err
		}
	}
	for _, key := range c.Drop {
		if err := e.set(callText, "drop:"+key, "", 0); err != nil {
			return err
		}
	}
	_, err := e.call(callSetTags, mono, wall, c.ID)
	return err
}

// put writes two strings into the module's buffer, and says where they are.
func (e *Engine) put(a, b string) (uint64, uint64, error) {
	at, err := e.buffer(len(a) + len(b))
	if err != nil {
		return 0, 0, err
	}
	mem := e.mod.Memory()
	if !mem.WriteString(at, a) || !mem.WriteString(at+uint32(len(a)), b) {
		return 0, 0, e.end(callBuffer, violation("its buffer is not in its memory"))
	}
	return uint64(at), uint64(at) + uint64(len(a)), nil
}

func (e *Engine) putBytes(b []byte) (uint64, error) {
	at, err := e.buffer(len(b))
	if err != nil {
		return 0, err
	}
	if !e.mod.Memory().Write(at, b) {
		return 0, e.end(callBuffer, violation("its buffer is not in its memory"))
	}
	return uint64(at), nil
}

const (
	smallBuffer = 4 << 10
	largeBuffer = wire.MaxFrame + 1 // a larger one is given back
)

// buffer returns where so many bytes may be written: the place of the time
// before, if it is large enough.
func (e *Engine) buffer(size int) (uint32, error) {
	if uint64(size) <= uint64(e.bufferLen) && e.bufferLen <= largeBuffer {
		return e.bufferAt, nil
	}
	e.bufferLen = 0
	if size > maxBuffer {
		return 0, e.end(callBuffer, violation("more than 64 MiB were to be put into it at once"))
	}
	n := max(size, smallBuffer)
	at, err := e.call(callBuffer, uint64(n))
	if err != nil {
		return 0, err
	}
	if uint32(at) == 0 {
		return 0, e.end(callBuffer, violation("it has no place for what it is told"))
	}
	e.bufferAt, e.bufferLen = uint32(at), uint32(n)
	return e.bufferAt, nil
}

const maxBuffer = 64 << 20
