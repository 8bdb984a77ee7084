package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// The README's pictures are made by: go test ./cmd/nanoring -run Screenshot -shots docs
// (And those of all sizes, to look at, by: … -artifacts -outputdir DIR)
var shots = flag.String("shots", "", "folder for page-light.png and page-dark.png, the README's pictures of the page; it is relative to the module")

// TestScreenshot looks at the page of a ring in which a node went down.
func TestScreenshot(t *testing.T) {
	t.Parallel()
	ns := unwatchedNodes(t)
	first, err := freePorts(4)
	if err != nil {
		t.Fatal(err)
	}
	addrs := localhost(first, 4)
	ring := []*process{ns.mustStart(t, "dev1", addrs[0])}
	for i, addr := range addrs[1:] {
		ring = append(ring, ns.mustStart(t, fmt.Sprintf("dev%d", i+2), addr, "--join", addrs[0]))
	}
	eventually(t, "the four are a ring", func() bool { return ring[0].isUp(t, "dev1", "dev2", "dev3", "dev4") })

	tab := startBrowser(t).open(t, "http://"+addrs[0]+"/")
	tab.becomes("joined")
	tab.until(`nanoring.up().length === 5 && document.querySelectorAll(".spot .glyph.up").length === 5`)
	tab.until(`document.querySelector(".spot.self .guest") && document.querySelector(".spot.self").dataset.node === nanoring.name`)
	tab.until(`document.querySelector(".spot.gateway").dataset.node === "dev1"`)
	tab.until(`document.querySelector("#log").innerText.includes("Joined the ring nanoring as " + nanoring.name)`)
	// The page's clock goes forward, so that there is a past to be seen.
	forward := func(seconds int) {
		eval[any](tab, fmt.Sprintf("(() => { const now = Date.now; Date.now = () => now() + 1000 * %d; })()", seconds))
	}
	tab.until("performance.now() > 3000") // what comes earlier is no news
	forward(200)
	ring[2].cmd.Process.Signal(sigStop)
	tab.until(`document.querySelector('.spot[data-node="dev3"] .glyph.suspect')`)
	forward(8)
	ring[2].cmd.Process.Signal(sigCont)
	tab.until(`document.querySelector('.spot[data-node="dev3"] .glyph.up')`)
	forward(150)
	ring[3].kill()
	tab.until(`document.querySelector('.spot[data-node="dev4"] .glyph.down')`)
	tab.until(`document.querySelector("#log").innerText.includes("dev4 is down")`)
	tab.until(`document.title === "3 of 4 up · nanoring" && document.querySelector("#up-count").textContent === "3 of 4 nodes, 1 tab"`)

	forward(100)
	tab.until(`document.querySelector('tr[data-name="dev4"] .past .up') && document.querySelector('tr[data-name="dev4"] .past .down')?.width.baseVal.value > 50`)
	eval[any](tab, `(() => {
		document.querySelector("#key").value = "user:42";
		document.querySelector("#key").dispatchEvent(new Event("input"));
	})()`)
	tab.until(`[...document.querySelectorAll("#owners button")].map((b) => b.textContent).join() === nanoring.owners("user:42", 3).map((n) => n.name).join()`)
	tab.until(`document.querySelectorAll(".spot .place").length === 3`)

	for _, width := range []int64{1280, 1024, 360} { // what is counted moves nothing
		tab.look(width, 760, "light")
		if got := eval[[]int](tab, `["0", "99999"].map((n) => {
			document.querySelector("#traffic").textContent = document.querySelector("#traffic").textContent.replaceAll(/\d+/g, n);
			return document.querySelector("#plate").offsetHeight;
		})`); got[0] != got[1] {
			t.Errorf("at %d px the ring's height is %v", width, got)
		}
	}
	for _, size := range [][2]int64{{1280, 760}, {360, 780}} {
		for _, scheme := range []string{"dark", "light"} {
			tab.accessible(size[0], size[1], scheme)
			png := tab.shoot(size[0], size[1], scheme)
			files := []string{filepath.Join(t.ArtifactDir(), fmt.Sprintf("page-%d-%s.png", size[0], scheme))}
			if *shots != "" && size[0] == 1280 {
				files = append(files, filepath.Join("..", "..", *shots, "page-"+scheme+".png")) // tests run in their package's folder
			}
			for _, file := range files {
				if err := os.WriteFile(file, png, 0o666); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

// accessible fails the test where axe finds that the page shuts somebody out.
func (tab *tab) accessible(width, height int64, scheme string) {
	tab.Helper()
	tab.look(width, height, scheme)
	axe, err := os.ReadFile("../../web/node_modules/axe-core/axe.min.js")
	if err != nil {
		tab.Fatalf("%v: run npm ci in web/, as make test does", err)
	}
	eval[any](tab, string(axe)+"; undefined")
	for _, violation := range eval[[]string](tab, `axe.run().then(({ violations }) =>
		violations.map((v) => v.id + ": " + v.help + " " + v.nodes.map((n) => n.html + " " + n.failureSummary).join("; ")))`) {
		tab.Errorf("%d px, %s: %s", width, scheme, violation)
	}
}

// look gives the tab a size and a colour scheme.
func (tab *tab) look(width, height int64, scheme string) {
	tab.Helper()
	media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: scheme},
		{Name: "prefers-reduced-motion", Value: "no-preference"},
	}}
	if _, err := chromedp.Call(tab.ctx, emulation.SetEmulatedMedia, media); err != nil {
		tab.Fatal(err)
	}
	if err := chromedp.Do(tab.ctx, chromedp.EmulateViewport(width, height)); err != nil {
		tab.Fatal(err)
	}
}

// freeze stops what moves, where a frame each way is half way between the tab
// and its gateway, and returns whether there was such a moment.
const freeze = `new Promise((done) => {
	const pulses = document.querySelector(".pulses");
	const seen = new MutationObserver(() => {
		if (!pulses.querySelector(".sent") || !pulses.querySelector(".received")) return;
		seen.disconnect();
		for (const a of document.getAnimations()) {
			if (pulses.contains(a.effect.target)) a.pause(), a.currentTime = 250;
			else a.finish();
		}
		done(true);
	});
	seen.observe(pulses, { childList: true });
})`

// shoot makes a picture of the tab: of all of it, however long it is.
func (tab *tab) shoot(width, height int64, scheme string) []byte {
	tab.Helper()
	tab.look(width, height, scheme)
	if wide := eval[int64](tab, "document.documentElement.scrollWidth"); wide > width {
		tab.Errorf("at %d px it is %d px wide", width, wide)
	}
	tab.until("document.querySelector('#drawing').clientWidth <= " + fmt.Sprint(width) + " && document.querySelectorAll('.spot').length === 5")
	eval[bool](tab, freeze)
	defer eval[any](tab, "document.getAnimations().forEach((a) => a.play())")
	return tab.picture()
}

func (tab *tab) picture() []byte {
	tab.Helper()
	png, err := chromedp.Run(tab.ctx, chromedp.FullScreenshot(100)) // 100: as PNG
	if err != nil {
		tab.Fatal(err)
	}
	return png
}
