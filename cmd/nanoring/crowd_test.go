package main

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/nanoring/nanoring/native"
)

// testCrowd: a ring of hundreds is drawn on a canvas, and nodes are chosen there.
func testCrowd(t *testing.T, b *browser) {
	dev1 := unwatchedNodes(t).mustStart(t, "dev1", "")
	for i := range 150 { // they never run
		if _, err := dev1.client.add(t.Context(), fmt.Sprintf("other%d", i), "127.0.0.1:1"); err != nil {
			t.Fatal(err)
		}
	}
	tab := b.open(t, "http://"+dev1.addr+"/")
	tab.becomes("joined")
	tab.until("nanoring.all().length === 152")
	tab.until(`document.querySelector("#drawing").hasAttribute("hidden") && !document.querySelector("#crowd").hasAttribute("hidden")`)
	tab.until(`(() => {
		const c = document.querySelector("#crowd");
		return c.width && c.getContext("2d").getImageData(0, 0, c.width, c.height).data.some((v) => v);
	})()`)
	tab.accessible(1280, 760, "light")
	tab.until(`(() => {
		const c = document.querySelector("#crowd"), box = c.getBoundingClientRect();
		for (let x = 0; x < box.width / 2; x += 3) {
			const at = { clientX: box.left + x, clientY: box.top + box.height / 2, bubbles: true };
			c.dispatchEvent(new MouseEvent("click", at));
		}
		return document.querySelector("#details-name").textContent.startsWith("other");
	})()`)
	tab.expect(killedGateway + "|willReadFrequently") // the test reads the canvas
}

// crowd draws 500 nodes of which some change ten times a second, and returns
// how many pictures a second that makes.
const crowd = `(async () => {
	const { Crowd } = await import(new URL("crowd.js", [...document.scripts].find((s) => s.src.endsWith("page.js")).src));
	const states = ["up", "up", "up", "up", "up", "up", "up", "up", "up", "up", "up", "down", "suspect", "left", "unknown"];
	const nodes = Array.from({ length: 500 }, (_, i) => ({ name: "node" + i, state: i % 40 ? "up" : states[11 + (i / 40) % 4], ephemeral: i % 5 === 0, via: i % 5 ? "" : "node" + (i * 31) % 500 }));
	const old = document.querySelector("#crowd"), canvas = old.cloneNode(false);
	document.querySelector("#drawing").setAttribute("hidden", "");
	canvas.removeAttribute("hidden");
	old.replaceWith(canvas);
	const ring = window.crowd = new Crowd(canvas, { choose() {}, point() {} });
	const marks = { self: "node0", gateway: "node31", chosen: "node77", owners: ["node101", "node222", "node443"] };
	ring.show(nodes, marks);
	let frames = 0, over = false;
	const count = () => { frames++; over || requestAnimationFrame(count); };
	requestAnimationFrame(count);
	const start = performance.now();
	const changing = setInterval(() => {
		ring.pulse(frames % 2 === 0, false);
		for (let i = 0; i < 5; i++) {
			const n = nodes[Math.floor(Math.random() * nodes.length)];
			n.state = states[Math.floor(Math.random() * states.length)];
			ring.ripple(n.name, n.state);
		}
		ring.show(nodes, marks);
	}, 100);
	await new Promise((done) => setTimeout(done, 3000));
	clearInterval(changing);
	over = true;
	return frames / (performance.now() - start) * 1000;
})()`

// BenchmarkCrowd is how smooth the drawing of 500 nodes is that change.
func BenchmarkCrowd(b *testing.B) {
	node, err := native.Start(b.Context(), native.Config{Name: "dev1", Listen: "127.0.0.1:0", Data: b.TempDir(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	defer node.Close()
	tab := startBrowser(b).open(b, "http://"+node.Addr()+"/")
	tab.becomes("joined")
	tab.look(1280, 760, "dark")
	idle := `(async () => {
		let frames = 0, over = false;
		const count = () => { frames++; over || requestAnimationFrame(count); };
		requestAnimationFrame(count);
		await new Promise((done) => setTimeout(done, 3000));
		over = true;
		return frames / 3;
	})()`
	fps, bare := 0.0, 0.0
	for b.Loop() {
		bare += eval[float64](tab, idle)
		fps += eval[float64](tab, crowd)
	}
	b.ReportMetric(fps/float64(b.N), "fps")
	b.ReportMetric(fps/bare, "x/bare")
	for name, png := range map[string][]byte{"crowd-1280.png": tab.picture(), "crowd-360.png": func() []byte { tab.look(360, 780, "light"); return tab.picture() }()} {
		if err := os.WriteFile(filepath.Join(b.ArtifactDir(), name), png, 0o666); err != nil {
			b.Fatal(err)
		}
	}
}
