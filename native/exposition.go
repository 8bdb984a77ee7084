package native

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
	"net/http"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nanoring/nanoring/core"
)

// engineTime is how long metrics, and who asks why, wait for the engine to tell of itself; then they go without.
const engineTime = time.Second / 2

// exposition is a text for Prometheus as it is being written: samples by their family.
type exposition map[string][]string

// add adds a sample of a gauge or a counter; labels are pairs of a name and a value.
func (x exposition) add(name string, v float64, labels ...string) {
	if !math.IsNaN(v) {
		x[name] = append(x[name], name+labelsOf(labels)+" "+strconv.FormatFloat(v, 'g', -1, 64)+"\n")
	}
}

func (x exposition) flag(name string, is bool, labels ...string) {
	v := 0.0
	if is {
		v = 1
	}
	x.add(name, v, labels...)
}

// absorb adds what a set has written, without what it says of families.
func (x exposition) absorb(text string) {
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		name, _, _ := strings.Cut(line, " ")
		name, _, _ = strings.Cut(name, "{")
		if base, ok := histogramOf(name); ok {
			name = base
		}
		x[name] = append(x[name], line)
	}
}

// histogramOf returns the family of a histogram's sample.
func histogramOf(name string) (string, bool) {
	for _, end := range []string{"_bucket", "_sum", "_count"} {
		if base, ok := strings.CutSuffix(name, end); ok {
			return base, slices.ContainsFunc(families, func(f family) bool { return f.name == base && f.kind == histogram })
		}
	}
	return "", false
}

// text is all of it, in the order of families.
func (x exposition) text() []byte {
	var b bytes.Buffer
	for _, f := range families {
		if len(x[f.name]) == 0 {
			continue
		}
		fmt.Fprintf(&b, "# HELP %s %s\n# TYPE %s %s\n", f.name, f.help, f.name, f.kind)
		for _, line := range x[f.name] {
			b.WriteString(line)
		}
	}
	return b.Bytes()
}

// WriteMetrics writes the node's metrics in the text format of Prometheus: those that
// docs/operations.md lists, but for those of the process. They are written at once.
func (n *Node) WriteMetrics(w io.Writer) error {
	_, err := w.Write(n.exposition().text())
	return err
}

func (n *Node) exposition() exposition {
	x := make(exposition)
	var text bytes.Buffer
	n.meter.set.WritePrometheus(&text)
	x.absorb(text.String())
	n.meter.exposeTraffic(x)
	n.exposeEngine(x)
	n.exposeMembers(x)

	x.add("nanoring_start_time_seconds", float64(n.instance.Start)/1e6)
	f := n.health()
	holds, unready := conditionsOf(&f)
	x.flag("nanoring_ready", unready == nil && !n.isHalted())
	for _, c := range conditions {
		x.flag("nanoring_condition", slices.ContainsFunc(holds, func(h Condition) bool { return h.Code == c.code }), "code", c.code, "severity", string(c.severity))
	}
	x.add("nanoring_connections", float64(f.connections), "kind", "node")
	x.add("nanoring_connections", float64(f.guests), "kind", "guest")
	x.add("nanoring_log_lines_lost_total", float64(f.logLost))
	x.add("nanoring_guests_max", float64(f.maxGuests))
	x.add("nanoring_clock_offset_seconds", n.meter.offset())

	talk := n.hearing.talk()
	x.add("nanoring_listeners", float64(talk.Listeners))
	x.add("nanoring_messages_unread", float64(talk.Unread))
	x.add("nanoring_questions", float64(talk.Asking), "side", "asked")
	x.add("nanoring_questions", float64(talk.Answering), "side", "answered")
	n.meter.mu.Lock()
	x.add("nanoring_ring_file_bytes", float64(n.meter.written.Size))
	x.add("nanoring_ring_file_written_bytes_total", float64(n.meter.written.Written))
	n.meter.mu.Unlock()
	if n.door != nil {
		for cause, count := range n.door.drops() {
			x.add("nanoring_door_drops_total", float64(count), "cause", cause)
		}
		slices.Sort(x["nanoring_door_drops_total"])
	}
	return x
}

// exposeEngine adds what only the engine knows, if it answers in time.
func (n *Node) exposeEngine(x exposition) {
	ctx, cancel := context.WithTimeout(context.Background(), engineTime)
	defer cancel()
	var s EngineStatus
	var counts *core.Counts
	if n.aside(ctx, func(l *loop) { s, counts = l.engineStatus(), l.counts() }) != nil {
		return
	}
	x.add("nanoring_build_info", 1, "version", s.Version, "protocol", strconv.Itoa(int(s.Protocol)), "engine", s.Engine, "module", s.Module)
	if s.Memory > 0 {
		x.add("nanoring_engine_memory_bytes", float64(s.Memory))
	}
	if counts == nil {
		return
	}
	for which, name := range [...]string{
		core.CountRounds: "nanoring_rounds_total", core.CountDebts: "nanoring_debts", core.CountSyncs: "nanoring_syncs_total",
		core.CountLostSyncs: "nanoring_syncs_lost_total", core.CountRefuted: "nanoring_own_refutations_total",
	} {
		x.add(name, float64(counts[which]))
	}
}

// counts asks the engine what it counts. It is nil if the engine does not, or broke of it.
func (l *loop) counts() *core.Counts {
	c, ok := l.engine.(core.Counter)
	if !ok || !l.goesOn() {
		return nil
	}
	counts, err := c.Counts()
	if err != nil {
		l.broke(core.Input{}, err)
		return nil
	}
	return &counts
}

func (n *Node) exposeMembers(x exposition) {
	var members [2][core.Removed]int
	n.board.mu.Lock()
	for _, node := range n.board.nodes() {
		kind := 0
		if node.Ephemeral {
			kind = 1
		}
		if int(node.State) < len(members[kind]) {
			members[kind][node.State]++
		}
	}
	n.board.mu.Unlock()
	for kind, of := range members {
		for state, count := range of {
			x.add("nanoring_members", float64(count), "kind", [...]string{"durable", "guest"}[kind], "state", core.State(state).String())
		}
	}
}

func (n *Node) isHalted() bool {
	select {
	case <-n.halted:
		return true
	default:
		return false
	}
}

// getMetrics answers at once, whether or not the other end reads.
func (n *Node) getMetrics(w http.ResponseWriter, _ *http.Request) {
	x := n.exposition()
	x.add("go_goroutines", float64(runtime.NumGoroutine()))
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(eventTimeout))
	w.Write(x.text()) // an error is the client's, which is gone
}
