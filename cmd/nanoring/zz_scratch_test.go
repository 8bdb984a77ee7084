package main

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"syscall"
	"log/slog"

	"github.com/nanoring/nanoring/native"
	"github.com/nanoring/nanoring/core/wire"
)

// SHOTS=dir N=5 EXTRA=55 JS=... go test -run TestZZ
func TestZZShots(t *testing.T) {
	var n, extra int
	fmt.Sscan(os.Getenv("N"), &n)
	fmt.Sscan(os.Getenv("EXTRA"), &extra)
	dir := os.Getenv("SHOTS")
	os.MkdirAll(dir, 0o777)
	var nodes []*native.Node
	for i := range n {
		c := native.Config{Name: fmt.Sprintf("dev%d", i+1), Listen: "127.0.0.1:0", Data: t.TempDir(), Log: slog.New(slog.DiscardHandler), Tags: []wire.Tag{{Key: "role", Value: "web"}, {Key: "zone", Value: string(rune(97+i%3))}}}
		if i > 0 {
			c.Join = []string{nodes[0].Addr()}
		}
		nd, err := native.Start(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		defer nd.Close()
		nodes = append(nodes, nd)
	}
	for i := range extra {
		nodes[0].Add(t.Context(), fmt.Sprintf("host%d", i+1), "127.0.0.1:1")
	}
	var victim *process
	if os.Getenv("DOWN") != "" {
		victim = newNodes(t).mustStart(t, "victim", "", "--join", nodes[0].Addr())
	}
	tab := startBrowser(t).open(t, "http://"+nodes[0].Addr()+"/")
	tab.expect(".")
	tab.becomes("joined")
	tab.until("performance.now() > 3500")
	if victim != nil {
		tab.until(`nanoring.all().find((n) => n.name === "victim")?.state === "up"`)
		victim.cmd.Process.Signal(syscall.SIGSTOP)
		tab.until(`nanoring.all().find((n) => n.name === "victim")?.state === "down"`)
		victim.kill()
		eval[any](tab, `document.querySelector("tr[data-name=victim] button").click()`)
	}
	if js := os.Getenv("JS"); js != "" {
		eval[any](tab, "(async()=>{const $=(s)=>document.querySelector(s), wait=(ms)=>new Promise(d=>setTimeout(d,ms)); " + js + "})()")
	}
	for _, s := range []struct{ w, h int64; scheme string }{{1400, 860, "light"}, {1400, 860, "dark"}, {390, 844, "light"}, {390, 844, "dark"}} {
		if only := os.Getenv("ONLY"); only != "" && !strings.Contains(only, fmt.Sprint(s.w, s.scheme)) {
			continue
		}
		tab.look(s.w, s.h, s.scheme)
		eval[any](tab, "new Promise(d=>setTimeout(d,700))")
		if wide := eval[int64](tab, "document.documentElement.scrollWidth"); wide > s.w {
			t.Errorf("at %d px it is %d px wide", s.w, wide)
		}
		os.WriteFile(fmt.Sprintf("%s/%s-%d-%s.png", dir, os.Getenv("NAME"), s.w, s.scheme), tab.picture(), 0o666)
	}
	if os.Getenv("AXE") != "" {
		tab.accessible(1400, 860, "light")
		tab.accessible(390, 844, "dark")
	}
}
