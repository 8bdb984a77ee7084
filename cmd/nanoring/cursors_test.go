package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestCursors has five tabs show each other's pointers, through three nodes of the
// example, one of which is killed. With -shots it makes the README's picture.
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
	var tabs []*tab
	for i, name := range []string{"Ada", "Grace", "Edsger", "Barbara", "Tony <3"} {
		tab := b.newTab(t)
		tab.expect("ERR_CONNECTION_REFUSED")
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
	move(tabs[0], 120, 700)
	shows(tabs[1], "Ada", "120,700")
	move(tabs[2], 800, 760)
	for _, i := range []int{0, 1, 3, 4} {
		shows(tabs[i], "Edsger", "800,760") // the last ones may have asked for it
	}
	move(tabs[4], 760, 150)
	shows(tabs[0], "Tony <3", "760,150")

	// Its tabs go on by others, and all go on to see each other.
	servers[0].Process.Kill()
	tabs[0].until(fmt.Sprintf("nanoring.gateway && nanoring.gateway.name !== %q", addrs[0]))
	tabs[3].until(fmt.Sprintf("nanoring.gateway && nanoring.gateway.name !== %q", addrs[0]))
	for i, at := range [][2]int{{160, 640}, {230, 180}, {700, 800}, {560, 140}, {790, 210}} {
		move(tabs[i], at[0], at[1])
		for j, tab := range tabs {
			if i != j {
				shows(tab, []string{"Ada", "Grace", "Edsger", "Barbara", "Tony <3"}[i], fmt.Sprintf("%d,%d", at[0], at[1]))
			}
		}
	}
	for _, scheme := range []string{"light", "dark"} {
		tabs[0].look(640, 400, scheme)
		tabs[0].until(`document.querySelector("#here").textContent.startsWith("5 are here, you through ")`)
		eval[any](tabs[0], `document.querySelector("#here").textContent = document.querySelector("#here").textContent.replace(/:\d+$/, ":7022"), document.getAnimations().forEach((a) => a.finish())`)
		png := tabs[0].picture()
		files := []string{filepath.Join(t.ArtifactDir(), "cursors-"+scheme+".png")}
		if *shots != "" {
			files = append(files, filepath.Join("..", "..", *shots, "cursors-"+scheme+".png"))
		}
		for _, file := range files {
			if err := os.WriteFile(file, png, 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}

	// Who comes sees where the others are; who goes is seen no more.
	late := b.open(t, "http://"+addrs[2]+"/")
	late.expect("ERR_CONNECTION_REFUSED")
	shows(late, "Grace", "230,180")
	tabs[1].navigate("about:blank")
	late.until(`document.querySelectorAll(".cursor").length === 4`)
}
