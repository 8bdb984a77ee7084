package native

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// counted is a scripted engine that counts, and has a module.
type counted struct {
	*fake
	counts atomic.Pointer[core.Counts]
	memory atomic.Int64
}

func (c *counted) Counts() (core.Counts, error) { return *c.counts.Load(), nil }

func (c *counted) ModuleDigest() (sum [sha256.Size]byte) { return sum }

func (c *counted) MemorySize() int { return int(c.memory.Load()) }

// moves knows which metrics had one value, and then another.
type moves struct {
	t     *testing.T
	n     *Node
	first sampled
	last  sampled
	moved map[string]bool
}

func newMoves(t *testing.T, n *Node, moved map[string]bool) *moves {
	first := metricsOf(t, n)
	return &moves{t: t, n: n, first: first, last: first, moved: moved}
}

// look takes note of what has moved, and returns what there is.
func (m *moves) look() sampled {
	now := metricsOf(m.t, m.n)
	for _, s := range []sampled{now, m.last} {
		for key := range s {
			if before, ok := m.last[key]; !ok || before != now[key] {
				name, _, _ := strings.Cut(key, "{")
				if base, ok := histogramOf(name); ok {
					name = base
				}
				m.moved[name] = true
			}
		}
	}
	m.last = now
	return now
}

// await waits until a metric is more than it was at first.
func (m *moves) await(name string, labels ...string) {
	m.t.Helper()
	was := m.first.sum(name, labels...)
	eventually(m.t, name, func() bool { return m.look().sum(name, labels...) > was })
}

// TestMetricsMove: each metric of the list moves when that happens which it is of.
func TestMetricsMove(t *testing.T) {
	moved := make(map[string]bool)
	moveOfRing(t, moved)
	moveOfNode(t, moved)
	for _, f := range families {
		if f.name != "nanoring_build_info" && f.name != "nanoring_start_time_seconds" && !moved[f.name] { // which are as they are
			t.Errorf("nothing moved %s", f.name)
		}
	}
}

// moveOfRing moves what takes two nodes.
func moveOfRing(t *testing.T, moved map[string]bool) {
	quick := func(c *core.Config) { c.Period = 50 * core.Millisecond }
	cfg := config(t, "dev1")
	cfg.Tune = quick
	a := start(t, cfg)
	m := newMoves(t, a, moved)
	if m.last.sum("nanoring_build_info") != 1 || m.last.sum("nanoring_start_time_seconds") < 1.7e9 || m.last.sum("nanoring_members", `state="up"`) != 1 {
		t.Errorf("%v", m.last)
	}
	cfg = config(t, "dev2")
	cfg.Tune, cfg.Join = quick, []string{a.Addr()}
	b := start(t, cfg)
	other := newMoves(t, b, moved)
	for key := range other.first {
		if strings.HasPrefix(key, "nanoring_dials_total{") { // it may have dialled by now
			other.first[key] = 0
		}
	}
	m.await("nanoring_members", `kind="durable"`, `state="up"`)
	other.await("nanoring_dials_total", `result="ok"`)
	m.await("nanoring_connections", `kind="node"`)
	eventually(t, "a sync", func() bool { return m.look().sum("nanoring_syncs_total")+other.look().sum("nanoring_syncs_total") > 0 })
	m.await("nanoring_rounds_total")
	m.await("nanoring_round_trip_seconds_count")
	m.await("nanoring_frames_total", `kind="gossip"`, `direction="out"`)
	m.await("nanoring_frames_total", `kind="ack"`, `direction="in"`)
	m.await("nanoring_frame_bytes_total")
	m.await("nanoring_ring_file_writes_total", `result="ok"`)
	m.await("nanoring_engine_step_seconds_count")
	if offset, ok := m.last["nanoring_clock_offset_seconds"]; !ok || offset > 1 || offset < -1 {
		t.Errorf("the clock is %v s ahead of itself", offset)
	}
	m.look()
	if m.last["nanoring_ring_file_bytes"] < 10 || m.last.sum("nanoring_frame_bytes_total") < m.last.sum("nanoring_frames_total") {
		t.Errorf("%v", m.last)
	}

	b.Close()
	m.await("nanoring_closed_connections_total", `code="bye"`, `by="other"`)
}

