//go:build linux

package network

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"
)

// history is all adds and dels that were asked of a ring's nodes, by anybody, and
// how each was answered. Who wins is the set's rule: for each name the newest; its
// stamp is of a moment between the question and the answer, since all hosts have
// one clock.
type history struct {
	mu    sync.Mutex
	deeds []*deed
}

// deed is one add or del.
type deed struct {
	name            string
	add             bool
	by              string
	asked, answered time.Time
	answer          answer
}

type answer int

const (
	unanswered answer = iota // or the connection broke: it may be done, now or later
	done                     // so it holds, unless another is newer
	refused                  // so it has no effect
)

func (d *deed) String() string {
	what, became := "del", [...]string{"unanswered", "done", "refused"}[d.answer]
	if d.add {
		what = "add"
	}
	return fmt.Sprintf("%s %s by %s from %s to %s: %s", what, d.name, d.by, d.asked.Format("05.000"), d.answered.Format("05.000"), became)
}

// ask notes that something is asked for.
func (h *history) ask(by, name string, add bool) *deed {
	h.mu.Lock()
	defer h.mu.Unlock()
	d := &deed{name: name, add: add, by: by, asked: time.Now()}
	h.deeds = append(h.deeds, d)
	return d
}

// end notes how it was answered.
func (h *history) end(d *deed, a answer) {
	h.mu.Lock()
	defer h.mu.Unlock()
	d.answered, d.answer = time.Now(), a
}

// names are all that were added or deleted.
func (h *history) names() (s []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, d := range h.deeds {
		if !slices.Contains(s, d.name) {
			s = append(s, d.name)
		}
	}
	return s
}

// outcomes says whether a name may belong to the ring now, and whether it may not.
func (h *history) outcomes(name string) (in, out bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var newest time.Time // one that was done is no older
	for _, d := range h.deeds {
		if d.name == name && d.answer == done && d.asked.After(newest) {
			newest = d.asked
		}
	}
	out = newest.IsZero()
	for _, d := range h.deeds {
		if d.name == name && (d.answer == unanswered || d.answer == done && !d.answered.Before(newest)) {
			in, out = in || d.add, out || !d.add
		}
	}
	return in, out
}

// wrong says of which name the members are not what can have come of it.
func (h *history) wrong(members []string) string {
	for _, name := range h.names() {
		in, out := h.outcomes(name)
		if is := slices.Contains(members, name); is && !in || !is && !out {
			s := fmt.Sprintf("%s belongs to the ring: %t, which cannot be:", name, is)
			for _, d := range h.deeds {
				if d.name == name {
					s += "\n\t" + d.String()
				}
			}
			return s
		}
	}
	return ""
}

func TestHistory(t *testing.T) {
	t.Parallel()
	type told struct {
		add      bool
		from, to int // seconds
		answer   answer
	}
	for _, test := range []struct {
		what    string
		told    []told
		in, out bool
	}{
		{"nothing", nil, false, true},
		{"an add", []told{{true, 1, 2, done}}, true, false},
		{"an add that was refused", []told{{true, 1, 2, refused}}, false, true},
		{"an add that nobody answered", []told{{true, 1, 0, unanswered}}, true, true},
		{"an add, then a del", []told{{true, 1, 2, done}, {false, 3, 4, done}}, false, true},
		{"a del, then an add", []told{{false, 1, 2, done}, {true, 3, 4, done}}, true, false},
		{"both at once", []told{{true, 1, 4, done}, {false, 2, 3, done}}, true, true},
		{"the end of one is the begin of the other", []told{{true, 1, 2, done}, {false, 2, 3, done}}, true, true},
		{"an add, then a del that was refused", []told{{true, 1, 2, done}, {false, 3, 4, refused}}, true, false},
		{"an add, then a del that nobody answered", []told{{true, 1, 2, done}, {false, 3, 0, unanswered}}, true, true},
		{"a del that nobody answered may still come", []told{{false, 1, 0, unanswered}, {true, 3, 4, done}}, true, true},
		{"of three only the last two can have won", []told{{false, 1, 2, done}, {true, 3, 5, done}, {true, 4, 6, done}}, true, false},
	} {
		var h history
		at := func(s int) time.Time { return time.Unix(int64(s), 0) }
		for _, d := range test.told {
			h.deeds = append(h.deeds, &deed{name: "x", by: "n1", add: d.add, asked: at(d.from), answered: at(d.to), answer: d.answer})
		}
		if in, out := h.outcomes("x"); in != test.in || out != test.out {
			t.Errorf("%s: it may belong: %t, and may not: %t", test.what, in, out)
		}
		if wrong := len(test.told) > 0 && h.wrong([]string{"x"}) != ""; wrong != (!test.in && len(test.told) > 0) {
			t.Errorf("%s: that it belongs is wrong: %t", test.what, wrong)
		}
		if wrong := h.wrong(nil) != ""; wrong != !test.out {
			t.Errorf("%s: that it does not belong is wrong: %t", test.what, wrong)
		}
	}
}
