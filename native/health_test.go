package native

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// TestConditions: each condition holds of the facts that it is for, and of the healthy none does.
func TestConditions(t *testing.T) {
	now := time.Now()
	healthy := facts{now: now, member: true, others: 3, connections: 3, guests: 9, maxGuests: 10, writing: now.Add(-time.Second)}
	if all, unready := conditionsOf(&healthy); len(all) > 0 || unready != nil {
		t.Errorf("healthy: %+v", all)
	}
	hour := now.Add(-time.Hour + time.Minute)
	told := make(map[string]bool)
	for code, change := range map[string]func(*facts){
		"not-written":   func(f *facts) { f.writeError = "no space left" },
		"disk-hangs":    func(f *facts) { f.writing = now.Add(-hangsAfter) },
		"own-clock":     func(f *facts) { f.clocks, f.ownClock = 3, hour },
		"removed":       func(f *facts) { f.member, f.leaving = false, true },
		"partial-join":  func(f *facts) { f.partly = "dev2 did so" },
		"joining":       func(f *facts) { f.joining = "dev2:7946: connection refused" },
		"ready-alone":   func(f *facts) { f.alone = "dev2:7946: connection refused" },
		"leave-pending": func(f *facts) { f.member = false },
		"stale":         func(f *facts) { f.stale = true },
		"no-connection": func(f *facts) { f.connections = 0 },
		"sync-lost":     func(f *facts) { f.unsynced = []string{"dev2"} },
		"clock":         func(f *facts) { f.clocks = 1 },
		"wrong-ring":    func(f *facts) { f.otherRings = []OtherRing{{Name: "dev9", Address: "10.0.0.9:7946", Text: "another"}} },
		"log-lost":      func(f *facts) { f.logLost, f.logLostAt = 3, now.Add(-lostLately+time.Minute) },
		"traps":         func(f *facts) { f.trapped = hour },
		"guests-full":   func(f *facts) { f.guests = 10 },
		"draining":      func(f *facts) { f.draining = true },
		"cordoned":      func(f *facts) { f.cordoned = true },
	} {
		f := healthy
		change(&f)
		all, unready := conditionsOf(&f)
		if len(all) != 1 || all[0].Code != code || all[0].Text == "" || all[0].Do == "" {
			t.Errorf("%s: %+v", code, all)
			continue
		}
		for _, c := range conditions {
			if c.code == code && c.unready != (unready != nil) {
				t.Errorf("%s: ready: %v", code, unready == nil)
			}
		}
		told[code] = true
	}
	if len(told) != len(conditions) {
		t.Errorf("of %d conditions %d were tried", len(conditions), len(told))
	}
	late := healthy
	late.trapped, late.logLostAt = now.Add(-2*trapsLately), now.Add(-2*lostLately)
	if all, _ := conditionsOf(&late); len(all) > 0 {
		t.Errorf("a trap, and a lost line, of long ago: %+v", all)
	}
	late.losing = true
	if all, _ := conditionsOf(&late); len(all) != 1 || all[0].Code != "log-lost" {
		t.Errorf("lines are lost still: %+v", all)
	}
}

