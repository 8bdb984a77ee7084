package main

import (
	"strings"
	"testing"
)

// TestDemoLate: a look that no node has answered in time tells nothing of the nodes, where each change is a line.
func TestDemoLate(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	d := demo{nodes: 2, out: printer{&out}}
	s := screen{d: &d, hints: "Try\n", states: make(map[string]string)}
	late := sight{rows: []row{{"dev1", "-", "h:1", "-", "7"}, {"dev2", "-", "h:2", "-", "8"}}, running: 2}
	seen := sight{rows: []row{{"dev1", "up", "h:1", "2", "7"}, {"dev2", "up", "h:2", "2", "8"}}, members: 2, running: 2}
	for _, now := range []sight{late, seen, late, seen} {
		s.show(now)
	}
	const want = "dev1 is up (h:1)\ndev2 is up (h:2)\n2 of 2 nodes are up. Ctrl-C stops them.\nTry\n"
	if out.String() != want {
		t.Errorf("%s", out.String())
	}
	if title := late.title(); strings.Contains(title, "0 of 0") {
		t.Error(title)
	}
}

// TestDemoScreen: on a terminal the table is drawn where it was, and again only when it is another.
func TestDemoScreen(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	d := demo{nodes: 1, out: printer{&out}}
	s := screen{d: &d, hints: "Try\n", redraw: true}
	up := sight{rows: []row{{"dev1", "up", "h:1", "1", "7"}}, members: 1, running: 1}
	down := sight{rows: []row{{"dev1", "down", "h:1", "-", "ended: killed"}}, members: 1}
	for _, now := range []sight{up, up, down} {
		s.show(now)
	}
	want := "Try\n\n" + up.title() + "\n\nNAME  STATE  ADDRESS  SEES UP  PROCESS\ndev1  up     h:1      1        7\n" +
		"\x1b[4A\x1b[J" + down.title() + "\n\nNAME  STATE  ADDRESS  SEES UP  PROCESS\ndev1  down   h:1      -        ended: killed\n"
	if out.String() != want {
		t.Errorf("%q", out.String())
	}
}
