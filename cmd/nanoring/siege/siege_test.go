//go:build linux

package siege

import (
	"bytes"
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nanoring/nanoring/native/trust"
)

var (
	length = flag.Duration("siege.for", 0, "attack for so long, as fast as may be, and hold the ring to its numbers: 10m; else some seconds, slowly")
	only   = flag.String("siege.only", "", "only these attacks, with commas between them")
	each   = flag.Bool("siege.each", false, "each attack alone, in a ring of its own")
	by     = flag.String("siege.by", "", "only by the token of a guest, or of a reader")
	tokens = flag.Int("siege.tokens", 1, "so many tokens of a guest has who attacks")
	mix    = flag.String("siege.engines", "native,wasm,native,wasm", "engines of the four nodes")
	twice  = flag.Bool("siege.twice", false, "in a long one, attack the same nodes once more, and hold what memory they have then to what they had after the first time")
	rest   = flag.Duration("siege.rest", 3*time.Minute, "look for so long after the attack, in a long one: the names of guests that are gone are kept for half of that")
)

// What the ring is held to in a long siege.
const (
	mostLines   = 60          // of a log, in any minute
	mostWait    = time.Second // of an operator for an answer
	leastUp     = 0.999       // of the looks at honest guests
	mostMemory  = 1.1         // of what there was before, when it is over for a while,
	spareMemory = 8 << 10     // or kB more: what Go's runtime keeps to look after a heap that was large, and pages of it that are not full
	honestCount = 20
)

// TestSiege attacks a ring of four nodes by a guest's token, then another by a reader's.
func TestSiege(t *testing.T) {
	var names []string // all
	if *only != "" {
		names = strings.Split(*only, ",")
	}
	for _, who := range []string{"guest", "reader"} {
		if *by != "" && *by != who {
			continue
		}
		if !*each {
			t.Run(who, func(t *testing.T) { besieged(t, who, names) })
			continue
		}
		for _, a := range attacks {
			if cmp.Or(a.by, "guest") == who && (names == nil || slices.Contains(names, a.name)) {
				t.Run(a.name, func(t *testing.T) { besieged(t, who, []string{a.name}) })
			}
		}
	}
}

func besieged(t *testing.T, who string, names []string) {
	o := orders{For: *length}
	engines, guests, before := strings.Split(*mix, ","), honestCount, time.Minute // in which nodes give back what their start took
	if *length == 0 {                                                             // what is seen at once, and costs little
		o.For, o.Pause, o.Few, before, guests, engines = 4*time.Second, 300*time.Millisecond, true, 0, 4, []string{"native", "native"}
	}
	r := start(t, engines...)
	honest := r.honest(guests)
	for _, n := range r.nodes {
		r.until(n.name+" shows all guests up", func() bool {
			members, err := n.members(time.Second)
			up := 0
			for _, m := range members {
				if m.Ephemeral && m.State == "up" {
					up++
				}
			}
			return err == nil && up == guests
		})
	}
	op, reader := r.asks(trust.RoleOperator, 200*time.Millisecond), r.asks(trust.RoleReader, time.Second)
	news := r.newcomers()
	w := r.watch(honest)
	w.lookFor(before)
	calm := w.report(op, reader, news)

	o.Nodes, o.Only = r.addrs(), names
	for _, g := range honest {
		o.Honest = append(o.Honest, g.name)
		g.forget()
	}
	switch who {
	case "guest":
		for i := range max(*tokens, 1) {
			o.Guests = append(o.Guests, r.token(trust.Token{Role: trust.RoleGuest, Name: "evil-*", Send: []string{"chat.*", "nanoring.*"}, Hear: []string{"chat.*"}, Own: []string{"*", fmt.Sprint(i)}}))
		}
	case "reader":
		o.Reader = r.token(trust.Token{Role: trust.RoleReader})
	}
	w.forget()
	told := r.unleash(&o)
	w.lookFor(o.For)
	storm := w.report(op, reader, news)
	storm.told = <-told
	for what, times := range storm.told {
		if strings.Contains(what, noAttack) {
			t.Errorf("%s: %d times", what, times)
		}
	}
	if *length > 0 {
		w.lookFor(*rest)
		for i := range w.nodes {
			u := &storm.nodes[i] // what comes late counts, too
			u.after, u.worstMinute, u.traps, u.module = w.nodes[i].rss, w.nodes[i].worstMinute, w.nodes[i].traps, w.nodes[i].module
		}
		if *twice {
			told = r.unleash(&o)
			w.lookFor(o.For)
			<-told
			w.lookFor(*rest)
			for i := range w.nodes {
				storm.nodes[i].again = w.nodes[i].rss
			}
		}
	}
	t.Log(table(w, &calm, &storm))
	for _, fault := range w.faults {
		t.Error(fault)
	}
	if w.total > len(w.faults) {
		t.Errorf("and %d more", w.total-len(w.faults))
	}
	if *length > 0 {
		hold(t, w, &calm, &storm)
	}
}

// unleash begins the attack, in a process of its own, and returns what came of it when it is over.
func (r *ring) unleash(o *orders) <-chan map[string]int {
	r.Helper()
	self, err := os.Executable()
	if err != nil {
		r.Fatal(err)
	}
	in, err := json.Marshal(o)
	if err != nil {
		r.Fatal(err)
	}
	cmd := exec.CommandContext(r.Context(), self)
	var out, log bytes.Buffer
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = append(os.Environ(), besiegerEnv+"=1"), bytes.NewReader(in), &out, &log
	if err := cmd.Start(); err != nil {
		r.Fatal(err)
	}
	told := make(chan map[string]int, 1)
	go func() {
		defer close(told)
		var all map[string]int
		if err := cmd.Wait(); err != nil {
			r.Errorf("who attacks: %v\n%.2000s", err, log.String())
		} else if err := json.Unmarshal(out.Bytes(), &all); err != nil {
			r.Errorf("what who attacks says: %v", err)
		}
		told <- all
	}()
	return told
}

// hold holds the ring to its numbers.
func hold(t *testing.T, w *watch, calm, storm *report) {
	if missed := storm.upMissed; float64(missed) > (1-leastUp)*float64(storm.looks) {
		t.Errorf("honest guests were not up in %d of %d looks", missed, storm.looks)
	}
	if storm.asked.worst > mostWait || storm.asked.failed > 0 {
		t.Errorf("the operator waited up to %s, and %d of %d answers were none: %v", storm.asked.worst, storm.asked.failed, storm.asked.count, storm.asked.how)
	}
	if storm.read.failed > 0 {
		t.Errorf("another reader got no answer: %v", storm.read.how)
	}
	if len(storm.refused) > 0 {
		t.Errorf("of %d newcomers these were not let in: %v", storm.came, storm.refused)
	}
	for i, u := range storm.nodes {
		n := w.ring.nodes[i]
		if u.worstMinute > mostLines {
			t.Errorf("%s logs up to %d lines a minute", n.name, u.worstMinute)
		}
		if u.traps > u.traps0 {
			t.Errorf("the engine of %s broke %v times", n.name, u.traps-u.traps0)
		}
		if *twice && u.again > int64(float64(u.after)*mostMemory) {
			t.Errorf("%s has %d MB when it is over once more, and had %d", n.name, u.again>>10, u.after>>10)
		}
		if had := calm.nodes[i].rss; u.after > max(int64(float64(had)*mostMemory), had+spareMemory) {
			t.Errorf("%s has %d MB when it is over, and had %d", n.name, u.after>>10, had>>10)
		}
	}
}
