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

// The README's picture is made by: go test ./cmd/nanoring -run Screenshot -shots docs
// (And those of all sizes, to look at, by: … -artifacts -outputdir DIR)
var shots = flag.String("shots", "", "folder for page.png, the README's picture of the page; it is relative to the module")

// TestScreenshot looks at the page of a ring in which a node went down.
func TestScreenshot(t *testing.T) {
	t.Parallel()
	ns := newNodes(t)
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
	ring[3].kill()
	tab.until(`document.querySelector('.spot[data-node="dev4"] .glyph.down')`)
	tab.until(`document.querySelector("#log").innerText.includes("dev4 is down")`)
	tab.until(`document.title === "3 of 4 up · nanoring" && document.querySelector("#up-count").textContent === "3 of 4 nodes, 1 tab"`)

	for _, size := range [][2]int64{{1280, 760}, {360, 780}} {
		for _, scheme := range []string{"dark", "light"} {
			png := tab.shoot(size[0], size[1], scheme)
			files := []string{filepath.Join(t.ArtifactDir(), fmt.Sprintf("page-%d-%s.png", size[0], scheme))}
			if *shots != "" && size[0] == 1280 && scheme == "light" {
				files = append(files, filepath.Join("..", "..", *shots, "page.png")) // tests run in their package's folder
			}
			for _, file := range files {
				if err := os.WriteFile(file, png, 0o666); err != nil {
					t.Fatal(err)
				}
			}
		}
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
	if wide := eval[int64](tab, "document.documentElement.scrollWidth"); wide > width {
		tab.Errorf("at %d px it is %d px wide", width, wide)
	}
	tab.until("document.querySelector('#drawing').clientWidth <= " + fmt.Sprint(width) + " && document.querySelectorAll('.spot').length === 5")
	eval[bool](tab, freeze)
	defer eval[any](tab, "document.getAnimations().forEach((a) => a.play())")
	png, err := chromedp.Run(tab.ctx, chromedp.FullScreenshot(100)) // 100: as PNG
	if err != nil {
		tab.Fatal(err)
	}
	return png
}