// moveOfNode moves what an engine says, and what comes to a node from outside.
func moveOfNode(t *testing.T, moved map[string]bool) {
	var say atomic.Pointer[[]core.Effect] // of the next command
	f := &counted{fake: newFake(nil)}
	f.counts.Store(new(core.Counts))
	broken := errors.New("broken")
	f.script = func(in core.Input) []core.Effect {
		c := in.Command
		switch {
		case in.Kind == core.Start:
			return []core.Effect{nodeEvent("dev1", core.Alive), nodeEvent("dev2", core.Alive), emit(core.Event{Kind: core.EventJoined, Name: "dev2"})}
		case in.Kind != core.Do || c.Op == core.Stop:
			return nil
		}
		result := core.Event{Kind: core.EventResult, ID: c.ID}
		if c.Topic == "flood" {
			result.Code = wire.CodeBusy
		}
		effects := []core.Effect{emit(result)}
		if more := say.Swap(nil); more != nil {
			effects = append(*more, effects...)
		}
		if c.Op == core.Ask {
			effects = append(effects, emit(core.Event{Kind: core.EventAnswer, ID: c.ID, Name: "dev2"}))
		}
		return effects
	}
	disk := &slowDisk{err: errors.New("no")}
	cfg := config(t, "dev1")
	cfg.Engine = func(core.Config) (core.Engine, error) { return f, nil }
	cfg.writeRing, cfg.MaxGuests = disk.write, 7
	n := start(t, cfg)
	m := newMoves(t, n, moved)
	tell := func(effects ...core.Effect) {
		t.Helper()
		say.Store(&effects)
		if _, err := n.do(soon(t), core.Command{Op: core.Cordon}); err != nil {
			t.Fatal(err)
		}
		m.look()
	}

	f.counts.Store(&core.Counts{1, 2, 3, 4, 5})
	f.memory.Store(1 << 20)
	now := m.look()
	for name, want := range map[string]float64{
		"nanoring_rounds_total": 1, "nanoring_debts": 2, "nanoring_syncs_total": 3, "nanoring_syncs_lost_total": 4, "nanoring_own_refutations_total": 5,
		"nanoring_engine_memory_bytes": 1 << 20, "nanoring_guests_max": 7, "nanoring_ready": 1,
	} {
		if now[name] != want {
			t.Errorf("%s is %v, not %v", name, now[name], want)
		}
	}
	moved["nanoring_guests_max"] = true // it is as it was configured

	tell(nodeEvent("dev2", core.Suspect))
	tell(nodeEvent("dev2", core.Alive))
	tell(nodeEvent("dev2", core.Down))
	tell(nodeEvent("dev2", core.Alive))
	for _, name := range []string{"suspicions", "refutations", "false_alarms"} {
		if got := m.last.sum("nanoring_"+name+"_total", `kind="durable"`); got != 1 || m.last.sum("nanoring_"+name+"_total") != 1 {
			t.Errorf("%s: %v", name, got)
		}
	}
	if m.last[`nanoring_condition{code="no-connection",severity="warning"}`] != 1 {
		t.Errorf("%v", m.last)
	}
	tell(core.Effect{Kind: core.Dirty, Seq: 1})
	m.await("nanoring_ring_file_writes_total", `result="failed"`)
	if m.last["nanoring_ready"] != 0 {
		t.Errorf("%v", m.last)
	}
	moveOfMessages(t, n, m, tell)
	moveOfDoor(t, n, m)

	n.logs.mu.Lock()
	n.logs.lose()
	n.logs.mu.Unlock()
	m.await("nanoring_log_lines_lost_total")

	disk.set(nil)
	eventually(t, "a write", func() bool { return m.look()["nanoring_ready"] == 1 })
	say.Store(&[]core.Effect{{Kind: core.Dirty, Seq: 2}})
	f.fail = broken
	n.do(soon(t), core.Command{Op: core.Cordon})
	m.await("nanoring_engine_traps_total")
}

