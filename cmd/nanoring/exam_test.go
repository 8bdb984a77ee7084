package main

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// well is what is looked at of three nodes that do well.
func well() exam {
	e := exam{}
	at := time.Unix(1.8e9, 0)
	for _, name := range []string{"dev1", "dev2", "dev3"} {
		e.members = append(e.members, member{Name: name, State: "up"})
		e.nodes.answers = append(e.nodes.answers, said[about]{from: name, at: at, what: about{
			Name: name, Clock: at.Add(time.Second), Version: "v1", Protocol: 1, Engine: "native", Secrets: []string{"1a2b"},
			Settings: map[string]int64{"period": 1e6, "max-guests": 1000}, DiskFree: 1 << 40,
		}})
		r := reach{Name: name}
		for _, to := range []string{"dev1", "dev2", "dev3"} {
			if to != name {
				r.Dialed = append(r.Dialed, dialed{Name: to, Micros: 1000})
			}
		}
		e.reaches.answers = append(e.reaches.answers, said[reach]{from: name, what: r})
		e.records.answers = append(e.records.answers, said[holding]{from: name, what: holding{Sums: []string{"0", "1"}}})
	}
	return e
}

// TestExam: what is wrong is found, on whom, and what to do is said; what is well is not.
func TestExam(t *testing.T) {
	for what, test := range map[string]struct {
		change func(*exam)
		want   string // severity, code, nodes
	}{
		"well":             {func(*exam) {}, ""},
		"down":             {func(e *exam) { e.members[2].State = "down" }, "warning down dev3"},
		"a guest is down":  {func(e *exam) { e.members[2].State, e.members[2].Ephemeral = "down", true }, ""},
		"suspect":          {func(e *exam) { e.members[2].State = "suspect" }, "warning suspect dev3"},
		"silent":           {func(e *exam) { e.nodes.silent = []string{"dev3"} }, "warning no-answer dev3"},
		"failed":           {func(e *exam) { e.nodes.failed = map[string]string{"dev3": "why"} }, "warning no-answer dev3"},
		"a clock":          {func(e *exam) { e.nodes.answers[1].what.Clock = time.Unix(1.8e9+30, 0) }, "warning clock-off dev2"},
		"a disk":           {func(e *exam) { e.nodes.answers[1].what.DiskFree = 1 << 20 }, "warning disk-space dev2"},
		"a disk not known": {func(e *exam) { e.nodes.answers[1].what.DiskFree = 0 }, ""},
		"secrets": {func(e *exam) {
			e.nodes.answers[0].what.Secrets = nil
			e.nodes.answers[1].what.Secrets = []string{"3c4d"}
		}, "warning secrets-differ"},
		"a protocol":  {func(e *exam) { e.nodes.answers[1].what.Protocol = 2 }, "warning protocols-differ dev2"},
		"a version":   {func(e *exam) { e.nodes.answers[1].what.Version = "v2" }, "info versions-differ dev2"},
		"one module":  {func(e *exam) { e.nodes.answers[1].what.Module = "abc" }, ""},
		"two modules": {func(e *exam) { e.nodes.answers[1].what.Module, e.nodes.answers[2].what.Module = "abc", "def" }, "warning modules-differ"},
		"a period":    {func(e *exam) { e.nodes.answers[1].what.Settings = map[string]int64{"period": 2e6} }, "warning settings-differ dev2"},
		"guests":      {func(e *exam) { e.nodes.answers[1].what.Settings = map[string]int64{"max-guests": 1} }, "info settings-differ dev2"},
		"one way":     {func(e *exam) { e.reaches.answers[1].what.Dialed[1].Error = "timeout" }, "warning one-way dev2"},
		"no way": {func(e *exam) {
			e.reaches.answers[1].what.Dialed[1].Error = "refused"
			e.reaches.answers[2].what.Dialed[1].Error = "refused"
		}, "warning unreached dev2; warning unreached dev3"},
		"who is down is not": {func(e *exam) { e.reaches.answers[1].what.Dialed[1].Error = "refused"; e.members[2].State = "left" }, ""},
		"records":            {func(e *exam) { e.records.answers[2].what.Sums = []string{"0", "2"} }, "warning records-differ dev1 dev3"},
		"conditions": {func(e *exam) {
			e.members[2].State = "down"
			for i := range 2 {
				e.nodes.answers[i].what.Conditions = []condition{{"not-written", "error", "text", "do"}}
			}
		}, "error not-written dev1 dev2; warning down dev3"},
	} {
		e := well()
		test.change(&e)
		var got []string
		for _, f := range e.findings() {
			got = append(got, strings.Join(append([]string{f.Severity, f.Code}, f.Nodes...), " "))
			if f.Text == "" || f.Do == "" {
				t.Errorf("%s: %+v", what, f)
			}
		}
		if strings.Join(got, "; ") != test.want {
			t.Errorf("%s: %q, not %q", what, got, test.want)
		}
	}
}

