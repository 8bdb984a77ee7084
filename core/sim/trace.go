package sim

import (
	"strconv"
	"strings"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// describer puts frames into words.
type describer struct {
	frame, inner wire.Frame
}

// note writes a line to the trace and to the story: the time, the machine if any,
// what happened.
func (w *World) note(m *Machine, words ...string) {
	w.promises.happened()
	w.follow(m, words...)
}

// follow is note of what is a consequence.
func (w *World) follow(m *Machine, words ...string) {
	w.detail(m, words...)
	w.recount(m, words...)
}

// recount writes a line to the story alone.
func (w *World) recount(m *Machine, words ...string) { write(w.cfg.Story, w.now, m, words) }

// detail writes a line to the trace alone: an input or an effect.
func (w *World) detail(m *Machine, words ...string) { write(w.cfg.Trace, w.now, m, words) }

func write(to func(string), now int64, m *Machine, words []string) {
	if to == nil {
		return
	}
	name := "*"
	if m != nil {
		name = m.name
	}
	to(clock(now) + " " + name + strings.Repeat(" ", max(0, 4-len(name))) + " " + strings.Join(words, ""))
}

func (w *World) traceInput(p *process, in *core.Input) {
	if w.cfg.Trace == nil {
		return
	}
	switch in.Kind {
	case core.Opened:
		role := ""
		if in.Role == core.Guest {
			role = " (a guest)"
		}
		w.detail(p.m, "← open ", p.peer(in.Conn), role)
	case core.Received:
		w.detail(p.m, "← ", p.peer(in.Conn), " ", w.words.of(in.Frame))
	case core.Closed:
		w.detail(p.m, "← closed #", strconv.FormatUint(uint64(in.Conn), 10), ": ", in.Code.String())
	case core.Do:
		w.detail(p.m, "← command: ", commandWords(in.Command))
	}
}

func (w *World) traceEffect(p *process, e *core.Effect) {
	if w.cfg.Trace == nil {
		return
	}
	switch e.Kind {
	case core.Dial:
		w.detail(p.m, "→ dial ", e.Addr, " #", strconv.FormatUint(uint64(e.Conn), 10))
	case core.Send:
		w.detail(p.m, "→ ", p.peer(e.Conn), " ", w.words.of(e.Frame))
	case core.Close:
		w.detail(p.m, "→ close ", p.peer(e.Conn), ": ", e.Code.String(), " ", e.Text)
	case core.Emit:
		w.detail(p.m, "! ", EventWords(e.Event))
	}
}

// peer names the other side of a connection, and the connection.
func (p *process) peer(id core.ConnID) string {
	s := "#" + strconv.FormatUint(uint64(id), 10)
	if c, ok := p.conns[id]; ok {
		if m := c.end[1-c.of].m; m != nil {
			return m.name + " " + s
		}
		return c.addr + " " + s
	}
	return s
}

// EventWords puts an event into words.
func EventWords(e *core.Event) string {
	var s string
	switch e.Kind {
	case core.EventNode:
		s = e.Node.Name + " is " + e.Node.State.String()
		if e.Node.State != core.Removed {
			s += " at " + e.Node.Address
			if e.Node.Via != "" {
				s += " via " + e.Node.Via
			}
			s += " since " + stampWords(e.Node.Incarnation)
		}
	case core.EventResult:
		s = "the command for " + e.Name + " is done"
		if e.Code != 0 {
			s = "the command for " + e.Name + " failed: " + e.Code.String() + ", " + e.Text
		}
	case core.EventRefused:
		s = "refused " + e.Name + " at " + e.Addr + ": " + e.Code.String() + ", " + e.Text
	case core.EventSkew:
		s = "the clock of " + e.Name + " differs by " + signed(e.Skew)
		if e.Skew == 0 {
			s = "the clock of " + e.Name + " is right again"
		}
	case core.EventEvidence:
		s = "of " + e.Name + ": " + e.Topic + " " + e.Text + strings.Join(e.Names, " ")
	case core.EventHeard, core.EventGap:
		s = e.Kind.String() + " " + e.Name + " " + e.Payload[:min(len(e.Payload), 8)]
	default:
		s = e.Kind.String()
	}
	return s
}

// FrameWords puts a frame into words.
func FrameWords(b []byte) string { return new(describer).of(b) }

func (d *describer) of(b []byte) string {
	f := &d.frame
	if err := f.Decode(b); err != nil {
		return "a bad frame: " + err.Error()
	}
	if f.Kind != wire.KindRelay {
		return words(f)
	}
	inner := "?"
	if d.inner.Decode([]byte(f.Inner)) == nil {
		inner = words(&d.inner)
	}
	return "relay from " + f.From + " to " + f.To + ", hop " + strconv.FormatUint(uint64(f.Hops), 10) + ": " + inner
}

// words are those of a frame that carries no other.
func words(f *wire.Frame) string {
	seq := " " + strconv.FormatUint(f.Seq, 10)
	switch f.Kind {
	case wire.KindHello:
		h := &f.Hello
		s := "hello " + h.Name + " at " + h.Address + ", " + strconv.FormatUint(h.Members, 10) + " members"
		if h.LastContact != 0 {
			s += ", stale since " + stampWords(h.LastContact)
		}
		return s
	case wire.KindGossip:
		return "gossip" + seq + " print " + hex(f.Fingerprint) + recordsWords(f.Records)
	case wire.KindAck:
		return "ack" + seq + " print " + hex(f.Fingerprint) + recordsWords(f.Records)
	case wire.KindRumor:
		return "rumor" + recordsWords(f.Records)
	case wire.KindSync:
		return "sync" + seq + itemsWords(f.Items)
	case wire.KindSynced:
		return "synced" + seq + " of " + strconv.FormatUint(f.Handled, 10) + itemsWords(f.Items)
	case wire.KindProbe:
		return "probe" + seq
	case wire.KindMessage:
		text := "messages"
		for i := range f.Messages {
			m := &f.Messages[i]
			text += " " + m.Name + ":" + strconv.FormatUint(m.Seq, 10) + "-" + strconv.FormatUint(m.Step, 10) + "/" + strconv.FormatUint(m.Age, 10) + "ms"
		}
		return text
	case wire.KindSeen, wire.KindHave, wire.KindWant, wire.KindHear:
		text := map[wire.Kind]string{wire.KindSeen: "seen", wire.KindHave: "have", wire.KindWant: "want", wire.KindHear: "hear"}[f.Kind] + " " + strconv.FormatUint(f.Window, 10)
		for i := range f.Streams {
			st := &f.Streams[i]
			text += " " + st.Name + ":" + strconv.FormatUint(st.Old, 10) + "," + strconv.FormatUint(st.Upto, 10)
			for _, n := range st.Seqs {
				text += "+" + strconv.FormatUint(n, 10)
			}
		}
		return text
	case wire.KindTook:
		return "took " + strconv.FormatUint(f.Bytes, 10)
	case wire.KindTell:
		return "tell" + seq + " behind " + strconv.FormatUint(f.Tell.Before, 10) + " " + f.Tell.Topic
	case wire.KindSaid:
		return "said" + seq + " " + f.Code.String()
	case wire.KindAnswers:
		return strconv.Itoa(len(f.Answers)) + " answers to " + f.Asker + seq
	case wire.KindAlive:
		return "alive" + seq
	case wire.KindRefused:
		return "refused" + seq
	case wire.KindError:
		return "error " + f.Code.String() + ": " + f.Text
	case wire.KindCordon:
		return cordonWords(f.On)
	}
	return "?"
}

func cordonWords(on bool) string {
	if on {
		return "cordon"
	}
	return "uncordon"
}

var rankWords = [2][4]string{
	wire.Nodes: {"add", "reap", "del", "?"},
	wire.Up:    {"up", "suspect", "down", "left"},
}

// recordsWords lists records, the first few of many.
func recordsWords(rs []wire.Record) string {
	var b strings.Builder
	for i := range rs {
		if i == 8 {
			b.WriteString(" … (" + strconv.Itoa(len(rs)) + ")")
			break
		}
		r := &rs[i]
		b.WriteString(" [" + r.Name + " " + rankWords[r.Set&1][r.Rank&3] + " " + stampWords(r.Stamp) + "]")
	}
	return b.String()
}

func itemsWords(items []wire.Item) string {
	var b strings.Builder
	for i := range items {
		it := &items[i]
		b.WriteString([]string{" print", " children", " all", " some", " after"}[it.Kind])
		b.WriteString([]string{" nodes", " up"}[it.Range.Set&1])
		if it.Range.Depth > 0 {
			b.WriteString("/" + hex(it.Range.Prefix)[:it.Range.Depth])
		}
		b.WriteString(recordsWords(it.Records))
	}
	return b.String()
}

func hex(v uint64) string {
	s := strconv.FormatUint(v, 16)
	return strings.Repeat("0", 16-len(s)) + s
}

// stampWords shows a stamp by the World's time, which readers can find in the trace.
func stampWords(stamp int64) string {
	if stamp == 0 {
		return "never"
	}
	return "@" + signed(stamp-Epoch)
}

func signed(d int64) string {
	if d < 0 {
		return "-" + clock(-d)
	}
	return "+" + clock(d)
}

// clock writes microseconds as hours:minutes:seconds.
func clock(t int64) string {
	two := func(v int64) string {
		s := strconv.FormatInt(v, 10)
		if len(s) < 2 {
			return "0" + s
		}
		return s
	}
	micros := strconv.FormatInt(t%core.Second, 10)
	return two(t/core.Hour) + ":" + two(t/core.Minute%60) + ":" + two(t/core.Second%60) + "." +
		strings.Repeat("0", 6-len(micros)) + micros
}
