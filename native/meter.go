package native

import (
	"errors"
	"math"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
	"github.com/nanoring/nanoring/native/disk"
)

// meter counts what happens at a node, for metrics: what families has, and is no state of
// the node that can be looked at when somebody asks.
type meter struct {
	set    *metrics.Set
	trips  *metrics.PrometheusHistogram
	writes *metrics.PrometheusHistogram
	steps  *metrics.PrometheusHistogram
	traps  *metrics.Counter

	traffic [2][wire.Kinds]traffic // of what came, and of what was sent

	mu      sync.Mutex
	offsets []float64 // of the last rounds: seconds that this node's clock is ahead
	written disk.Usage
}

// traffic takes no counters: there are too many kinds for each node of a process to have them.
type traffic struct{ frames, bytes atomic.Uint64 }

const (
	in  = 0
	out = 1

	mostOffsets = 16
)

// round is the last one with a peer, as its connection keeps it.
type round struct {
	seq   uint64 // 0: it is over
	at    time.Time
	trip  time.Duration // of the last that was answered
	heard time.Time     // when anything came last
}

func newMeter() *meter {
	set := metrics.NewSet()
	m := &meter{
		set:    set,
		trips:  set.NewPrometheusHistogramExt("nanoring_round_trip_seconds", tripBounds),
		writes: set.NewPrometheusHistogramExt("nanoring_ring_file_write_seconds", writeBounds),
		steps:  set.NewPrometheusHistogramExt("nanoring_engine_step_seconds", stepBounds),
		traps:  set.NewCounter("nanoring_engine_traps_total"),
	}
	for _, name := range []string{ // they are there from the start: what has once risen from nothing is no rate
		"messages_refused_total", "messages_heard_total", "message_gaps_total", "messages_dropped_total",
	} {
		m.count(name)
	}
	for _, name := range []string{"suspicions_total", "refutations_total", "false_alarms_total"} {
		m.count(name, "kind", "durable")
		m.count(name, "kind", "guest")
	}
	for _, result := range []string{"ok", "failed"} {
		m.count("ring_file_writes_total", "result", result)
	}
	for _, verb := range []string{"send", "tell", "ask"} {
		m.count("messages_sent_total", "verb", verb)
	}
	for _, way := range []string{"given", "got"} {
		m.count("answers_total", "direction", way)
	}
	return m
}

// count returns a counter. Its labels are pairs of a name and a value, of a bounded number
// of values, none of which has a quote.
func (m *meter) count(name string, labels ...string) *metrics.Counter {
	return m.set.GetOrCreateCounter("nanoring_" + name + labelsOf(labels))
}

func labelsOf(pairs []string) string {
	if len(pairs) == 0 {
		return ""
	}
	var b strings.Builder
	for i := 0; i < len(pairs); i += 2 {
		b.WriteString(map[bool]string{true: "{", false: ","}[i == 0])
		b.WriteString(pairs[i] + `="` + escaped.Replace(pairs[i+1]) + `"`)
	}
	b.WriteByte('}')
	return b.String()
}

var escaped = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

func (m *meter) frame(way int, kind wire.Kind, size int) {
	t := &m.traffic[way][kind]
	t.frames.Add(1)
	t.bytes.Add(uint64(size))
}

// exposeTraffic adds the frames of each kind that there were any of.
func (m *meter) exposeTraffic(x exposition) {
	for way, direction := range [...]string{in: "in", out: "out"} {
		for kind := range m.traffic[way] {
			t, name := &m.traffic[way][kind], wire.Kind(kind).String()
			if kind == 0 {
				name = "unknown"
			}
			if frames := t.frames.Load(); frames > 0 {
				x.add("nanoring_frames_total", float64(frames), "kind", name, "direction", direction)
				x.add("nanoring_frame_bytes_total", float64(t.bytes.Load()), "kind", name, "direction", direction)
			}
		}
	}
}

// said counts a frame that is sent.
func (m *meter) said(c *conn, frame []byte) {
	p := wire.Peek(frame)
	m.frame(out, p.Kind, len(frame))
	if p.Kind == wire.KindGossip {
		c.round.seq, c.round.at = p.Seq, time.Now()
	}
}

