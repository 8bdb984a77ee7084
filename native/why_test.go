package native

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nanoring/nanoring/core/wire"
)

// TestEvidenceIsBounded: of a name the last pieces are kept, and of names those about which
// something happened last; what is so again and again is one piece.
func TestEvidenceIsBounded(t *testing.T) {
	var e evidence
	at := time.Unix(1e9, 0)
	for i := range 1000 {
		at = at.Add(time.Second)
		e.add("a", false, Evidence{At: at, What: fmt.Sprint("w", i/2)})
	}
	all := e.about("a")
	if len(all) != mostPieces || all[0].What != fmt.Sprint("w", 500-mostPieces) || all[0].Times != 2 || all[0].Until.Sub(all[0].At) != time.Second {
		t.Errorf("%d, from %+v", len(all), all[0])
	}
	for i := range mostSubject {
		at = at.Add(time.Second)
		e.add(fmt.Sprint("b", i), false, Evidence{At: at, What: "down"})
		e.add("b0", false, Evidence{At: at, What: "up"})
	}
	if len(e.of) != mostSubject || e.about("a") != nil || len(e.about("b0")) != 2 || e.about("b255") == nil {
		t.Errorf("%d names, a: %v, b0: %v", len(e.of), e.about("a"), e.about("b0"))
	}
}

// TestEvidenceOfNodesIsKept: what is known of nodes goes last, however many names guests make up.
func TestEvidenceOfNodesIsKept(t *testing.T) {
	var e evidence
	at := time.Unix(1e9, 0)
	e.add("dev1", true, Evidence{At: at, What: "down"})
	for i := range 3 * mostSubject {
		at = at.Add(time.Second)
		e.add(fmt.Sprint("tab", i), false, Evidence{At: at, What: "left"})
	}
	if len(e.of) != mostSubject || len(e.about("dev1")) != 1 || e.about("tab767") == nil {
		t.Errorf("%d names, dev1: %v", len(e.of), e.about("dev1"))
	}
	for i := range mostSubject {
		at = at.Add(time.Second)
		e.add(fmt.Sprint("dev", i+2), true, Evidence{At: at, What: "down"})
	}
	e.add("tab0", false, Evidence{At: at, What: "left"})
	e.add("tab1", false, Evidence{At: at, What: "left"})
	if len(e.of) != mostSubject || e.about("dev1") != nil || e.about("dev257") == nil || e.about("tab0") != nil {
		t.Errorf("%d names, dev1: %v, tab0: %v", len(e.of), e.about("dev1"), e.about("tab0"))
	}
}

// inquire asks one node a reserved topic through another.
func inquire[T any](t *testing.T, through *Node, of, topic, payload string) (v T) {
	t.Helper()
	answers, err := through.Ask(soon(t), topic, []byte(payload), Within(patience))
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for a := range answers.All() {
		if a.From == of {
			if err = a.Err; err == nil {
				err = json.Unmarshal(a.Payload, &v)
			}
			found = true
			break
		}
	}
	if err != nil || !found {
		t.Fatalf("%s of %s: %v, %v", topic, of, found, err)
	}
	return v
}

