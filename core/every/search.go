package every

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/nanoring/nanoring/core"
)

// Counts is what a search has lived.
type Counts struct {
	Schedules uint64 // rows of choices, also those that end as another did
	States    int    // that differ
	Pruned    int    // times that a state was met again
	Ends      int    // of schedules, that differ: each was lived on until all was right
	Steps     int    // choices made, of schedules and after their ends
	Longest   int64  // that it took until all was right
}

func (c *Counts) add(o *Counts) {
	c.Schedules += o.Schedules
	c.States += o.States
	c.Pruned += o.Pruned
	c.Ends += o.Ends
	c.Steps += o.Steps
	c.Longest = max(c.Longest, o.Longest)
}

func (c *Counts) String() string {
	return fmt.Sprintf("%d schedules, %d states (%d met again), %d ends, %d steps; right within %.1f s", c.Schedules, c.States, c.Pruned, c.Ends, c.Steps, float64(c.Longest)/float64(core.Second))
}

// Fault is a schedule that breaks a promise.
type Fault struct {
	Scene *Scene
	Path  []int
	What  string
}

// Bounds say how far a search goes.
type Bounds struct {
	Depth  int          // choices in which departures are possible
	Depart int          // how many of them depart
	Prefer bool         // what overtakes another goes on to: its connection is before all others
	Most   [kinds]uint8 // how often what is no order of things may happen: from Crash on
}

// Most returns bounds of so many faults of each kind, and so many commands.
func Most(faults, commands uint8) (m [kinds]uint8) {
	for k := Crash; k < kinds; k++ {
		m[k] = faults
	}
	m[Do] = commands
	m[Fresh] = min(faults, 1) // more at a time, and what was acknowledged is gone
	return m
}

// state is a state with what may still follow.
type state struct {
	sum         uint64
	depth, left int
}

// search explores one scene. Departures come first, so that of schedules with as
// many the one that departs first is found first.
type search struct {
	bounds  Bounds
	counts  Counts
	seen    map[state]uint64 // how many schedules follow
	settled map[uint64]bool
	path    []int
	fault   *Fault
}

// Beginning is a scene that is about to begin.
type Beginning struct{ w *world }

// Begin has a scene come about.
func (sc *Scene) Begin() (Beginning, error) {
	w := sc.begin()
	if w.wrong != "" {
		return Beginning{}, errors.New("the scene " + sc.Name + " does not come about: " + w.wrong)
	}
	return Beginning{w}, nil
}

// Explore lives every schedule of a scene within bounds. It ends with the shortest
// of those that break a promise with the fewest departures, if there are any.
func (of Beginning) Explore(b Bounds) (Counts, *Fault) {
	begun := of.w
	counts, fault := explore(begun, b)
	if fault == nil {
		return counts, nil
	}
	less := b
	for less.Depart = 0; less.Depart < b.Depart; less.Depart++ {
		if _, f := explore(begun, less); f != nil {
			fault = f
			break
		}
	}
	for less.Depth = 0; less.Depth < len(fault.Path); less.Depth++ {
		if _, f := explore(begun, less); f != nil {
			return counts, f
		}
	}
	return counts, fault
}

func explore(begun *world, b Bounds) (Counts, *Fault) {
	s := search{bounds: b, seen: make(map[state]uint64), settled: make(map[uint64]bool)}
	s.visit(begun.clone(), b.Depth, b.Depart)
	s.counts.States = len(s.seen)
	return s.counts, s.fault
}

// visit lives all that can follow, and returns how many schedules that are.
func (s *search) visit(w *world, depth, left int) (schedules uint64) {
	if s.fault != nil {
		return 0
	}
	if left = min(left, depth); left == 0 {
		return s.end(w)
	}
	key := state{w.sum(), depth, left}
	if n, ok := s.seen[key]; ok {
		s.counts.Pruned++
		s.counts.Schedules += n
		return n
	}
	all := w.choices()
	if len(all) == 0 {
		return s.end(w)
	}
	for i := len(all) - 1; i >= 0; i-- {
		if i > 0 && !s.may(w, all[i].kind) {
			continue
		}
		next := w
		if i > 0 {
			next = w.clone()
		}
		next.apply(all[i])
		s.counts.Steps++
		s.path = append(s.path, i)
		if next.wrong != "" {
			s.fail(next)
		} else {
			schedules += s.visit(next, depth-1, left-min(i, 1))
		}
		s.path = s.path[:len(s.path)-1]
	}
	s.seen[key] = schedules
	return schedules
}

