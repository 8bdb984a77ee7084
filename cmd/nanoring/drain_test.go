package main

import (
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// watched is what a node says that happens, from now on.
func (p *process) watched(t *testing.T) *lockedBuffer {
	t.Helper()
	var said lockedBuffer
	go p.client.watch(t.Context(), pathEvents, &said, "json")
	eventually(t, "it is watched", func() bool { return strings.Contains(said.String(), `"kind":"ready"`) })
	return &said
}

// testDrained: the tabs of a gateway that drains go to others, and nobody sees them
// suspect, down or left.
func testDrained(t *testing.T, b *browser) {
	ns := newNodes(t)
	dev1, dev2 := startPair(t, ns)
	dev3 := ns.mustStart(t, "dev3", "", "--join", dev1.addr)
	var tabs []*tab
	for range 3 {
		tab := b.open(t, b.page(dev1, joinOptions{"gateways": gateways(dev1)}))
		tab.becomes("joined")
		tab.until("nanoring.gateway.name === 'dev1' && nanoring.up({ name: 'dev*' }).length === 3")
		dev3.becomes(t, tab.name(), "up")
		tabs = append(tabs, tab)
	}
	said, heard := dev3.watched(t), dev2.watched(t)
	out, err := exec.Command("nanoring", "--data", dev1.client.data, "drain").CombinedOutput()
	if want := `(?s)^dev1 is cordoned, and has 3 guests\n.*and has 1 guest\n.*dev1 is drained, and has stopped`; err != nil || !regexp.MustCompile(want).Match(out) {
		t.Errorf("%v: %s", err, out)
	}
	if status, err := dev1.wait(); status != 0 || err != nil {
		t.Errorf("it ends with %d: %v", status, err)
	}
	dev3.becomes(t, "dev1", "left")
	accused := regexp.MustCompile(`(?m)^.*"kind":"(suspect|down|left)","id".*"name":"tab-.*$`)
	for _, tab := range tabs {
		tab.until("nanoring.state === 'joined' && nanoring.gateway.name !== 'dev1'")
		dev3.becomes(t, tab.name(), "up")
		if log := strings.Join(eval[[]string](tab, "log"), "\n"); !strings.Contains(log, "dev1 takes no guests any more, and has sent "+tab.name()+" on") {
			t.Errorf("its log has\n%s", log)
		}
	}
	for by, all := range map[string]string{"dev2": heard.String(), "dev3": said.String()} {
		if line := accused.FindString(all); line != "" || !strings.Contains(all, `"name":"`+tabs[0].name()) {
			t.Errorf("%s says %s", by, line)
		}
	}

	// It is back, and cordoned. A tab that comes to it learns of the others, and goes on.
	dev1 = ns.mustStart(t, "dev1", dev1.addr)
	dev3.becomes(t, "dev1", "up")
	tab := b.open(t, "http://"+dev1.addr+"/")
	tab.becomes("joined")
	tab.until("nanoring.state === 'joined' && nanoring.gateway.name !== 'dev1'")
	tab.until(`document.querySelector('tr[data-name="dev1"] .state').textContent === "cordoned" && document.querySelector('.spot[data-node="dev1"] .glyph .bar')`)
	tab.until("nanoring.all({ name: 'dev1' })[0].cordoned && nanoring.owners('key', 9).map((n) => n.name).sort().join() === 'dev2,dev3'")

	// SIGTERM drains a node that is told to. The only one that is left and not cordoned takes all.
	dev2 = restarted(t, ns, dev2, "dev2", "--drain-timeout", "20s")
	late := b.open(t, b.page(dev2, joinOptions{"gateways": gateways(dev2)}))
	late.becomes("joined")
	dev3.becomes(t, late.name(), "up")
	late.until("nanoring.up({ name: 'dev*' }).length === 3")
	dev2.cmd.Process.Signal(syscall.SIGTERM)
	if status, err := dev2.wait(); status != 0 || err != nil {
		t.Errorf("it ends with %d: %v", status, err)
	}
	late.until("nanoring.state === 'joined' && nanoring.gateway.name === 'dev3'")
	if out, err := exec.Command("nanoring", "--data", dev3.client.data, "uncordon", "dev1").CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	tab.until(`document.querySelector("#log").innerText.includes("dev1 is cordoned no more")`)
	for _, line := range accused.FindAllString(said.String(), -1) {
		if strings.Contains(line, late.name()) {
			t.Error(line)
		}
	}
}

func restarted(t *testing.T, ns *nodes, p *process, name string, flags ...string) *process {
	t.Helper()
	p.cmd.Process.Signal(syscall.SIGTERM)
	if _, err := p.wait(); err != nil {
		t.Fatal(err)
	}
	return ns.mustStart(t, name, p.addr, flags...)
}

// testCannotMove: a tab that reaches no other gateway stays up, and its gateway runs on.
func testCannotMove(t *testing.T, b *browser) {
	dev1, dev2 := startPair(t, newNodes(t))
	// By another name for its host it does not know that it reaches others at theirs.
	url := "ws://localhost:" + dev1.addr[strings.LastIndex(dev1.addr, ":")+1:] + "/ring"
	tab := b.open(t, b.page(dev1, joinOptions{"gateways": []string{url}}))
	tab.becomes("joined")
	name := tab.name()
	dev2.becomes(t, name, "up")
	said := dev2.watched(t)
	out, err := exec.Command("nanoring", "--data", dev1.client.data, "drain", "--timeout", "3s").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "after 3s dev1 runs on, cordoned, and has 1 guest") {
		t.Errorf("%v: %s", err, out)
	}
	tab.until("nanoring.state === 'joined' && nanoring.gateway.name === 'dev1'")
	if regexp.MustCompile(`"kind":"(suspect|down|left)","id".*"` + name).MatchString(said.String()) {
		t.Error(said.String())
	}
	if out, err := exec.Command("nanoring", "--data", dev2.client.data, "cordon").CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	out, err = exec.Command("nanoring", "--data", dev1.client.data, "drain").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "no other node is up that takes guests") {
		t.Errorf("%v: %s", err, out)
	}
	if dev1.state(t, name) != "up" {
		t.Errorf("it is %s", dev1.state(t, name))
	}
}
