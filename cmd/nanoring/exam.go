package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

const (
	clockOff = 5 * time.Second // from the median; beyond a minute nodes do not let each other in
	diskLow  = 64 << 20
)

// exam is what the doctor looks at.
type exam struct {
	members []member
	nodes   found[about]
	reaches found[reach]
	records found[holding]
	all     []finding
}

func (e *exam) add(severity, code, text, do string, nodes ...string) {
	e.all = append(e.all, finding{severity, code, append([]string{}, nodes...), text, do})
}

// findings looks at all, and returns what it found, the worst first.
func (e *exam) findings() []finding {
	e.all = nil
	e.lookAtMembers()
	e.lookAtNodes()
	e.lookAtClocks()
	e.lookAtPaths()
	e.lookAtDifferences()
	if pair := e.apart(); len(pair) > 0 {
		e.add("warning", "records-differ", "they do not hold the same records, and did not for seconds", "nanoring diff "+quoted(pair[0])+" "+quoted(pair[1])+" shows which", pair...)
	}
	worth := []string{"error", "warning", "info"}
	slices.SortStableFunc(e.all, func(a, b finding) int { return slices.Index(worth, a.Severity) - slices.Index(worth, b.Severity) })
	return e.all
}

func (e *exam) lookAtMembers() {
	var down, suspect []string
	for i := range e.members {
		switch m := &e.members[i]; {
		case m.Ephemeral:
		case m.State == "down":
			down = append(down, m.Name)
		case m.State == "suspect":
			suspect = append(suspect, m.Name)
		}
	}
	if len(down) > 0 {
		e.add("warning", "down", "down, and did not say bye", "see why: nanoring why "+quoted(down[0])+" --all; start it, or remove it for good: nanoring del "+quoted(down[0]), down...)
	}
	if len(suspect) > 0 {
		e.add("warning", "suspect", "it did not answer, and will be down if it does not refute that", "see why: nanoring why "+quoted(suspect[0])+" --all", suspect...)
	}
	if len(e.nodes.silent) > 0 {
		e.add("warning", "no-answer", "up as others hold it, and does not answer", "see whether it is stopped, overloaded or cut off: nanoring why "+quoted(e.nodes.silent[0])+" --all", e.nodes.silent...)
	}
	for _, name := range slices.Sorted(maps.Keys(e.nodes.failed)) {
		e.add("warning", "no-answer", "it cannot say how it does: "+e.nodes.failed[name], "look at its log", name)
	}
}

// lookAtNodes takes over what nodes say of themselves.
func (e *exam) lookAtNodes() {
	type of struct{ code, text string }
	seen := make(map[of]int)
	for _, s := range e.nodes.answers {
		for _, c := range s.what.Conditions {
			key := of{c.Code, c.Text}
			if at, ok := seen[key]; ok {
				e.all[at].Nodes = append(e.all[at].Nodes, s.from)
				continue
			}
			seen[key] = len(e.all)
			e.add(c.Severity, c.Code, c.Text, c.Do, s.from)
		}
		if free := s.what.DiskFree; free > 0 && free < diskLow {
			e.add("warning", "disk-space", fmt.Sprintf("there are %d MiB left on the disk that its data is on", free>>20), "free some space there", s.from)
		}
	}
}

// lookAtClocks compares each clock with the others', by when the answers came.
func (e *exam) lookAtClocks() {
	var all []time.Duration
	for _, s := range e.nodes.answers {
		all = append(all, s.what.Clock.Sub(s.at))
	}
	if len(all) < 2 {
		return
	}
	sorted, agree := slices.Sorted(slices.Values(all)), 0
	middle := sorted[(len(all)-1)/2]
	for _, d := range all {
		if (d - middle).Abs() <= clockOff {
			agree++
		}
	}
	if 2*agree <= len(all) {
		behind, ahead := slices.Index(all, sorted[0]), slices.Index(all, sorted[len(all)-1])
		e.add("warning", "clock-off", "the clock of "+e.nodes.answers[ahead].from+" is "+offBy((all[ahead]-all[behind]).Microseconds())+" of that of "+e.nodes.answers[behind].from+
			", and most of the ring has neither time", "run NTP on their hosts")
		return
	}
	for i, s := range e.nodes.answers {
		if off := all[i] - middle; off.Abs() > clockOff {
			e.add("warning", "clock-off", "its clock is "+offBy(off.Microseconds())+" of the others'", "run NTP on its host", s.from)
		}
	}
}

