package main

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/sim"
)

// span shows a time with three digits or so, for people.
func span(micros int64) string {
	d := time.Duration(micros) * time.Microsecond
	switch {
	case d >= time.Minute:
		return d.Round(time.Second).String()
	case d >= 10*time.Second:
		return d.Round(100 * time.Millisecond).String()
	case d >= time.Second:
		return d.Round(10 * time.Millisecond).String()
	}
	return d.Round(time.Millisecond).String()
}

func (s *simulation) rounds(micros int64) float64 {
	return math.Round(100*float64(micros)/float64(s.plan.Period)) / 100
}

// perNode returns what a node sent in a second, on average.
func perNode(n uint64, t *sim.Traffic) float64 {
	return math.Round(10*float64(n)*float64(core.Second)/float64(max(t.NodeTime, 1))) / 10
}

// table prints the report for people.
func (s *simulation) table(out printer, r *sim.Report) error {
	p := &s.plan
	out.printf("%d nodes, %d guests, latency %s to %s, loss %.3g %%, clocks off by up to %s, seed %d.\n",
		p.Nodes, p.Guests, span(p.LatencyMin), span(p.LatencyMax), float64(p.Loss)/1e4, span(p.Skew), p.Seed)
	if p.Sample > 0 {
		out.printf("%d of them were lived, and all that follows is of those: stand-ins spoke for the others.\n", p.Sample)
	}
	if p.Others > 0 {
		out.printf("%d of them run the WebAssembly module, the others the native core.\n", p.Others)
	}
	if r.Stood {
		out.printf("The last joined after %s; the ring stood after %s, and was watched for %s.\n\n", span(r.JoinedIn), span(r.StoodIn), span(p.For))
	} else {
		out.printf("The last joined after %s; the ring did NOT stand after %s, and was watched for %s all the same.\n\n", span(r.JoinedIn), span(r.StoodIn), span(p.For))
	}
	w := out.table("CHANGE", "COUNT", "FOUND P50", "P99", "MAX", "SHOWN P50", "P99", "MAX", "ROUNDS P50", "P99", "MAX", "OVERTAKEN", "OPEN")
	for _, c := range append(r.JoinChanges, r.Changes...) {
		cells := []string{c.Kind.String(), fmt.Sprint(c.Count)}
		cells = append(cells, threeOf(c.Found, span)...)
		cells = append(cells, threeOf(c.Shown, span)...)
		cells = append(cells, threeOf(c.Shown, func(t int64) string { return fmt.Sprintf("%.2f", s.rounds(t)) })...)
		w.row(append(cells, fmt.Sprint(c.Overtaken), fmt.Sprint(c.Open))...)
	}
	w.row()
	w.Flush()

	w = out.table("FALSE", "NODES", "GUESTS")
	w.row("suspicions", fmt.Sprint(r.FalseSuspicions), fmt.Sprint(r.GuestFalseSuspicions))
	w.row("deaths", fmt.Sprint(r.FalseDeaths), fmt.Sprint(r.GuestFalseDeaths))
	w.row()
	w.Flush()

	w = out.table("TRAFFIC", "BYTES A NODE AND SECOND", "FRAMES", "COPIES OF A RECORD", "BY RUMORS", "ROUNDS", "RECONCILIATION")
	traffic := func(what string, t *sim.Traffic) {
		cells := []string{what, fmt.Sprint(perNode(t.Bytes, t)), fmt.Sprint(perNode(t.Frames, t))}
		w.row(append(cells, copiesOf(&t.Copies)...)...)
	}
	traffic("until the ring stood", &r.JoinTraffic)
	traffic("from then on", &r.Traffic)
	w.row()
	w.Flush()

	out.printf("State: a ring file of %d bytes, with %d records.\n", r.RingFile, r.Records)
	if p.Sample > 0 {
		out.printf("Memory: one node's engine holds %d bytes. It takes %.1f steps a second.\n", r.Memory, r.Steps)
	}
	if r.Halted > 0 {
		out.printf("%d processes ended that nobody had asked to.\n", r.Halted)
	}
	if r.Wrong == 0 {
		out.printf("In the end every node shows what is true of every other.\n")
	} else {
		out.printf("In the end %d of %d views of another node are wrong.\n", r.Wrong, r.Pairs)
	}
	switch calm := isCalm(r); {
	case s.recommend && !calm:
		out.printf("No patience will do: these paths are too slow, or lose too much.\n")
	case !calm && r.Stood:
		out.printf("Nodes that live were suspected: --recommend finds the patience that these paths need.\n")
	}
	err := out.printf("The flags of such nodes: nanoring node %s\n", strings.Join(s.nodeFlags(), " "))
	return err
}

func threeOf(t sim.Times, show func(int64) string) []string {
	if t.Count == 0 {
		return []string{"-", "-", "-"}
	}
	return []string{show(t.P50), show(t.P99), show(t.Max)}
}

