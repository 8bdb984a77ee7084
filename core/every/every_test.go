package every

import (
	"flag"
	"testing"
	"time"
)

var (
	playFlag     = flag.String("every.play", "", "play this schedule, as a failing test prints it")
	depthFlag    = flag.Int("every.depth", 0, "choices of a schedule in which departures are possible, instead of each scene's own")
	departFlag   = flag.Int("every.depart", 0, "departures, instead of each scene's own")
	faultsFlag   = flag.Int("every.faults", 2, "faults of each kind")
	commandsFlag = flag.Int("every.commands", 2, "commands")
	sceneFlag    = flag.String("every.scene", "", "only this scene")
)

func TestPlay(t *testing.T) {
	if *playFlag == "" {
		return
	}
	what, err := Play(Scenes(), *playFlag, func(line string) { t.Log(line) })
	if err != nil {
		t.Fatal(err)
	}
	t.Log(what)
}

func TestEvery(t *testing.T) {
	for _, sc := range Scenes() {
		if *sceneFlag != "" && sc.Name != *sceneFlag {
			continue
		}
		t.Run(sc.Name, func(t *testing.T) {
			depth, depart := max(*depthFlag, 1), max(*departFlag, 1)
			at := time.Now()
			counts, fault := Explore(sc, Bounds{depth, depart, Most(uint8(*faultsFlag), uint8(*commandsFlag))})
			t.Logf("%s in %v", counts.String(), time.Since(at))
			if fault != nil {
				t.Fatalf("%s\n%sgo test ./core/every -run TestPlay -v -every.play=%s", fault.What, fault.Story(Scenes()), fault.Code())
			}
		})
	}
}