// lookAtPaths finds who cannot dial whom, of those that are up.
func (e *exam) lookAtPaths() {
	type path struct{ from, to string }
	up, came := make(map[string]bool), make(map[path]string)
	for i := range e.members {
		up[e.members[i].Name] = e.members[i].State == "up"
	}
	for _, s := range e.reaches.answers {
		for _, d := range s.what.Dialed {
			came[path{s.from, d.Name}] = orDash(d.Error)
		}
	}
	for _, s := range e.reaches.answers {
		for _, d := range s.what.Dialed {
			if d.Error == "" || !up[d.Name] {
				continue
			}
			text, code := "cannot dial "+d.Name+" ("+d.Error+")", "unreached"
			if came[path{d.Name, s.from}] == "-" {
				text, code = text+", though "+d.Name+" dials it", "one-way"
			}
			e.add("warning", code, text, "see that the address of "+d.Name+" is one that "+s.from+" can dial (nanoring all; --advertise), and at firewalls between them", s.from)
		}
	}
}

// lookAtDifferences finds what should be alike in a ring.
func (e *exam) lookAtDifferences() {
	e.differ("warning", "secrets-differ", "secrets", "give all nodes the same secrets: docs/operations.md tells how to change them", func(a *about) string { return strings.Join(a.Secrets, "+") })
	e.differ("warning", "protocols-differ", "versions of the protocol", "upgrade those with the older one", func(a *about) string { return fmt.Sprint(a.Protocol) })
	e.differ("info", "versions-differ", "versions", "finish the upgrade", func(a *about) string { return a.Version })
	e.differ("warning", "modules-differ", "modules", "nanoring engine shows the digest; nanoring engine swap FILE.wasm gives a node another", func(a *about) string { return a.Module[:min(len(a.Module), 12)] })
	keys := make(map[string]bool)
	for _, s := range e.nodes.answers {
		for key := range s.what.Settings {
			keys[key] = true
		}
	}
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		severity := "warning"
		if key == "max-guests" {
			severity = "info"
		}
		e.differ(severity, "settings-differ", "settings of "+key, "start all nodes with the same, unless that is meant", func(a *about) string {
			v, ok := a.Settings[key]
			switch {
			case !ok:
				return ""
			case key == "max-guests":
				return fmt.Sprint(v)
			}
			return (time.Duration(v) * time.Microsecond).String()
		})
	}
}

// differ adds a finding if nodes have something that differs; those of which it is "" have none. It is
// on those that are not like most; where there is no most it is on nobody more than on others.
func (e *exam) differ(severity, code, what, do string, of func(*about) string) {
	who, total := make(map[string][]string), 0
	for i := range e.nodes.answers {
		a := &e.nodes.answers[i]
		if v := of(&a.what); v != "" {
			who[v] = append(who[v], a.from)
			total++
		}
	}
	if len(who) < 2 {
		return
	}
	values := slices.Sorted(maps.Keys(who))
	slices.SortStableFunc(values, func(a, b string) int { return len(who[b]) - len(who[a]) })
	most := len(who[values[0]])
	if 2*most <= total {
		var sides []string
		for _, v := range values {
			sides = append(sides, v+" on "+few(who[v]))
		}
		e.add(severity, code, "the "+what+" of nodes differ, and none is that of most: "+strings.Join(sides, "; "), do)
		return
	}
	has, odd := []string{fmt.Sprintf("%s on %d", values[0], most)}, []string(nil)
	for _, v := range values[1:] {
		has = append(has, v+" on "+few(who[v]))
		odd = append(odd, who[v]...)
	}
	slices.Sort(odd)
	e.add(severity, code, "it differs from most in its "+what+": "+strings.Join(has, "; "), do, odd...)
}

// apart are two nodes that do not hold the same records, if there are any.
func (e *exam) apart() []string {
	for i := range e.records.answers {
		if first, s := &e.records.answers[0], &e.records.answers[i]; !slices.Equal(first.what.Sums, s.what.Sums) {
			return []string{first.from, s.from}
		}
	}
	return nil
}