// TestConditionsAreTold: docs/operations.md has the conditions of the list, word for word.
func TestConditionsAreTold(t *testing.T) {
	b, err := os.ReadFile("../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	var want strings.Builder
	for _, c := range conditions {
		fmt.Fprintf(&want, "| `%s` | %s | %s | %s | %s |\n", c.code, c.severity, map[bool]string{true: "no", false: ""}[c.unready], c.means, c.do)
	}
	_, table, _ := strings.Cut(string(b), "| `code` | severity | ready | what is so | what to do |\n| --- | --- | --- | --- | --- |\n")
	if table, _, _ = strings.Cut(table, "\n\n"); table+"\n" != want.String() {
		t.Errorf("the table of conditions in docs/operations.md is not\n%s", &want)
	}
}

// TestConditionsOfNode: what befalls a node is found out.
func TestConditionsOfNode(t *testing.T) {
	step := make(chan []core.Effect, 8)
	f := newFake(func(in core.Input) []core.Effect {
		switch {
		case in.Kind == core.Start:
			return []core.Effect{nodeEvent("dev1", core.Alive), nodeEvent("dev2", core.Alive), emit(core.Event{Kind: core.EventJoined, Name: "dev2"})}
		case in.Kind == core.Do && in.Command.Op == core.Cordon:
			return append(<-step, emit(core.Event{Kind: core.EventResult, ID: in.Command.ID}))
		}
		return nil
	})
	d := &slowDisk{gate: make(chan struct{})}
	cfg := config(t, "dev1")
	cfg.Engine, cfg.writeRing, cfg.MaxGuests = f.engine, d.write, 1
	n := start(t, cfg)
	codes := func() (all []string) {
		for _, c := range n.Status().Conditions {
			all = append(all, c.Code)
		}
		return all
	}
	expect := func(what string, effects ...core.Effect) {
		t.Helper()
		step <- effects
		if _, err := n.do(soon(t), core.Command{Op: core.Cordon}); err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(codes()); got != what {
			t.Errorf("%s, not %s", got, what)
		}
	}
	expect("[no-connection]")
	n.board.mu.Lock()
	if n.board.all != nil {
		t.Error("for the status of a node there is a list of all")
	}
	n.board.mu.Unlock()
	expect("[]", nodeEvent("dev2", core.Left))
	expect("[stale]", emit(core.Event{Kind: core.EventStale}))
	expect("[]", emit(core.Event{Kind: core.EventFresh}))
	expect("[own-clock]", nodeEvent("dev3", core.Down), nodeEvent("dev2", core.Removed), nodeEvent("dev3", core.Left),
		emit(core.Event{Kind: core.EventSkew, Name: "dev3", Skew: core.Hour, Code: wire.CodeSkew}))
	expect("[]", nodeEvent("dev3", core.Removed), nodeEvent("dev4", core.Left))
	expect("[leave-pending]", nodeEvent("dev1", core.Removed))
	expect("[removed]", emit(core.Event{Kind: core.EventLeaving}))
	expect("[]", emit(core.Event{Kind: core.EventStays}), nodeEvent("dev1", core.Alive))
	cost, full := n.reserve(caller{opened: opening{role: core.Guest}})
	if full != "" {
		t.Fatal(full)
	}
	expect("[guests-full]")
	n.unreserve(cost)
	unsynced := emit(core.Event{Kind: core.EventEvidence, Name: "dev4", Topic: "unsynced"})
	expect("[]", unsynced)
	expect("[sync-lost]", emit(core.Event{Kind: core.EventEvidence, Name: "dev4", Topic: "answered"}), unsynced)
	n.evidence.mu.Lock()
	for i := range n.evidence.of["dev4"].pieces {
		n.evidence.of["dev4"].pieces[i].At = time.Now().Add(-syncLately)
	}
	n.evidence.mu.Unlock()
	expect("[]")
	cordoned := nodeEvent("dev1", core.Alive)
	cordoned.Event.Node.Cordoned = true
	expect("[cordoned]", cordoned)
	expect("[]", nodeEvent("dev1", core.Alive))

	// The disk hangs, and then it fails.
	step <- []core.Effect{{Kind: core.Dirty, Seq: 1}}
	if _, err := n.do(soon(t), core.Command{Op: core.Cordon}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a write", func() bool { return !n.health().writing.IsZero() })
	n.status.Lock()
	n.status.writing = n.status.writing.Add(-hangsAfter)
	n.status.Unlock()
	if got := ask(t, httpClient(t), "GET", "http://"+n.Addr()+"/readyz", ""); got.status != 503 || !strings.Contains(got.body, `"code":"disk-hangs"`) {
		t.Error(got)
	}
	d.set(syscall.ENOSPC)
	close(d.gate)
	eventually(t, "an error", func() bool { return fmt.Sprint(codes()) == "[not-written]" })
	d.set(nil)
	eventually(t, "no error, and no write", func() bool { return fmt.Sprint(codes()) == "[]" && n.health().writing.IsZero() })
}
