package main

import (
	"strings"
	"syscall"
	"testing"
)

// agrees is what the page's log says of nodes, last, that its picture does not: none.
const agrees = `[...document.querySelectorAll("#nodes-body tr")].filter((row) => {
	const line = document.querySelector("#log-list li[data-node='" + row.dataset.name + "']");
	return line && line.dataset.state !== row.querySelector(".state").classList[1];
}).map((row) => row.dataset.name + " is " + row.cells[1].textContent + ", and the log: " + document.querySelector("#log-list li[data-node='" + row.dataset.name + "']").innerText)`

// testEventsAgree: what the page's log says of a node last is what its picture says,
// though the gateway from which it had that is another one meanwhile.
func testEventsAgree(t *testing.T, b *browser) {
	ns := newNodes(t)
	dev1, dev2 := startPair(t, ns)
	dev3 := ns.mustStart(t, "dev3", "", "--join", dev1.addr)
	dev1.becomes(t, "dev3", "up")
	tab := b.open(t, "http://"+dev1.addr+"/")
	tab.expect("ERR_CONNECTION_REFUSED|WebSocket connection to .* failed")
	tab.becomes("joined")
	tab.until("nanoring.up().length === 4")
	dev1.cmd.Process.Signal(syscall.SIGSTOP) // a gateway that hangs
	tab.until("['dev2', 'dev3'].includes(nanoring.gateway?.name)")
	tab.until(`document.querySelector("#log-list li[data-node=dev1]")?.dataset.state.match("suspect|down")`)
	dev1.cmd.Process.Signal(syscall.SIGCONT)
	dev2.becomes(t, "dev1", "up")
	tab.until("nanoring.all().find((n) => n.name === 'dev1').state === 'up'")
	tab.until(agrees + ".length === 0")
	tab.until(`document.querySelector("#log-list li[data-node=dev1]").dataset.state === "up"`)

	// And a page that sleeps through it.
	eval[any](tab, `dispatchEvent(new PageTransitionEvent("pagehide", { persisted: true }))`)
	dev3.kill()
	dev2.becomes(t, "dev3", "down")
	eval[any](tab, `dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }))`)
	tab.until(`document.querySelector("#log-list li[data-node=dev3]")?.dataset.state === "down"`)
	tab.until(agrees + ".length === 0")
	if got := eval[string](tab, `document.querySelector("#log-list").innerText`); strings.Contains(got, "added") || strings.Contains(got, "removed") {
		t.Errorf("nobody was added or removed, and the log says %q", got)
	}
}
