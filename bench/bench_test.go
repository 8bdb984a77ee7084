package main

import (
	"bytes"
	"math"
	"os"
	"testing"
	"time"
)

func TestMain(m *testing.M) {
	child()
	os.Exit(m.Run())
}

// TestMeasurements runs every measurement of every system once (join-storm alone of wasm), with rings as
// small as can be. That each gives a number is all that it can show.
func TestMeasurements(t *testing.T) {
	const n = 4
	b := &bench{settings: settings{
		Reps: 1, Burners: 1, Bound: time.Minute, Dir: t.TempDir(),
		Idle: time.Second, Slow: 10 * time.Millisecond, Starve: 10 * time.Millisecond,
	}}
	for _, m := range measurements {
		for _, s := range systems {
			if s.name == sandboxed && m.name != "join-storm" {
				continue // the rest of its node is nanoring's, and it takes seconds to compile
			}
			if s.name == baseline && (m.name == "message" || m.name == "busy") {
				continue // it has none
			}
			t.Run(m.name+"/"+s.name, func(t *testing.T) {
				t.Parallel()
				got, err := b.apart(t.Context(), m, s, n)
				if err != nil {
					t.Fatal(err)
				}
				for _, r := range rows {
					if r.name != m.name {
						continue
					}
					v := got[r.key]
					if len(v) == 0 || math.IsNaN(v[0]) || math.IsInf(v[0], 0) || v[0] < 0 {
						t.Errorf("%s: %v", r.label, v)
					}
					if r.key == "bytes" && v[0] == 0 {
						t.Error("it counts no bytes")
					}
				}
			})
		}
	}
}

func TestRoundFails(t *testing.T) {
	b := &bench{settings: settings{Reps: 1, Bound: time.Minute, Dir: "/dev/null/nowhere"}}
	storm, err := measurementOf("join-storm")
	if err != nil {
		t.Fatal(err)
	}
	broken, err := systemOf(subject)
	if err != nil {
		t.Fatal(err)
	}
	works, err := systemOf(baseline)
	if err != nil {
		t.Fatal(err)
	}
	g := group{3, []system{works, broken}}
	all, err := b.run(t.Context(), g, []measurement{storm})
	if err != nil {
		t.Fatal(err)
	}
	r := result{Groups: []sized{{g.n, b.lines(g, all)}}}
	for _, l := range r.Groups[0].Lines {
		if l.Cells[0].Value == nil || l.Cells[1].Value != nil || l.Cells[1].Error == "" {
			t.Errorf("%+v", l)
		}
	}
	var table bytes.Buffer
	if err := r.table(&table); err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(table.Bytes(), []byte("\nfailed: join-storm of nanoring: ")) {
		t.Errorf("it does not say what failed:\n%s", &table)
	}
}

func TestTable(t *testing.T) {
	b := &bench{settings: settings{Bound: time.Minute}}
	g := group{64, systems[:3]}
	of := func(values ...[]float64) map[string]*outcome {
		o := make(map[string]*outcome)
		for i, v := range values {
			o[systems[i].name] = &outcome{samples: samples{"": v}}
		}
		return o
	}
	r := result{Cores: 2, Go: "go1", Groups: []sized{{64, b.lines(g, map[string]map[string]*outcome{
		"join-storm": of([]float64{3, 1, 2}, []float64{1, math.Inf(1), 1}, []float64{0.5, 0.25, 2}),
		"starved":    of([]float64{0}, []float64{7}, []float64{1}),
	})}}}
	const want = `64 nodes                         memberlist   serf         nanoring        at most
join storm, median               2.0 s        1.0 s (0.5)  500 ms (0.25)   0.15 missed
join storm, worst ¹              3.0 s        > 1m0s       2.0 s (1)       0.3 missed
starved machine, false deaths ²  0            7            1               0.1 missed
`
	var got, json bytes.Buffer
	if err := r.table(&got); err != nil {
		t.Fatal(err)
	}
	// The widths are tabwriter's.
	if a, b := fields(got.String()[:len(got.String())-len(footnotes)]), fields(want+"\n2 cores, go1. "); a != b {
		t.Errorf("%s\nis not\n%s", a, b)
	}
	if err := r.json(&json); err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{`"over": 60`, `"missed": true`, `"ratio": 0.25`, `"samples": 3`} {
		if !bytes.Contains(json.Bytes(), []byte(part)) {
			t.Errorf("%s is not in\n%s", part, &json)
		}
	}
}

// fields has one space where s has several.
func fields(s string) string {
	var lines []byte
	for line := range bytes.Lines([]byte(s)) {
		lines = append(append(lines, bytes.Join(bytes.Fields(line), []byte(" "))...), '\n')
	}
	return string(lines)
}

func TestChoose(t *testing.T) {
	if _, err := groupsOf("memberlist,raft", 64); err == nil {
		t.Error("there is no raft")
	}
	groups, err := groupsOf("", 64)
	if err != nil {
		t.Fatal(err)
	}
	if len(groups) != 2 || groups[0].n != 64 || len(groups[0].systems) != 3 || groups[1].n != maxSandboxed || len(groups[1].systems) != 2 {
		t.Errorf("%+v", groups)
	}
	if groups, err := groupsOf("nanoring", 5); err != nil || len(groups) != 1 || groups[0].n != 5 {
		t.Errorf("%+v, %v", groups, err)
	}
}

func TestReducers(t *testing.T) {
	v := []float64{5, 1, 4, 2}
	for name, test := range map[string]struct{ got, want float64 }{
		"median":     {median(v), 3},
		"odd median": {median(v[:3]), 4},
		"worst":      {worst(v), 5},
		"p99":        {p99(v), 5},
	} {
		if test.got != test.want {
			t.Errorf("%s: %v, not %v", name, test.got, test.want)
		}
	}
}
