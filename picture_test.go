package nanoring

import (
	"bytes"
	"cmp"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

const pictured = "docs/architecture.svg"

var draw = flag.Bool("draw", false, "TestPicture writes "+pictured+": make picture")

// TestPicture: the picture in docs/architecture.md is the one that the imports make.
func TestPicture(t *testing.T) {
	look(t)
	want := drawRooms(importsOf(list(t, nil, "./...")))
	if *draw {
		if err := os.WriteFile(pictured, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(pictured); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s is not what the imports make (%v): run make picture", pictured, err)
	}
}

// importsOf returns what each room imports that it does not reach through another that it imports.
// Rooms that have nothing to do with others are left out.
func importsOf(all map[string]pkg) map[string][]string {
	reached := make(map[string]map[string]bool) // by way of others, and directly
	direct := make(map[string][]string)
	for path, p := range all {
		name, ours := roomOf(path)
		if !ours {
			continue
		}
		reached[name] = make(map[string]bool)
		for _, dep := range p.Deps {
			if other, ours := roomOf(dep); ours {
				reached[name][other] = true
			}
		}
		for _, imp := range p.Imports {
			if other, ours := roomOf(imp); ours {
				direct[name] = append(direct[name], other)
			}
		}
	}
	rooms := make(map[string][]string)
	for name, imports := range direct {
		for _, other := range imports {
			if !slices.ContainsFunc(imports, func(by string) bool { return reached[by][other] }) {
				rooms[name] = append(rooms[name], other)
				rooms[other] = append(rooms[other], []string{}...) // it is there
			}
		}
		slices.Sort(rooms[name])
	}
	return rooms
}

// box is a room in the picture, or, without a name, a place on the way of an arrow through a row.
type box struct {
	name        string
	row         int
	above, down []*box
	x, y, width int
}

const (
	rowHeight = 84
	boxHeight = 30
	margin    = 12

	legendWidth  = 920
	legendHeight = 28
)

// layRooms puts rooms into rows, each below all that import it, and those that belong together
// near each other.
func layRooms(rooms map[string][]string) (rows [][]*box, boxes map[string]*box) {
	boxes = make(map[string]*box)
	var depth func(name string) int
	depths := make(map[string]int)
	depth = func(name string) int {
		if d, known := depths[name]; known {
			return d
		}
		d := 0
		for _, other := range rooms[name] {
			d = max(d, depth(other)+1)
		}
		depths[name] = d
		return d
	}
	top := 0
	names := slices.Sorted(maps.Keys(rooms))
	for _, name := range names {
		top = max(top, depth(name))
	}
	rows = make([][]*box, top+1)
	put := func(name string, row int) *box {
		b := &box{name: name, row: row, width: 14}
		if name != "" {
			b.width = 22 + 8*len(shownAs(name))
		}
		rows[row] = append(rows[row], b)
		return b
	}
	for _, name := range names {
		boxes[name] = put(name, top-depth(name))
	}
	for _, name := range names {
		for _, other := range rooms[name] {
			from := boxes[name]
			for from.row+1 < boxes[other].row {
				next := put("", from.row+1)
				from.down, next.above = append(from.down, next), append(next.above, from)
				from = next
			}
			from.down, boxes[other].above = append(from.down, boxes[other]), append(boxes[other].above, from)
		}
	}
	place(rows)
	for range 8 {
		for i := 1; i < len(rows); i++ {
			settle(rows[i], func(b *box) []*box { return b.above })
		}
		for i := len(rows) - 2; i >= 0; i-- {
			settle(rows[i], func(b *box) []*box { return b.down })
		}
	}
	return rows, boxes
}

// place puts the boxes of each row beside each other, around the middle.
func place(rows [][]*box) {
	for y, row := range rows {
		x := 0
		for _, b := range row {
			b.x, b.y = x, margin+y*rowHeight
			x += b.width + 2*margin
		}
		for _, b := range row {
			b.x -= x / 2
		}
	}
}

// settle moves the boxes of a row to the middle of those that they are connected with, and apart.
func settle(row []*box, others func(*box) []*box) {
	want := make(map[*box]int)
	for _, b := range row {
		sum := 0
		for _, o := range others(b) {
			sum += o.x + o.width/2
		}
		if want[b] = b.x + b.width/2; len(others(b)) > 0 {
			want[b] = sum / len(others(b))
		}
	}
	slices.SortStableFunc(row, func(a, b *box) int { return cmp.Compare(want[a], want[b]) })
	shift, x := 0, -1<<30
	for _, b := range row {
		b.x = max(x, want[b]-b.width/2)
		shift += b.x + b.width/2 - want[b]
		x = b.x + b.width + 2*margin
	}
	for _, b := range row {
		b.x -= shift / len(row)
	}
}

func shownAs(name string) string {
	if name == "." {
		return "version"
	}
	return name
}

// kindOf is by what a room is coloured: its floor of the house.
func kindOf(name string) string {
	kind, _, _ := strings.Cut(name, "/")
	switch kind {
	case "core", "native", "host", "wasm", "web":
		return kind
	}
	return "program"
}

func drawRooms(rooms map[string][]string) []byte {
	rows, boxes := layRooms(rooms)
	left, right := rows[0][0].x, rows[0][0].x+legendWidth
	for _, row := range rows {
		left, right = min(left, row[0].x), max(right, row[len(row)-1].x+row[len(row)-1].width)
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="%d 0 %d %d" role="img" aria-label="Which package imports which">
<style>
text { font: 13px ui-monospace, monospace; text-anchor: middle; fill: #1f2328 }
path { fill: none; stroke: #8c959f; stroke-width: 1.2 }
.legend { text-anchor: start }
rect { stroke: #57606a; rx: 5px }
.core { fill: #d3f4dc } .native { fill: #d4e6fb } .host, .wasm { fill: #fce7c8 } .web { fill: #e9dcfb } .program { fill: #eef0f2 }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 }
path { stroke: #6e7681 }
rect { stroke: #8b949e }
.core { fill: #17482a } .native { fill: #123e6b } .host, .wasm { fill: #5c3c0d } .web { fill: #43256e } .program { fill: #2b3138 }
}
</style>
`, left-margin, right-left+2*margin, margin+len(rows)*rowHeight+2*legendHeight)
	for _, name := range slices.Sorted(maps.Keys(boxes)) {
		for _, down := range boxes[name].down {
			fmt.Fprintf(&out, "<path d=\"%s\"/>\n", arrow(boxes[name], down))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(boxes)) {
		b := boxes[name]
		fmt.Fprintf(&out, "<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"/><text x=\"%d\" y=\"%d\">%s</text>\n",
			kindOf(name), b.x, b.y, b.width, boxHeight, b.x+b.width/2, b.y+20, shownAs(name))
	}
	drawLegend(&out, left, margin+len(rows)*rowHeight)
	out.WriteString("</svg>\n")
	return out.Bytes()
}

// drawLegend says what colours and lines mean.
func drawLegend(out *bytes.Buffer, left, y int) {
	x := left
	for _, row := range []struct{ kind, says string }{
		{"core", "the core"}, {"native", "the node as a process"}, {"host", "the sandbox, and its module"}, {"web", "pages and browsers"}, {"program", "all else"},
	} {
		fmt.Fprintf(out, "<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"18\" height=\"18\"/><text class=\"legend\" x=\"%d\" y=\"%d\">%s</text>\n", row.kind, x, y, x+26, y+14, row.says)
		x += 46 + 8*len(row.says)
	}
	x, y = left+9, y+legendHeight
	fmt.Fprintf(out, "<path d=\"M%d %dV%d\"/><text class=\"legend\" x=\"%d\" y=\"%d\">the upper one imports the lower one</text>\n", x, y-2, y+20, left+26, y+14)
}

// arrow goes from a box to one below it, through the places that its way has in the rows between.
func arrow(from, to *box) string {
	path := fmt.Sprintf("M%d %d", from.x+from.width/2, from.y+boxHeight)
	for {
		middle := from.y + (rowHeight+boxHeight)/2
		path += fmt.Sprintf("C%d %d %d %d %d %d", from.x+from.width/2, middle, to.x+to.width/2, middle, to.x+to.width/2, to.y)
		if to.name != "" {
			return path
		}
		path += fmt.Sprintf("V%d", to.y+boxHeight)
		from, to = to, to.down[0]
	}
}