// copiesOf shows how many copies of a record a node got, and of these by what.
func copiesOf(c *sim.Copies) []string {
	if c.First == 0 {
		return []string{"-", "-", "-", "-"}
	}
	cells := []string{fmt.Sprintf("%.2f", c.Each())}
	for _, n := range []uint64{c.Rumors, c.Rounds, c.Syncs} {
		cells = append(cells, fmt.Sprintf("%.2f", float64(n)/float64(c.First)))
	}
	return cells
}

// simJSON is the report as JSON, which docs/simulator.md has field by field.
type simJSON struct {
	Nodes           int          `json:"nodes"`
	Guests          int          `json:"guests"`
	Sample          int          `json:"sample"`
	Wasm            int          `json:"wasm"`
	Seed            uint64       `json:"seed"`
	PeriodMicros    int64        `json:"period_micros"`
	ForMicros       int64        `json:"for_micros"`
	Flags           []string     `json:"flags"`
	Stood           bool         `json:"stood"`
	JoinedMicros    int64        `json:"joined_micros"`
	StoodMicros     int64        `json:"stood_micros"`
	Changes         []changeJSON `json:"changes"`
	FalseSuspicions nodesGuests  `json:"false_suspicions"`
	FalseDeaths     nodesGuests  `json:"false_deaths"`
	Joining         trafficJSON  `json:"traffic_joining"`
	Traffic         trafficJSON  `json:"traffic"`
	RingFileBytes   int          `json:"ring_file_bytes"`
	Records         int          `json:"records"`
	Steps           float64      `json:"steps_per_node_second"`
	NodeMemory      int          `json:"node_memory_bytes"`
	Halted          int          `json:"halted"`
	Pairs           int          `json:"pairs"`
	PairsWrong      int          `json:"pairs_wrong"`
	Samples         []sampleJSON `json:"samples"`
}

type nodesGuests struct {
	Nodes  int `json:"nodes"`
	Guests int `json:"guests"`
}

type changeJSON struct {
	Kind      string    `json:"kind"`
	Count     int       `json:"count"`
	Found     timesJSON `json:"found"`
	Shown     timesJSON `json:"shown"`
	Overtaken int       `json:"overtaken"`
	Open      int       `json:"open"`
}

type timesJSON struct {
	Count int   `json:"count"`
	P50   int64 `json:"p50_micros"`
	P99   int64 `json:"p99_micros"`
	Max   int64 `json:"max_micros"`
}

type trafficJSON struct {
	Bytes         uint64  `json:"bytes"`
	Frames        uint64  `json:"frames"`
	BytesPerNode  float64 `json:"bytes_per_node_second"`
	FramesPerNode float64 `json:"frames_per_node_second"`
	Copies        float64 `json:"copies"`
	Rumors        uint64  `json:"records_rumored"`
	Rounds        uint64  `json:"records_in_rounds"`
	Syncs         uint64  `json:"records_reconciled"`
	First         uint64  `json:"records_first"`
}

type sampleJSON struct {
	At         int64   `json:"at_micros"`
	PairsRight float64 `json:"pairs_right"`
	NodesRight float64 `json:"nodes_right"`
	Bytes      int64   `json:"bytes_per_node_second"`
}

func (s *simulation) json(r *sim.Report) simJSON {
	traffic := func(t *sim.Traffic) trafficJSON {
		c := &t.Copies
		return trafficJSON{t.Bytes, t.Frames, perNode(t.Bytes, t), perNode(t.Frames, t), math.Round(100*c.Each()) / 100, c.Rumors, c.Rounds, c.Syncs, c.First}
	}
	v := simJSON{
		Nodes: s.plan.Nodes, Guests: s.plan.Guests, Sample: s.plan.Sample, Wasm: s.plan.Others, Seed: s.plan.Seed, PeriodMicros: s.plan.Period, ForMicros: s.plan.For, Flags: s.nodeFlags(),
		Stood: r.Stood, JoinedMicros: r.JoinedIn, StoodMicros: r.StoodIn,
		FalseSuspicions: nodesGuests{r.FalseSuspicions, r.GuestFalseSuspicions},
		FalseDeaths:     nodesGuests{r.FalseDeaths, r.GuestFalseDeaths},
		Joining:         traffic(&r.JoinTraffic), Traffic: traffic(&r.Traffic),
		RingFileBytes: r.RingFile, Records: r.Records, Steps: math.Round(10*r.Steps) / 10, NodeMemory: r.Memory, Halted: r.Halted, Pairs: r.Pairs, PairsWrong: r.Wrong,
	}
	for _, c := range append(r.JoinChanges, r.Changes...) {
		v.Changes = append(v.Changes, changeJSON{c.Kind.String(), c.Count, timesJSON(c.Found), timesJSON(c.Shown), c.Overtaken, c.Open})
	}
	for _, x := range r.Samples {
		v.Samples = append(v.Samples, sampleJSON{x.At, x.Pairs, x.Nodes, x.Bytes})
	}
	return v
}
