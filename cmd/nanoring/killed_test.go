package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestKilledInALoop kills a node (SIGKILL) at any moment while names are added and deleted at
// it: the next process knows all that was confirmed. What inspect and backup read of the folder
// meanwhile, they understand.
func TestKilledInALoop(t *testing.T) {
	t.Parallel()
	ns := nodes{dir: t.TempDir(), byName: make(map[string]*process)}
	data := filepath.Join(ns.dir, "dev1")
	known := make(map[string]bool) // what was confirmed of a name: it is a member, or is none
	unsure := ""                   // the name that was asked for when the node was killed: what is shown of it is so
	made := 0
	for round := range 6 {
		p, err := ns.start("dev1", "")
		must(t, err)
		all, err := p.client.members(t.Context(), pathNodes)
		must(t, err)
		shown := make(map[string]bool)
		for _, m := range all {
			shown[m.Name] = true
		}
		if unsure != "" {
			known[unsure] = shown[unsure]
		}
		for name, is := range known {
			if shown[name] != is {
				t.Errorf("round %d: %s is shown: %t, and it was confirmed: %t\n%s", round, name, shown[name], is, p.printed())
			}
		}
		if strings.Contains(p.printed(), "level=ERROR") {
			t.Errorf("round %d: %s", round, p.printed())
		}
		time.AfterFunc(time.Duration(20+rand.IntN(300))*time.Millisecond, func() { p.cmd.Process.Kill() })
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		for err = nil; err == nil; made++ {
			unsure = fmt.Sprintf("n%d", made/3*2)
			is := made%3 != 2 // of three changes the last deletes what the first has added
			if made%3 == 1 {
				unsure += "b"
			}
			if is {
				_, err = p.client.add(ctx, unsure, "127.0.0.1:1")
			} else {
				err = p.client.del(ctx, unsure)
			}
			if err == nil {
				known[unsure] = is
			}
		}
		cancel()
		<-p.ended
		for _, args := range [][]string{{"inspect", filepath.Join(data, "ring")}, {"--data", data, "backup", filepath.Join(ns.dir, "backup")}} {
			if out, err := exec.Command("nanoring", args...).CombinedOutput(); err != nil {
				t.Errorf("round %d: %v: %v, %s", round, args, err, out)
			}
		}
	}
	t.Logf("%d changes were confirmed, %d asked for", len(known), made)
	if len(known) == 0 {
		t.Error("none was confirmed")
	}

	// Of a ring file whose last change is cut off, or damaged, people see what is before it.
	ring := filepath.Join(data, "ring")
	b, err := os.ReadFile(ring)
	must(t, err)
	for what, damaged := range map[string][]byte{"ends within a change": append(b, 0, 0, 1), "does not match": append(b, make([]byte, 200)...)} {
		must(t, os.WriteFile(ring, damaged, 0o600))
		out, err := exec.Command("nanoring", "inspect", ring).Output()
		var shown struct {
			Damaged string
			Records []any
		}
		if err != nil || json.Unmarshal(out, &shown) != nil || !strings.Contains(shown.Damaged, what) || len(shown.Records) == 0 {
			t.Errorf("%s: %v, %s", what, err, out)
		}
		p, err := ns.start("dev1", "")
		must(t, err)
		if !strings.Contains(p.printed(), what) || !strings.Contains(p.printed(), filepath.Join("dev1", "ring.damaged")) {
			t.Errorf("it does not say that it %s: %s", what, p.printed())
		}
		p.kill()
	}
}