// heard counts a frame that came, when this node's clock said now.
func (m *meter) heard(c *conn, frame []byte, now time.Time) {
	p := wire.Peek(frame)
	m.frame(in, p.Kind, len(frame))
	c.round.heard = time.Now()
	if p.Kind != wire.KindAck || p.Seq == 0 || p.Seq != c.round.seq {
		return
	}
	trip := time.Since(c.round.at)
	c.round.seq, c.round.trip = 0, trip
	m.trips.Update(trip.Seconds())
	if c.story.open.role == core.Guest { // which may say what it likes
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.offsets = append(m.offsets, (float64(now.UnixMicro())-float64(p.Wall))/1e6-trip.Seconds()/2)
	m.offsets = m.offsets[max(len(m.offsets)-mostOffsets, 0):]
}

// offset is how far this node's clock is ahead of those of others: NaN if that is not known.
func (m *meter) offset() float64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.offsets) == 0 {
		return math.NaN()
	}
	return slices.Sorted(slices.Values(m.offsets))[len(m.offsets)/2]
}

// node counts what became of a node.
func (m *meter) node(self string, before core.Node, e *core.Event) {
	now := &e.Node
	if e.Kind != core.EventNode || now.Name == self {
		return
	}
	kind := "durable"
	if now.Ephemeral {
		kind = "guest"
	}
	lives := now.State == core.Alive && now.Instance == before.Instance
	switch {
	case now.State == core.Suspect && before.State != core.Suspect:
		m.count("suspicions_total", "kind", kind).Inc()
	case lives && before.State == core.Suspect:
		m.count("refutations_total", "kind", kind).Inc()
	case lives && before.State == core.Down:
		m.count("false_alarms_total", "kind", kind).Inc()
	}
}

// dialed counts a dial that ended, with 0 if it came through.
func (m *meter) dialed(code wire.Code) {
	result := "ok"
	if code != 0 {
		result = word(code)
	}
	m.count("dials_total", "result", result).Inc()
}

func (m *meter) closed(code wire.Code, by string) {
	m.count("closed_connections_total", "code", word(code), "by", by).Inc()
}

// word is a code's. A peer may close with any: what is none of the ring's is "other".
func word(code wire.Code) string {
	if w := code.String(); !strings.HasPrefix(w, "code-") {
		return w
	}
	return "other"
}

// asked counts a command that is over, if it was of messages.
func (m *meter) asked(op core.Op, err error) {
	verb := ""
	switch op {
	case core.SendMessage:
		verb = "send"
	case core.Tell:
		verb = "tell"
	case core.Ask:
		verb = "ask"
	}
	var no *CommandError
	switch {
	case verb == "" && (op != core.Answer || err != nil):
	case errors.As(err, &no) && no.Code == wire.CodeBusy:
		m.count("messages_refused_total").Inc()
	case err != nil:
	case op == core.Answer:
		m.count("answers_total", "direction", "given").Inc()
	default:
		m.count("messages_sent_total", "verb", verb).Inc()
	}
}

// event counts an event of messages.
func (m *meter) event(kind core.EventKind) {
	switch kind {
	case core.EventHeard:
		m.count("messages_heard_total").Inc()
	case core.EventGap:
		m.count("message_gaps_total").Inc()
	case core.EventAnswer:
		m.count("answers_total", "direction", "got").Inc()
	}
}

// wrote counts a write of the ring file that ended.
func (m *meter) wrote(took time.Duration, usage disk.Usage, err error) {
	result := "ok"
	if err != nil {
		result = "failed"
	}
	m.count("ring_file_writes_total", "result", result).Inc()
	m.writes.Update(took.Seconds())
	if err == nil {
		m.mu.Lock()
		m.written = usage
		m.mu.Unlock()
	}
}

// watched counts what of a handler's requests ends in a problem.
func (m *meter) watched(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(&watchedWriter{w, m}, r)
	})
}

type watchedWriter struct {
	http.ResponseWriter
	meter *meter
}

// Unwrap is for http.ResponseController.
func (w *watchedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *watchedWriter) problem(code string) {
	w.meter.count("refused_requests_total", "code", code).Inc()
}
