package sim

import (
	"slices"
	"strings"

	"github.com/nanoring/nanoring/core"
)

// Shrunk is what is left of a tale that goes wrong.
type Shrunk struct {
	Tale
	Err   error    // what is wrong with it
	Story []string // what happened in it, a line each
	Runs  int      // how many tales were lived to find it
}

// Shrink takes out of a tale what it goes wrong without: acts, nodes, the network's
// habits, pauses. What is left complains of the same kind of thing. (Delta debugging:
// Zeller, Hildebrandt, IEEE TSE 28(2), 2002.) It lives most tales at most; with no
// complaint, there is nothing to shrink.
func Shrink(t Tale, cfg Config, most int) *Shrunk {
	cfg.Trace, cfg.Story = nil, nil
	s := &shrinker{cfg: cfg, most: most}
	s.best = t.whole()
	if s.err = s.live(s.best, nil); s.err == nil {
		return nil
	}
	s.kind = kindsOf(s.err)[0]
	for size := -1; s.runs < s.most && s.size() != size; { // what did not help may help now
		size = s.size()
		s.plain()
		s.fewer()
		s.shorter()
	}
	out := &Shrunk{Tale: s.best, Runs: s.runs}
	out.Err = s.live(s.best, func(line string) { out.Story = append(out.Story, line) })
	return out
}

type shrinker struct {
	cfg  Config
	best Tale
	err  error
	kind string
	runs int
	most int
}

// size is what shrinks.
func (s *shrinker) size() int {
	n := 1000*len(s.best.Acts) + 100*s.best.Nodes
	if c := s.best.draw(new(Config)).crowd; c != nil {
		n += 10_000 + c.names
	}
	for _, a := range s.best.Acts {
		if a.Pause < 0 {
			n += 10
		}
	}
	return n
}

func (s *shrinker) live(t Tale, story func(string)) error {
	s.runs++
	cfg := s.cfg
	cfg.Story = story
	w, err := t.Live(cfg)
	if w.err == nil { // else an engine may not be fit to be closed
		w.Close()
	}
	return err
}

// try has a smaller tale for the best if it goes wrong in the same way.
func (s *shrinker) try(t Tale) bool {
	if s.runs >= s.most {
		return false
	}
	err := s.live(t, nil)
	if err == nil || !slices.Contains(kindsOf(err), s.kind) {
		return false
	}
	s.best, s.err = t, err
	return true
}

// plain tries no crowd, or a smaller one, a calm network, and few nodes.
func (s *shrinker) plain() {
	s.smaller()
	t := s.best
	if t.Calm = true; !s.best.Calm {
		s.try(t)
	}
	most := s.best.draw(new(Config)).nodes
	for n := 1; n < most; n++ {
		t := s.best
		if t.Nodes = n; s.try(t) {
			return
		}
	}
}

// smaller tries none of a crowd, or fewer names and guests.
func (s *shrinker) smaller() {
	c := s.best.draw(new(Config)).crowd
	if c == nil {
		return
	}
	t := s.best
	if t.Crowd = -1; s.try(t) {
		return
	}
	for n := 1; n < c.names; n *= 2 {
		if t.Crowd = n; s.try(t) {
			return
		}
	}
}

// fewer leaves out acts: all, halves of them, quarters, at last each.
func (s *shrinker) fewer() {
	for n := len(s.best.Acts); n > 0; n /= 2 {
		for at := len(s.best.Acts) - n; at > -n; { // the last ones first: most likely nothing depends on them
			from, to := max(at, 0), min(at+n, len(s.best.Acts))
			t := s.best
			t.Acts = slices.Delete(slices.Clone(t.Acts), from, to)
			s.try(t)
			at -= n
		}
	}
}

// shorter leaves out pauses, or makes round ones of them.
func (s *shrinker) shorter() {
	drawn := s.best.draw(new(Config)).acts
	for i := range s.best.Acts {
		for _, pause := range []int64{0, core.Second, 5 * core.Second, 20 * core.Second, core.Minute} {
			if pause >= drawn[i].pause {
				break
			}
			t := s.best
			t.Acts = slices.Clone(t.Acts)
			if t.Acts[i].Pause = pause; s.try(t) {
				break
			}
		}
	}
}

// kindsOf returns what kinds of things are complained of: the lines' words without
// names and numbers.
func kindsOf(err error) (kinds []string) {
	for _, line := range strings.Split(err.Error(), "\n") {
		if line == "" || strings.HasSuffix(line, ":") {
			continue // when it was
		}
		words := strings.Fields(line)
		for i, word := range words {
			if strings.ContainsAny(word, "0123456789") {
				words[i] = "_"
			}
		}
		kinds = append(kinds, strings.Join(words, " "))
	}
	return append(kinds, "")
}
