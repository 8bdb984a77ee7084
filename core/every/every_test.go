package every

import (
	"flag"
	"runtime/debug"
	"slices"
	"sync"
	"testing"
	"time"
)

var (
	playFlag  = flag.String("every.play", "", "play this schedule, as a failing test prints it")
	sceneFlag = flag.String("every.scene", "", "explore this scene alone")
	deepFlag  = flag.Bool("every.deep", false, "explore as deep as fits some two minutes")
	longFlag  = flag.Bool("every.long", false, "explore schedules with one departure to their end")
	forFlag   = flag.Duration("every.for", 0, "then go on, one choice deeper each time, for so long")
)

// sweep is one way to go through a scene: with how many choices where much is no
// sweep's to say, of which so many depart.
type sweep struct {
	name            string
	shallow, deep   int
	depart          int // 0: all may
	prefer          bool
	faults, command uint8
}

// sweeps are few departures in long schedules, and many in short ones.
var sweeps = []sweep{
	{"one departure", 4, 100, 1, true, 1, 1},
	{"two departures", 2, 7, 2, true, 1, 1},
	{"any", 1, 3, 0, false, 1, 2},
	{"three of order, one command", 2, 6, 3, true, 0, 1},
	{"any order, one command", 1, 4, 0, false, 0, 1},
}

// TestEvery lives every schedule of each scene.
func TestEvery(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(800)) // it keeps little, and makes much
	var all Counts
	until := time.Now().Add(*forFlag)
	if *sceneFlag != "" && !slices.ContainsFunc(Scenes(), func(sc *Scene) bool { return sc.Name == *sceneFlag }) {
		t.Fatalf("there is no scene %s", *sceneFlag)
	}
	var mu sync.Mutex // of all
	round := func(t *testing.T, deeper int) {
		for _, sc := range Scenes() {
			if *sceneFlag != "" && sc.Name != *sceneFlag {
				continue
			}
			t.Run(sc.Name, func(t *testing.T) {
				t.Parallel()
				begun, err := sc.Begin()
				if err != nil {
					t.Fatal(err)
				}
				for _, s := range sweeps {
					if deeper > 0 && time.Now().After(until) {
						return
					}
					b := Bounds{Depth: s.shallow + deeper, Depart: s.depart, Prefer: s.prefer, Most: Most(s.faults, s.command)}
					if *deepFlag || deeper > 0 || *longFlag && s.depart == 1 {
						b.Depth = s.deep + deeper
					}
					if s.depart == 0 {
						b.Depart = b.Depth
					}
					counts, fault := begun.Explore(b)
					mu.Lock()
					all.add(&counts)
					mu.Unlock()
					if testing.Verbose() { // else it is only in the way of what is wrong
						t.Logf("%s, %d choices: %s", s.name, b.Depth, counts.String())
					}
					if fault != nil {
						t.Fatalf("%s\n%sgo test ./core/every -run TestPlay -v -every.play=%s", fault.What, fault.Story(Scenes()), fault.Code())
					}
				}
			})
		}
	}
	t.Run("scenes", func(t *testing.T) { round(t, 0) })
	t.Logf("all: %s", all.String())
	for deeper := 1; time.Now().Before(until) && !t.Failed(); deeper++ {
		t.Run("deeper", func(t *testing.T) { round(t, deeper) })
		t.Logf("%d deeper, all: %s", deeper, all.String())
	}
}

// TestCountsAgree lives a small part of every scene twice: the same was lived.
func TestCountsAgree(t *testing.T) {
	for _, sc := range Scenes() {
		var lived [2]Counts
		for i := range lived {
			begun, err := sc.Begin()
			if err != nil {
				t.Fatal(err)
			}
			lived[i], _ = begun.Explore(Bounds{Depth: 2, Depart: 1, Prefer: true, Most: Most(1, 1)})
		}
		if lived[0] != lived[1] || lived[0].Schedules == 0 {
			t.Errorf("%s: %s, and then %s", sc.Name, lived[0].String(), lived[1].String())
		}
	}
}

// TestPlay plays what a failing test has printed.
func TestPlay(t *testing.T) {
	if *playFlag == "" {
		return
	}
	what, err := Play(Scenes(), *playFlag, true, func(line string) { t.Log(line) })
	if err != nil {
		t.Fatal(err)
	}
	if what != "" {
		t.Error(what)
	}
}
