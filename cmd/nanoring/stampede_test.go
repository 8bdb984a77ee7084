package main

import (
	"encoding/json"
	"path/filepath"
	"testing"
)

// stampedeJS has many tabs lose their gateway at once, in a time of its own, and draws when they
// dial while it is away for 20 s. Its chance is always the same.
const stampedeJS = `
const { Gateways } = await import(process.argv[1]);
const { nodeOf } = await import(process.argv[2]);
let seed = 1;
Math.random = () => (seed = seed * 48271 % 2147483647) / 2147483647;
const results = [[10, 1], [500, 1], [500, 4]].map(([tabs, gateways]) => {
  const dials = [], firsts = [];
  let gap = 0;
  for (let i = 0; i < tabs; i++) {
    const mine = new Gateways(["ws://g0:1/ring"]);
    for (let g = 0; g <= gateways; g++) mine.learn(nodeOf({ name: "g" + g, state: "up", address: "g" + g + ":1" }));
    for (let k = 0; k < tabs; k++) mine.learn(nodeOf({ name: "tab" + k, state: "up", ephemeral: true, via: "g0" }));
    mine.next(), mine.accepted("ws://g0:1/ring", "g0");
    for (let at = 0, failures = 1; at < 20000; failures++) {
      const pause = mine.pause(failures);
      at += pause, gap = Math.max(gap, pause);
      failures === 1 && firsts.push(at);
      dials.push([at, mine.next()]);
    }
  }
  const most = {}; // dials of one gateway within a second
  for (const [at, url] of dials) most[url + Math.floor(at / 1000)] = (most[url + Math.floor(at / 1000)] ?? 0) + 1;
  return { tabs, gateways, most: Math.max(...Object.values(most)), median: Math.round(firsts.sort((a, b) => a - b)[tabs / 2]), last: Math.round(firsts.at(-1)), gap: Math.round(gap) };
});
console.log(JSON.stringify(results));
`

// TestNoStampede: when a gateway dies its tabs do not all dial the others in the same moment, nor
// it when it is back, and yet none waits for long.
func TestNoStampede(t *testing.T) {
	t.Parallel()
	gateways, err := filepath.Abs("../../web/lib/gateways.js")
	must(t, err)
	view, err := filepath.Abs("../../web/lib/view.js")
	must(t, err)
	out := command(t, t.TempDir(), "node", "--input-type=module", "-e", stampedeJS, "file://"+gateways, "file://"+view)
	t.Logf("%s", out)
	var results []struct{ Tabs, Gateways, Most, Median, Last, Gap int }
	must(t, json.Unmarshal(out, &results))
	for _, r := range results {
		if r.Most > 250 || r.Gap > 4000 {
			t.Errorf("of %d tabs %d dial a gateway within a second, and one waits %d ms", r.Tabs, r.Most, r.Gap)
		}
		if few := r.Tabs/r.Gateways <= 125; few && (r.Median > 350 || r.Last > 650) {
			t.Errorf("%d tabs with %d gateways left dial after %d ms, and the last one after %d", r.Tabs, r.Gateways, r.Median, r.Last)
		}
	}
}