func moveOfMessages(t *testing.T, n *Node, m *moves, tell func(...core.Effect)) {
	t.Helper()
	before := m.last
	ctx := soon(t)
	if err := n.Send(ctx, "news", nil); err != nil {
		t.Fatal(err)
	}
	if err := n.Send(ctx, "flood", nil); err == nil {
		t.Fatal("the engine was not busy")
	}
	answers, err := n.Ask(ctx, "question", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := n.Listen(ctx, "*"); err != nil {
		t.Fatal(err)
	}
	over := make(chan struct{})
	if _, err := n.Answer("sum", func(context.Context, Question) ([]byte, error) { <-over; return nil, nil }); err != nil {
		t.Fatal(err)
	}
	tell(emit(core.Event{Kind: core.EventHeard, Name: "dev2", Topic: "sum", Wait: core.Minute, Question: 1}), emit(core.Event{Kind: core.EventGap, Name: "dev2"}))
	if m.last["nanoring_messages_unread"] != 2 || m.last["nanoring_listeners"] != 1 || m.last.sum("nanoring_questions", "answered") != 1 || m.last.sum("nanoring_questions", "asked") != 1 {
		t.Errorf("%v", m.last)
	}
	close(over)
	answers.CallOff()
	tell(slices.Repeat([]core.Effect{emit(core.Event{Kind: core.EventHeard, Name: "dev2", Topic: "news"})}, mostUnread)...)
	eventually(t, "an answer", func() bool { return m.look().sum("nanoring_answers_total", "given") == 1 })
	for key, want := range map[string]float64{
		`nanoring_messages_sent_total{verb="send"}`: 1, `nanoring_messages_sent_total{verb="ask"}`: 1, `nanoring_messages_sent_total{verb="tell"}`: 0,
		"nanoring_messages_refused_total": 1, "nanoring_messages_heard_total": mostUnread + 1, "nanoring_message_gaps_total": 1,
		"nanoring_messages_dropped_total": 2, `nanoring_answers_total{direction="got"}`: 1,
	} {
		if got := m.last[key] - before[key]; got != want {
			t.Errorf("%s rose by %v, not %v", key, got, want)
		}
	}
}

func moveOfDoor(t *testing.T, n *Node, m *moves) {
	t.Helper()
	c, base := httpClient(t), "http://"+n.Addr()
	ask(t, c, "GET", base+"/v1/nodes", "", "Host", "evil.example")
	ask(t, c, "GET", base+"/ring", "")
	ask(t, c, "POST", base+"/metrics", "")
	m.look()
	for _, code := range []string{"host-refused", "subprotocol", "method-not-allowed"} {
		if got := m.last.sum("nanoring_refused_requests_total", code); got != 1 {
			t.Errorf("%s: %v", code, got)
		}
	}
	stranger, err := net.Dial("tcp", n.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close()
	stranger.Write([]byte{recordTLS, 3, 1})
	m.await("nanoring_door_drops_total", `cause="no-tls"`)

	got := ask(t, c, "GET", base+"/metrics", "")
	if got.status != http.StatusOK || got.typ != "text/plain; version=0.0.4; charset=utf-8" {
		t.Errorf("%d %s", got.status, got.typ)
	}
	if all := parseMetrics(t, got.body); all["go_goroutines"] > 0 {
		m.moved["go_goroutines"] = true
	}
}

// TestScraperThatNeverReads: it holds up nobody, neither others who ask nor the node's end.
func TestScraperThatNeverReads(t *testing.T) {
	n := startFake(t, serving())
	for range 20 {
		c, err := net.Dial("tcp", n.Addr())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		for range 50 {
			if _, err := io.WriteString(c, "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
				break // the node does not read any more, either
			}
		}
	}
	if got := ask(t, httpClient(t), "GET", "http://"+n.Addr()+"/metrics", ""); got.status != 200 {
		t.Error(got)
	}
	metricsOf(t, n)
	n.Close()
}

// TestMetricsAfterTheEnd: what is known without the engine is told, whatever the engine does.
func TestMetricsAfterTheEnd(t *testing.T) {
	n := startFake(t, serving())
	n.Close()
	if all := metricsOf(t, n); all["nanoring_ready"] != 0 || all.sum("nanoring_members") != 2 {
		t.Errorf("%v", all)
	}
	if err := n.WriteMetrics(failing{}); err == nil {
		t.Error("nobody was told that it cannot be written")
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errors.New("no") }