// TestWhy: a node that died is explained by who survives it, and by each to any other.
func TestWhy(t *testing.T) {
	all := three(t)
	heard := ears(t, all[0].Node, "*")
	if w := all[0].Why("dev3"); !w.Known || w.Node.State.String() != "up" || len(w.Evidence) != 0 {
		t.Errorf("%+v", w)
	}
	eventually(t, "a round trip", func() bool { w := all[0].Why("dev3"); return w.Link != nil && w.Link.Trip > 0 })
	all[2].kill(t)
	for _, n := range all[:2] {
		eventually(t, "dev3 down at "+n.Name(), func() bool { w := n.Why("dev3"); return w.Node.State.String() == "down" })
	}
	for _, w := range []WhyJSON{
		inquire[WhyJSON](t, all[1].Node, "dev1", "nanoring.why", "dev3"),
		inquire[WhyJSON](t, all[0].Node, "dev1", "nanoring.why", "dev3"),
	} {
		var whats []string
		for _, e := range w.Evidence {
			whats = append(whats, e.What)
			if e.Text == "" || e.At.IsZero() || e.Times < 1 {
				t.Errorf("%+v", e)
			}
		}
		down := slices.IndexFunc(w.Evidence, func(e EvidenceJSON) bool { return e.What == "down" })
		if w.By != "dev1" || w.Name != "dev3" || w.State != "down" || w.Link != nil || w.Since.IsZero() || down < 1 ||
			!slices.ContainsFunc(w.Evidence[:down], func(e EvidenceJSON) bool {
				return slices.Contains([]string{"asked", "lost", "unreached", "unanswered"}, e.What)
			}) {
			t.Errorf("%v: %+v", whats, w)
		}
		if by := w.Evidence[down].By; len(by) != 1 || by[0] != "dev1" && by[0] != "dev2" {
			t.Errorf("down says %q", by)
		}
	}
	for name, want := range map[string]int{"dev3": 200, "nobody": 404, "": 400} {
		got := ask(t, httpClient(t), "GET", "http://"+all[0].Addr()+"/v1/why?name="+name, "")
		if got.status != want || want == 200 && !strings.Contains(got.body, `"what":"down"`) {
			t.Errorf("%q: %d %s", name, got.status, got.body)
		}
	}
	select {
	case text := <-heard:
		t.Errorf("who listens to all hears %q", text)
	default:
	}
	if err := all[0].Send(soon(t), "nanoring.anything", nil); err != nil {
		t.Error(err)
	}
	if text := receive(t, "a message", heard); !strings.Contains(text, "nanoring.anything") {
		t.Error(text)
	}
}

// TestReserved: nodes answer for themselves what somebody asks who looks over the ring.
func TestReserved(t *testing.T) {
	all := three(t)
	about := inquire[AboutJSON](t, all[1].Node, "dev1", "nanoring.node", "")
	if about.Name != "dev1" || about.Protocol != wire.Version || about.Engine != "native" || about.Settings["period"] == 0 ||
		about.DiskFree == 0 || len(about.Links) != 2 || time.Since(about.Clock).Abs() > time.Hour || about.Members != 3 {
		t.Errorf("%+v", about)
	}
	reach := inquire[ReachJSON](t, all[1].Node, "dev1", "nanoring.reach", "")
	if len(reach.Dialed) != 2 || reach.Dialed[0].Name != "dev2" || reach.Dialed[0].Took <= 0 || reach.Dialed[1].Why != "" || len(reach.Links) != 2 {
		t.Errorf("%+v", reach)
	}
	trip := inquire[TripJSON](t, all[1].Node, "dev1", "nanoring.rtt", "dev3")
	if trip.From != "dev1" || trip.To != "dev3" || len(trip.Trips) != tripsMeasured || trip.Trips[0] <= 0 {
		t.Errorf("%+v", trip)
	}
	sums := func(of string) (r RecordsJSON) {
		return inquire[RecordsJSON](t, all[1].Node, of, "nanoring.records", "")
	}
	eventually(t, "the same records", func() bool { return slices.Equal(sums("dev1").Sums, sums("dev3").Sums) })
	count := 0
	for heap, sum := range sums("dev1").Sums {
		if sum == fmt.Sprintf("%016x", 0) {
			continue
		}
		for _, r := range inquire[RecordsJSON](t, all[1].Node, "dev1", "nanoring.records", fmt.Sprint(heap)).Records {
			if r.Hash == "" || r.Says != "added" && r.Says != "up" {
				t.Errorf("%+v", r)
			}
			count++
		}
	}
	if count != 6 {
		t.Errorf("%d records", count)
	}

	all[2].kill(t)
	eventually(t, "dev3 down", func() bool { w := all[0].Why("dev3"); return w.Node.State.String() == "down" })
	reach = inquire[ReachJSON](t, all[1].Node, "dev1", "nanoring.reach", "dev3")
	if len(reach.Dialed) != 1 || reach.Dialed[0].Why == "" {
		t.Errorf("%+v", reach)
	}
	for topic, payload := range map[string]string{"nanoring.rtt": "nobody", "nanoring.records": "256"} {
		answers, err := all[0].Ask(soon(t), topic, []byte(payload))
		if err != nil {
			t.Fatal(err)
		}
		for a := range answers.All() {
			if a.Err == nil {
				t.Errorf("%s %s: %s", topic, payload, a.Payload)
			}
		}
	}
}
