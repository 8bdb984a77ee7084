package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"text/tabwriter"
	"time"
)

// row is a line of the table: what is made of a measurement's samples.
type row struct {
	name, key string // of the measurement and its samples
	label     string
	of        func([]float64) float64
	format    func(float64) string
	to        string  // label of the row that ratios are to; empty: this one
	base      string  // the system that they are to; empty: memberlist
	goal      float64 // the ratio that NanoRing is to reach at most,
	locked    float64 // and that with a secret, if another
}

var rows = []row{
	{"join-storm", "", "join storm, median", median, seconds, "", "", 0.15, 0},
	{"join-storm", "", "join storm, worst ¹", worst, seconds, "join storm, median", "", 0.3, 0},
	{"sequential-join", "", "sequential join, median", median, seconds, "", "", 0, 0},
	{"one", "join", "one joins, all know, p50", median, seconds, "", "", 0.06, 0},
	{"one", "join", "one joins, all know, p99", p99, seconds, "", "", 0, 0},
	{"one", "join", "one joins, all know, worst ¹", worst, seconds, "one joins, all know, p50", "", 0.12, 0},
	{"one", "leave", "one leaves, all know, median", median, seconds, "", "", 0, 0},
	{"one", "leave", "one leaves, all know, worst ¹", worst, seconds, "one leaves, all know, median", "", 0, 0},
	{"crash", "", "crash, all know, median", median, seconds, "", "", 0.0027, 0},
	{"silent", "", "silent death, all know, median", median, seconds, "", "", 0.52, 0},
	{"silent", "patience", "with a patience of ⁴", median, seconds, "", "", 0, 0},
	{"silent", "beyond", "and beyond it", median, seconds, "with a patience of ⁴", subject, 0.25, 0},
	{"message", "", "a small message, all hear, median", median, seconds, "", "serf", 1. / 10, 0},
	{"message", "", "a small message, all hear, worst ¹", worst, seconds, "a small message, all hear, median", "serf", 1. / 4, 0},
	{"busy", "crash", "crash amid 1,000 messages a second, median ³", median, seconds, "crash, all know, median", subject, 1.2, 0},
	{"busy", "after", "CPU after them, to before", median, small, "", "", 0, 0},
	{"busy", "heard", "of them heard, at each node", median, small, "", "", 0, 0},
	{"idle", "bytes", "idle, bytes a second a node", median, plain, "", "", 0.6, 0.75},
	{"idle", "cpu", "idle, CPU seconds a minute a node", median, small, "", "", 0.6, 0.7},
	{"idle", "memory", "heap + stack a node", median, kib, "", "", 1.5, 2},
	{"idle", "goroutines", "goroutines a node", median, plain, "", "", 1.3, 0},
	{"stopped-2s", "", "false deaths beside a node stopped 2 s of 10 ²", median, plain, "", "", 1, 0},
	{"stopped-3.5s", "", "beside one stopped 3.5 s of 20 ²", median, plain, "", "", 1, 0},
	{"stopped-6s", "", "beside one stopped 6 s of 20, after the first time ²", median, plain, "", "", 1, 0},
	{"starved", "", "starved machine, false deaths ²", median, plain, "", "", 1. / 10, 0},
}

const footnotes = `A ratio, in brackets, is to memberlist in the same run (of messages, which it lacks, to serf); "at most" is what NanoRing's is to be.
¹ The ratio is to the other's median: its worst depends on luck.
² Counted at each node: when all nodes hold a living one for dead, that makes one less than there are nodes.
³ The ratio is to NanoRing's crash without messages.
⁴ How long a node may be silent by what is set: of memberlist the least time to refute. What is beyond it is to be a quarter of it.
`

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	if len(v)%2 == 1 {
		return v[len(v)/2]
	}
	return (v[len(v)/2-1] + v[len(v)/2]) / 2
}

func worst(v []float64) float64 { return slices.Max(v) }

// p99 is the smallest value that 99 % of all do not exceed.
func p99(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return v[int(math.Ceil(0.99*float64(len(v))))-1]
}

func seconds(v float64) string {
	if v < 1 {
		return fmt.Sprintf("%.0f ms", v*1000)
	}
	return fmt.Sprintf("%.1f s", v)
}