// may says whether the bounds let a departure of a kind happen.
func (s *search) may(w *world, k Kind) bool {
	switch {
	case k == Prefer, k == Deliver:
		return s.bounds.Prefer == (k == Prefer)
	case k == Fresh && w.scene.Bare:
		return false
	}
	return k < Crash || w.used[k] < s.bounds.Most[k]
}

// end lives on from the end of a schedule until all is right.
func (s *search) end(w *world) uint64 {
	s.counts.Schedules++
	if first := w.sum(); !s.meet(first) {
		s.counts.Ends++
		took := w.settle(first%16 == 0, func() bool { return s.meet(w.sum()) })
		s.counts.Longest = max(s.counts.Longest, took)
		if w.wrong != "" {
			s.fail(w)
		}
	}
	return 1
}

// meet says whether a state was met before in which a schedule's end was lived on.
func (s *search) meet(sum uint64) bool {
	known := s.settled[sum]
	s.settled[sum] = true
	return known
}

func (s *search) fail(w *world) {
	if s.fault == nil {
		s.fault = &Fault{w.scene, append([]int(nil), s.path...), w.wrong}
	}
}

// Code is the schedule in short: the numbers of its choices, and how often one comes.
func (f *Fault) Code() string {
	var parts []string
	for i := 0; i < len(f.Path); {
		j := i
		for j < len(f.Path) && f.Path[j] == f.Path[i] {
			j++
		}
		part := strconv.Itoa(f.Path[i])
		if j-i > 1 {
			part += "x" + strconv.Itoa(j-i)
		}
		parts, i = append(parts, part), j
	}
	return f.Scene.Name + ":" + strings.Join(parts, ".")
}

// Play lives one schedule again, with engines as core.New makes them, tells it line
// by line, and returns what is wrong with it, or "".
func Play(scenes []*Scene, code string, all bool, tell func(string)) (string, error) {
	name, rest, _ := strings.Cut(code, ":")
	for _, sc := range scenes {
		if sc.Name != name {
			continue
		}
		w := sc.begin()
		w.tell = tell
		for _, part := range strings.FieldsFunc(rest, func(r rune) bool { return r == '.' }) {
			number, times, many := strings.Cut(part, "x")
			i, err := strconv.Atoi(number)
			n := 1
			if err == nil && many {
				n, err = strconv.Atoi(times)
			}
			if err != nil {
				return "", fmt.Errorf("the schedule %s cannot be read: %w", code, err)
			}
			for ; n > 0 && w.wrong == ""; n-- {
				all := w.choices()
				if i < 0 || i >= len(all) {
					return "", fmt.Errorf("the schedule %s is none of this code: there are %d choices where it takes number %d", code, len(all), i)
				}
				w.apply(all[i])
			}
		}
		if w.wrong == "" {
			tell("from here on nothing is amiss any more")
			if !all {
				w.tell = nil
			}
			w.settle(true, func() bool { return false })
		}
		return w.wrong, nil
	}
	return "", fmt.Errorf("there is no scene %q: the schedule is none of this code", name)
}

// Story tells the schedule, a line for each choice and for what it brought about.
func (f *Fault) Story(scenes []*Scene) string {
	var b strings.Builder
	what, err := Play(scenes, f.Code(), false, func(line string) { b.WriteString(line + "\n") })
	if err != nil {
		what = err.Error()
	}
	if what != f.What {
		b.WriteString("played alone it ends otherwise: ")
	}
	b.WriteString(what + "\n")
	return b.String()
}
