package main

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestCursors has four tabs show each other's pointers, through three nodes of the
// example, one of which is killed. With -shots they are ten, and
// it makes the README's picture.
func TestCursors(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	program := filepath.Join(dir, "cursors")
	if out, err := exec.Command("go", "build", "-o", program, "../../examples/cursors").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	first, err := freePorts(3)
	if err != nil {
		t.Fatal(err)
	}
	addrs := localhost(first, 3)
	var servers []*exec.Cmd
	for i, addr := range addrs {
		args := []string{"-listen", addr, "-data", dir}
		if i > 0 {
			args = append(args, "-join", addrs[0])
		}
		var out lockedBuffer
		cmd := exec.Command(program, args...)
		cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = &out, &out, childAttr()
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			cmd.Process.Kill()
			cmd.Wait()
		})
		eventually(t, addr+" serves", func() bool { return strings.Contains(out.String(), "open http://") })
		servers = append(servers, cmd)
	}

	b := startBrowser(t)
	names := []string{"Ada", "Grace", "Edsger", "Barbara", "Tony <3", "Margaret", "Alan", "Frances", "Donald", "Radia"}
	if *shots == "" {
		names = names[:4] // ten cost half a minute of processors
	}
	all := fmt.Sprintf("%d are here", len(names))
	var tabs []*tab
	for i, name := range names {
		tab := b.newTab(t)
		tab.expect(killedGateway)
		tab.look(640, 400, "light")
		tab.navigate("http://" + addrs[i%3] + "/")
		tab.until("window.nanoring?.gateway")
		eval[any](tab, fmt.Sprintf(`document.querySelector("#name").value = %q, document.querySelector("#name").dispatchEvent(new Event("input"))`, name))
		tabs = append(tabs, tab)
	}
	move := func(tab *tab, x, y int) {
		t.Helper()
		eval[any](tab, fmt.Sprintf(`dispatchEvent(new PointerEvent("pointermove", { clientX: innerWidth * %d / 1000, clientY: innerHeight * %d / 1000 }))`, x, y))
	}
	shows := func(tab *tab, name, at string) {
		t.Helper()
		tab.until(fmt.Sprintf(`[...document.querySelectorAll(".cursor")].some((c) => c.textContent === %q && c.dataset.at === %q)`, name, at))
	}
	// Where all pointers but a tab's own are, as it shows them.
	others := func(tab *tab) map[string]string {
		t.Helper()
		return eval[map[string]string](tab, `Object.fromEntries([...document.querySelectorAll(".cursor")].map((c) => [c.textContent, c.dataset.at]))`)
	}
	move(tabs[0], 120, 700)
	shows(tabs[1], "Ada", "120,700")
	move(tabs[2], 800, 760)
	for _, i := range []int{0, 1, 3, len(tabs) - 1} {
		shows(tabs[i], "Edsger", "800,760") // the last ones may have asked for it
	}

	// All move, and one of the nodes is killed. Its tabs go on by others, nobody is shown
	// gone to anybody, and all go on to see each other move.
	for i, tab := range tabs {
		tab.until(fmt.Sprintf(`document.querySelector("#here").textContent.startsWith(%q)`, all))
		eval[any](tab, fmt.Sprintf(`document.querySelector("style").append(".cursor { transition: none }"),
			window.gone = [], new MutationObserver((all) => all.forEach((m) => m.removedNodes.forEach((n) => gone.push(n.textContent)))).observe(document.body, { childList: true }),
			window.said = [], new MutationObserver(() => said.push(here.textContent)).observe(here, { childList: true }),
			window.turn = 0, window.timer = setInterval(() => dispatchEvent(new PointerEvent("pointermove", { clientX: innerWidth * (turn++ %% 100) / 100, clientY: innerHeight * %d / 1000 })), 500), undefined`, i*100))
	}
	tabs[len(tabs)-1].until(fmt.Sprintf(`document.querySelectorAll(".cursor").length === %d`, len(tabs)-1))
	servers[0].Process.Kill()
	for i := 0; i < len(tabs); i += 3 {
		tabs[i].until(fmt.Sprintf("nanoring.gateway && nanoring.gateway.name !== %q", addrs[0]))
	}
	for _, tab := range tabs {
		before := others(tab)
		eventually(t, "all others move", func() bool {
			now := others(tab)
			if len(before) < len(tabs)-1 {
				before = now // one was about to be shown
			}
			return len(before) == len(tabs)-1 && len(now) == len(tabs)-1 && !slices.ContainsFunc(slices.Collect(maps.Keys(now)), func(name string) bool { return now[name] == before[name] })
		})
	}
	places := make(map[string]string)
	for i, at := range [][2]int{{160, 640}, {230, 180}, {700, 800}, {560, 140}, {790, 210}, {60, 420}, {420, 900}, {860, 480}, {330, 760}, {70, 80}}[:len(tabs)] {
		eval[any](tabs[i], "clearInterval(timer)")
		move(tabs[i], at[0], at[1])
		places[names[i]] = fmt.Sprintf("%d,%d", at[0], at[1])
	}
	for i, tab := range tabs {
		want := maps.Clone(places)
		delete(want, names[i])
		eventually(t, names[i]+" sees where all others are", func() bool { return maps.Equal(others(tab), want) })
	}
	for i, tab := range tabs {
		if gone := eval[[]string](tab, "gone"); len(gone) > 0 {
			t.Errorf("%s was shown gone: %q", names[i], gone)
		}
		if eval[bool](tab, fmt.Sprintf(`said.some((text, i) => text === said[i - 1] || !/^%s|^The node of this tab is gone/.test(text))`, all)) { // it is read out whenever it is set
			t.Errorf("%s was told %q", names[i], eval[[]string](tab, "said"))
		}
	}
	for _, size := range [][2]int64{{640, 400}, {360, 640}} {
		for _, scheme := range []string{"light", "dark"} {
			tabs[0].look(size[0], size[1], scheme)
			tabs[0].until(fmt.Sprintf(`document.querySelector("#here").textContent.startsWith("%s, you through ")`, all))
			eval[any](tabs[0], `document.querySelector("#here").textContent = document.querySelector("#here").textContent.replace(/:\d+$/, ":7022"), document.getAnimations().forEach((a) => a.finish())`)
			if out := eval[[]string](tabs[0], `[...document.querySelectorAll(".cursor span")].filter((label) => {
				const { left, top, right, bottom } = label.getBoundingClientRect();
				return left < 0 || top < 0 || right > innerWidth || bottom > innerHeight;
			}).map((label) => label.textContent)`); len(out) > 0 {
				t.Errorf("at %d px %q are not to be read", size[0], out)
			}
			png := tabs[0].picture()
			files := []string{filepath.Join(t.ArtifactDir(), fmt.Sprintf("cursors-%d-%s.png", size[0], scheme))}
			if *shots != "" && size[0] == 640 {
				files = append(files, filepath.Join("..", "..", *shots, "cursors-"+scheme+".png"))
			}
			for _, file := range files {
				if err := os.WriteFile(file, png, 0o666); err != nil {
					t.Fatal(err)
				}
			}
		}
	}

	// Who comes sees where the others are; who goes is seen no more.
	late := b.open(t, "http://"+addrs[2]+"/")
	late.expect(killedGateway)
	shows(late, "Grace", "230,180")
	tabs[1].navigate("about:blank")
	late.until(fmt.Sprintf(`document.querySelectorAll(".cursor").length === %d`, len(tabs)-1))
}