func plain(v float64) string {
	if v < 10 && v != math.Trunc(v) {
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.0f", v)
}

func small(v float64) string { return fmt.Sprintf("%.3f", v) }
func kib(v float64) string   { return fmt.Sprintf("%.0f KiB", v/1024) }

// result is a run as JSON.
type result struct {
	Cores  int     `json:"cores"`
	Go     string  `json:"go"`
	Groups []sized `json:"groups"`
}

// sized is what was measured of rings of one size.
type sized struct {
	Nodes int    `json:"nodes"`
	Lines []line `json:"lines"`
}

type line struct {
	Measurement string  `json:"measurement"`
	Label       string  `json:"label"`
	RatioTo     string  `json:"ratio_to,omitempty"` // label of memberlist's line, if another
	AtMost      float64 `json:"ratio_at_most,omitempty"`
	Cells       []cell  `json:"systems"`
	format      func(float64) string
}

type cell struct {
	System  string   `json:"system"`
	Value   *float64 `json:"value"`           // seconds, bytes or a number; null if over, or failed, or if the system has no such thing
	Over    float64  `json:"over,omitempty"`  // it took longer than so many seconds
	Ratio   *float64 `json:"ratio,omitempty"` // to memberlist
	Missed  bool     `json:"missed,omitempty"`
	Error   string   `json:"error,omitempty"`
	Samples int      `json:"samples"`
}

const (
	baseline = "memberlist"
	subject  = "nanoring"
)

// lines makes the table of a group.
func (b *bench) lines(g group, all map[string]map[string]*outcome) []line {
	value := func(r row, system string) float64 {
		o := all[r.name][system]
		if o == nil || o.err != nil || len(o.samples[r.key]) == 0 {
			return math.NaN()
		}
		return r.of(o.samples[r.key])
	}
	var lines []line
	for _, r := range rows {
		if all[r.name] == nil {
			continue
		}
		to, compared := cmp.Or(r.base, baseline), r
		if i := slices.IndexFunc(rows, func(s row) bool { return s.label == r.to }); i >= 0 {
			compared = rows[i]
		}
		base := math.NaN()
		if all[compared.name] != nil {
			base = value(compared, to)
		}
		l := line{Measurement: r.name, Label: r.label, RatioTo: r.to, format: r.format}
		if !math.IsNaN(base) && g.has(subject) {
			l.AtMost = r.goal
			if os.Getenv(secretEnv) != "" {
				l.AtMost = cmp.Or(r.locked, r.goal)
			}
		}
		for _, s := range g.systems {
			o, v := all[r.name][s.name], value(r, s.name)
			c := cell{System: s.name, Samples: len(o.samples[r.key])}
			switch {
			case math.IsNaN(v):
				if o.err != nil {
					c.Error = o.err.Error()
				}
			case math.IsInf(v, 1):
				c.Over = b.Bound.Seconds()
			default:
				c.Value = &v
			}
			if ratio := v / base; (s.name != to || compared.name != r.name) && !math.IsInf(base, 0) && !math.IsNaN(ratio) && !math.IsInf(ratio, 0) {
				c.Ratio = &ratio
			}
			c.Missed = s.name == subject && l.AtMost != 0 && v > l.AtMost*base
			l.Cells = append(l.Cells, c)
		}
		lines = append(lines, l)
	}
	return lines
}

func (r *result) json(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

func (r *result) table(w io.Writer) error {
	var failed []string
	for _, g := range r.Groups {
		tab := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
		fmt.Fprintf(tab, "%d nodes", g.Nodes)
		for _, c := range g.Lines[0].Cells {
			fmt.Fprintf(tab, "\t%s", c.System)
		}
		fmt.Fprint(tab, "\tat most\n")
		for _, l := range g.Lines {
			fmt.Fprint(tab, l.Label)
			mark := ""
			for _, c := range l.Cells {
				fmt.Fprintf(tab, "\t%s", c.text(l.format))
				if c.Error != "" && !slices.Contains(failed, c.Error) {
					failed = append(failed, c.Error)
				}
				if c.Missed {
					mark = " missed"
				}
			}
			if l.AtMost != 0 {
				mark = fmt.Sprintf("%.2g%s", l.AtMost, mark)
			}
			fmt.Fprintf(tab, "\t%s\n", mark)
		}
		if err := tab.Flush(); err != nil {
			return err
		}
		fmt.Fprintln(w)
	}
	for _, text := range failed {
		fmt.Fprintf(w, "failed: %s\n", text)
	}
	_, err := fmt.Fprintf(w, "%d cores, %s. %s", r.Cores, r.Go, footnotes)
	return err
}

func (c cell) text(format func(float64) string) string {
	switch {
	case c.Error != "":
		return "failed"
	case c.Value == nil && c.Over == 0:
		return "has none"
	case c.Value == nil:
		return "> " + time.Duration(c.Over*float64(time.Second)).String()
	case c.Ratio == nil:
		return format(*c.Value)
	}
	return fmt.Sprintf("%s (%.2g)", format(*c.Value), *c.Ratio)
}
