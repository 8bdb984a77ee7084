package sim

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/nanoring/nanoring/core"
)

// Tale is a storm as data: all that a seed draws, or a part of it.
type Tale struct {
	Seed  uint64
	Nodes int     // at the beginning, at most; 0 for as many as are drawn
	Crowd int     // names that its ring knows already, at most; 0 for a crowd in one seed of many, negative for none
	Calm  bool    // on a network that holds up nothing, and loses and breaks nothing
	Acts  []Scene // nil for all
	Talk  bool    // something is said all the time
}

// Scene is one of the acts that were drawn, and for how long nothing is done after it.
type Scene struct {
	Act   int   // its number, from 0
	Pause int64 // negative: as drawn
}

// Storm draws a network and a story from cfg.Seed, lives it to its quiet end,
// and returns the World with what Check has to say of it.
func Storm(cfg Config) (*World, error) { return Tale{Seed: cfg.Seed}.Live(cfg) }

// Live lives the tale to its quiet end, and returns the World with what Check has
// to say of it.
func (t Tale) Live(cfg Config) (w *World, err error) {
	p := t.draw(&cfg)
	s := &storm{w: New(cfg), plain: cfg.New == nil, accusers: make(map[*Machine]bool)}
	if t.Talk {
		s.w.Talk()
	}
	defer func() {
		if r := recover(); r != nil {
			w, err = s.w, fmt.Errorf("panic: %v\n%s", r, places(debug.Stack()))
		}
	}()
	return s.w, s.live(p)
}

// plot is what a tale comes to.
type plot struct {
	nodes int // at the beginning
	crowd *crowd
	most  int // machines
	begin uint64
	quiet uint64
	acts  []act
}

// act is something that happens: what, by which seed, and how long until the next.
type act struct {
	number int
	kind   int
	seed   uint64
	pause  int64
}

// draw draws the plot, and the network into cfg.
func (t Tale) draw(cfg *Config) *plot {
	rng := rand.New(rand.NewPCG(t.Seed, 0x73746f726d))
	cfg.Seed = t.Seed
	switch rng.IntN(4) {
	case 0: // one machine
		cfg.LatencyMin, cfg.LatencyMax = 50, 500
	case 1: // the world
		cfg.LatencyMin, cfg.LatencyMax = 5*core.Millisecond, 150*core.Millisecond
	case 2: // a bad line
		cfg.LatencyMin, cfg.LatencyMax = 5*core.Millisecond, 80*core.Millisecond
		cfg.Stalls, cfg.Resets = 5000, 300
	}
	if t.Calm {
		cfg.Stalls, cfg.Resets, cfg.Loss = 0, 0, 0
	}
	p := &plot{begin: rng.Uint64(), quiet: rng.Uint64(), nodes: 2 + rng.IntN(7)}
	if rng.IntN(25) == 0 { // more than make a full mesh
		p.nodes += 10 + rng.IntN(15)
	}
	p.most = p.nodes + 6
	if cfg.New == nil || t.Crowd > 0 { // other engines take many times as long, and have it for the asking
		p.crowd = drawCrowd(t)
	}
	acts := make([]act, 15+rng.IntN(45))
	for i := range acts {
		acts[i] = act{number: i, kind: drawKind(rng), seed: rng.Uint64(), pause: drawPause(rng)}
	}
	if t.Nodes > 0 {
		p.nodes = min(p.nodes, t.Nodes)
	}
	if p.acts = acts; t.Acts != nil {
		p.acts = nil
		for _, s := range t.Acts {
			if s.Act >= 0 && s.Act < len(acts) {
				a := acts[s.Act]
				if s.Pause >= 0 {
					a.pause = s.Pause
				}
				p.acts = append(p.acts, a)
			}
		}
	}
	return p
}

// drawPause draws how long nothing is done: mostly little.
func drawPause(rng *rand.Rand) int64 {
	longest := [...]int64{50 * core.Millisecond, core.Second, 5 * core.Second, 20 * core.Second, core.Minute}
	return rng.Int64N(longest[rng.IntN(len(longest))])
}

// whole names all of a tale's acts.
func (t Tale) whole() Tale {
	if t.Acts == nil {
		acts := t.draw(new(Config)).acts
		t.Acts = []Scene{}
		for _, a := range acts {
			t.Acts = append(t.Acts, Scene{Act: a.number, Pause: -1})
		}
	}
	return t
}

// String returns the tale's acts as ParseScenes reads them: "3,9:250,14" are three
// of them, with 250 µs after the second.
func (t Tale) String() string {
	if len(t.Acts) == 0 {
		return "none"
	}
	words := make([]string, len(t.Acts))
	for i, s := range t.Acts {
		words[i] = strconv.Itoa(s.Act)
		if s.Pause >= 0 {
			words[i] += ":" + strconv.FormatInt(s.Pause, 10)
		}
	}
	return strings.Join(words, ",")
}

// ParseScenes reads what String wrote.
func ParseScenes(text string) ([]Scene, error) {
	all := []Scene{}
	if text == "none" {
		return all, nil
	}
	for _, word := range strings.Split(text, ",") {
		number, pause, shortened := strings.Cut(word, ":")
		s := Scene{Pause: -1}
		var err error
		if s.Act, err = strconv.Atoi(number); err == nil && shortened {
			s.Pause, err = strconv.ParseInt(pause, 10, 64)
		}
		if err != nil {
			return nil, errors.New("acts are numbers, each with its pause if it is not as drawn, as in 3,9:250,14: not " + strconv.Quote(text))
		}
		all = append(all, s)
	}
	return all, nil
}

// places are the files and lines of a stack above the storm's, as many as help.
func places(stack []byte) string {
	var of []string
	for _, line := range strings.Split(string(stack), "\n") {
		_, at, _ := strings.Cut(line, "/core/")
		if at, _, _ = strings.Cut(at, " "); strings.HasPrefix(line, "\t") && at != "" && len(of) < 12 {
			of = append(of, "    core/"+at)
		}
	}
	return strings.Join(of, "\n")
}