// TestAdviceRunsNothing: what doctor says to do runs nothing else in a shell, whatever nodes are called.
func TestAdviceRunsNothing(t *testing.T) {
	const name = "x; touch $(id) 'y'"
	word := " " + quoted(name)
	for what, change := range map[string]func(*exam){
		"down":    func(e *exam) { e.members[2].State = "down" },
		"suspect": func(e *exam) { e.members[2].State = "suspect" },
		"silent":  func(e *exam) { e.nodes.silent = []string{name} },
		"records": func(e *exam) { e.records.answers[2].what.Sums = []string{"0", "2"} },
	} {
		e := well()
		e.members[2].Name, e.nodes.answers[2].from, e.records.answers[2].from = name, name, name
		change(&e)
		for _, f := range e.findings() {
			if rest := strings.ReplaceAll(f.Do, word, ""); rest == f.Do || strings.Contains(rest, "touch") {
				t.Errorf("%s: %s", what, f.Do)
			}
		}
	}
	var f found[about]
	f.silent = []string{name}
	if _, err := f.one(name); !strings.Contains(err.Error(), "why"+word+"'") {
		t.Error(err)
	}
}

// TestBlamesNobody: where as many have the one as the other it is told who has what, and none is
// the odd one, whatever comes first; with most against them the others are.
func TestBlamesNobody(t *testing.T) {
	named := func(e exam, wants ...string) {
		t.Helper()
		all := e.findings()
		if len(all) != 1 {
			t.Errorf("%+v", all)
			return
		}
		for _, want := range wants {
			if !strings.Contains(all[0].on()+all[0].Text, want) {
				t.Errorf("%q: without %q", all[0].on()+all[0].Text, want)
			}
		}
	}
	of := func(periods ...int64) exam {
		e := well()
		e.nodes.answers = e.nodes.answers[:0]
		for i, period := range periods {
			name := "dev" + strconv.Itoa(i+1)
			e.nodes.answers = append(e.nodes.answers, said[about]{from: name, what: about{Name: name, Settings: map[string]int64{"period": period}}})
		}
		return e
	}
	const tie = "the settings of period of nodes differ, and none is that of most: "
	named(of(2e6, 1e6), tie+"1s on dev2; 2s on dev1")
	named(of(2e6, 1e6, 1e6, 2e6), tie+"1s on dev2, dev3; 2s on dev1, dev4")
	named(of(2e6, 1e6, 1e6, 3e6), tie+"1s on dev2, dev3; 2s on dev1; 3s on dev4")
	named(of(2e6, 1e6, 1e6), "dev1: it differs from most in its settings of period: 1s on 2; 2s on dev1")
	many := of(1e6, 1e6, 1e6, 1e6, 1e6, 1e6, 2e6, 2e6, 2e6, 2e6, 2e6, 2e6)
	named(many, "1s on dev1, dev2, dev3, dev4, dev5 and 1 more; 2s on dev7, ")

	clocks := well()
	clocks.nodes.answers = clocks.nodes.answers[:2]
	clocks.nodes.answers[0].what.Clock = clocks.nodes.answers[0].what.Clock.Add(20 * time.Second)
	named(clocks, "the clock of dev1 is 20s ahead of that of dev2, and most of the ring has neither time")
}

// TestDiffering: a record is on one side alone, or not the same on both.
func TestDiffering(t *testing.T) {
	a := []record{{Set: "nodes", Name: "x", Hash: "1"}, {Set: "up", Name: "x", Hash: "2"}, {Set: "nodes", Name: "y", Hash: "3"}}
	b := []record{{Set: "nodes", Name: "x", Hash: "1"}, {Set: "up", Name: "x", Hash: "9"}, {Set: "nodes", Name: "z", Hash: "4"}}
	var got []string
	for _, d := range differing(a, b) {
		got = append(got, d.Set+" "+d.Name+" "+map[bool]string{true: "-", false: "a"}[d.A == nil]+map[bool]string{true: "-", false: "b"}[d.B == nil])
	}
	if want := []string{"up x ab", "nodes y a-", "nodes z -b"}; !slices.Equal(got, want) || differing(a, a) != nil {
		t.Errorf("%q, not %q", got, want)
	}
}

// TestLookingUsage: what cannot be meant is refused before anybody is asked.
func TestLookingUsage(t *testing.T) {
	for _, line := range []string{"why", "why a b", "rtt a", "rtt a a", "diff a", "diff a a", "reach a", "doctor a", "up -o matrix", "reach -o", "doctor -o matrix"} {
		root, begun := newRoot()
		root.SetArgs(append([]string{"--data", t.TempDir()}, strings.Fields(line)...))
		if err := root.Execute(); err == nil || *begun {
			t.Errorf("%s: %v", line, err)
		}
	}
}
