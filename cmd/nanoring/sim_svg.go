package main

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/sim"
)

// The picture's measures, in pixels: two charts, one above the other.
const (
	simWidth, simHeight = 960, 560
	simLeft, simRight   = 70, 24
	simTop1, simHigh1   = 92, 250
	simTop2, simHigh2   = 400, 100
)

// simStyle is for light and dark.
const simStyle = `<style>
svg { background: #fff; color: #1c2430; font: 13px system-ui, sans-serif; --pairs: #1f6feb; --nodes: #c2410c; --bytes: #15803d; }
@media (prefers-color-scheme: dark) { svg { background: #11161d; color: #dde4ee; --pairs: #6cb0ff; --nodes: #ff9a5c; --bytes: #5fd38a; } }
text { fill: currentColor; } .title { font-size: 16px; font-weight: 600; } .faint { opacity: .7; }
.grid { stroke: currentColor; stroke-opacity: .18; } .act { stroke: currentColor; stroke-opacity: .6; stroke-dasharray: 4 3; }
.line { fill: none; stroke-width: 1.8; stroke-linejoin: round; } .pairs { stroke: var(--pairs); } .nodes { stroke: var(--nodes); stroke-width: 1; opacity: .6; } .bytes { stroke: var(--bytes); }
.key-pairs { fill: var(--pairs); } .key-nodes { fill: var(--nodes); } .key-bytes { fill: var(--bytes); }
</style>
`

// drawSim draws the agreement over time, and what it cost.
func drawSim(out io.Writer, s *simulation, r *sim.Report) error {
	w := bufio.NewWriter(out)
	fmt.Fprintf(w, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img">`+"\n", simWidth, simHeight, simWidth, simHeight)
	title := fmt.Sprintf("%d nodes, %d guests, seed %d", s.plan.Nodes, s.plan.Guests, s.plan.Seed)
	fmt.Fprintf(w, "<title>Agreement over time: %s</title>\n%s", title, simStyle)
	fmt.Fprintf(w, `<text class="title" x="%d" y="28">How far the ring agrees: %s</text>`+"\n", simLeft, title)
	fmt.Fprintf(w, `<text class="key-pairs" x="%d" y="50">■ views of another node that are right</text>`+"\n", simLeft)
	fmt.Fprintf(w, `<text class="key-nodes" x="%d" y="50">■ nodes that show nothing wrong</text>`+"\n", simLeft+280)

	c := chart{w: w, top: simTop1, high: simHigh1, until: s.plan.For, most: 1}
	c.grid(4, func(v float64) string { return fmt.Sprintf("%.0f %%", 100*v) })
	s.marks(w)
	c.line("nodes", r.Samples, func(x *sim.Sample) float64 { return x.Nodes })
	c.line("pairs", r.Samples, func(x *sim.Sample) float64 { return x.Pairs })

	most := int64(1)
	for i := range r.Samples {
		most = max(most, r.Samples[i].Bytes)
	}
	c = chart{w: w, top: simTop2, high: simHigh2, until: s.plan.For, most: niceAbove(float64(most))}
	fmt.Fprintf(w, `<text class="key-bytes" x="%d" y="%d">■ bytes that a node sent in a second</text>`+"\n", simLeft, simTop2-12)
	c.grid(2, thousands)
	c.line("bytes", r.Samples, func(x *sim.Sample) float64 { return float64(x.Bytes) })
	c.times()
	fmt.Fprint(w, "</svg>\n")
	return w.Flush()
}

func thousands(v float64) string {
	if v >= 10_000 {
		return fmt.Sprintf("%.4g k", v/1000)
	}
	return fmt.Sprintf("%.4g", v)
}

// marks shows when something was done to the ring.
func (s *simulation) marks(w io.Writer) {
	row := 0
	mark := func(at int64, text string) {
		x := xOf(at, s.plan.For)
		fmt.Fprintf(w, `<line class="act" x1="%.1f" x2="%.1f" y1="%d" y2="%d"/>`+"\n", x, x, simTop1-8, simTop2+simHigh2)
		anchor := "start"
		if x > simWidth*3/4 {
			anchor = "end"
		}
		fmt.Fprintf(w, `<text class="faint" text-anchor="%s" x="%.1f" y="%d">%s</text>`+"\n", anchor, x, simTop1-12-14*(row%2), text)
		row++
	}
	for _, a := range s.acts {
		mark(a.At, a.flag[2:]+" "+a.text)
		if end := a.At + a.For; a.For > 0 && end < s.plan.For {
			mark(end, "healed")
		}
	}
}

// chart is one of the two.
type chart struct {
	w         io.Writer
	top, high int
	until     int64
	most      float64
}

func xOf(at, until int64) float64 {
	return simLeft + float64(at)/float64(until)*(simWidth-simLeft-simRight)
}

func (c *chart) y(v float64) float64 {
	return float64(c.top) + float64(c.high)*(1-v/c.most)
}

// grid draws horizontal lines, with what they stand for.
func (c *chart) grid(parts int, show func(float64) string) {
	for i := range parts + 1 {
		v := c.most * float64(i) / float64(parts)
		fmt.Fprintf(c.w, `<line class="grid" x1="%d" x2="%d" y1="%.1f" y2="%.1f"/>`, simLeft, simWidth-simRight, c.y(v), c.y(v))
		fmt.Fprintf(c.w, `<text class="faint" text-anchor="end" x="%d" y="%.1f">%s</text>`+"\n", simLeft-8, c.y(v)+4, show(v))
	}
}

func (c *chart) line(class string, samples []sim.Sample, of func(*sim.Sample) float64) {
	var b strings.Builder
	for i := range samples {
		fmt.Fprintf(&b, "%.1f,%.1f ", xOf(samples[i].At, c.until), c.y(of(&samples[i])))
	}
	fmt.Fprintf(c.w, `<polyline class="line %s" points="%s"/>`+"\n", class, strings.TrimSpace(b.String()))
}

// times writes the times below.
func (c *chart) times() {
	const parts = 6
	for i := range parts + 1 {
		at := c.until * int64(i) / parts
		fmt.Fprintf(c.w, `<text class="faint" text-anchor="middle" x="%.1f" y="%d">%.4g s</text>`+"\n", xOf(at, c.until), c.top+c.high+20, float64(at)/float64(core.Second))
	}
}

// niceAbove returns the next of 1, 2, 5, 10, 20, … that is not below v.
func niceAbove(v float64) float64 {
	unit := math.Pow(10, math.Floor(math.Log10(v)))
	for _, n := range []float64{1, 2, 5, 10} {
		if n*unit >= v {
			return n * unit
		}
	}
	return 10 * unit
}
