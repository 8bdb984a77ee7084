//go:build linux

package network

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestKubernetes has a StatefulSet live, as deploy/kubernetes describes it, without a cluster.
// However it goes, all pods that are to be ready become so, agree in the end, have lost nobody
// whose add was confirmed, and say of nobody that lives that it is down.
func TestKubernetes(t *testing.T) {
	if !enter(t) {
		return
	}
	k := newKube(t, 10, ifLong(30*time.Second, 10*time.Second))
	first := k.set.Spec.Replicas
	k.act("the set is made", nil, func() {
		p := k.pod(0) // whose machine is the fastest
		k.place(p)
		k.launch(p)
		if k.ready(p) == "" {
			t.Errorf("%s is ready, and has found nobody yet", p.name)
		}
		k.scale(1, first)
		k.wait(p)
	})
	k.commands(k.pod(0))
	k.readme(k.pod(0))
	k.metrics()
	k.act("scaled up", nil, func() { k.scale(first, first+1) })
	all := first + 1
	k.act("rolled, with a guest", nil, func() { k.withGuest(k.roll) })
	k.act("scaled down", nil, func() { k.scale(all, all-2) })
	k.until("who is not there has left", func() string { return k.wrongAmong(k.hosts, k.gone(all-2, all), "left") })
	k.del(k.pod(0).host, k.pod(all-1).name)
	k.del(k.pod(1).host, k.pod(all-2).name)
	k.unknown(k.pod(all-1).name, k.pod(all-2).name)
	if files, _ := filepath.Glob(filepath.Join(k.pod(all-2).volume, "ring")); len(files) != 1 {
		t.Errorf("%s has nothing of before in its volume", k.pod(all-2).name)
	}
	k.empty(k.pod(all - 1)) // its claim was deleted, too; the other comes back with what it knew
	k.act("scaled up after a del, with a volume and without", nil, func() { k.scale(all-2, all) })
	k.act("a machine is lost", []*pod{k.pod(1)}, func() { k.lose(k.pod(1), nil) })
	k.act("one is deleted by force, and its process runs on", []*pod{k.pod(2)}, func() { k.forced(k.pod(2)) })
	k.dns.late(ifLong(30*time.Second, 3*time.Second))
	k.act("all addresses are new at once", k.all(), func() { k.outage(false) })
	if *long {
		k.longer(all)
	}
}

// longer is what takes minutes, most of which nothing happens in.
func (k *kube) longer(all int) {
	k.t.Helper()
	k.act("one that is to be there is deleted", nil, func() { k.deleted(k.pod(2)) })
	k.act("a machine is lost, and the volume with it", []*pod{k.pod(3)}, func() {
		k.lose(k.pod(3), k.empty)
	})
	k.act("all have addresses that others had", k.all(), func() { k.outage(true) })
	k.act("all are evicted", k.all(), func() {
		pods := k.all()
		k.stop(pods...)
		k.start(pods...)
	})
	k.act("the secret is another one", nil, func() { k.rotate() })
	k.act("rolled with it", nil, k.roll)
	k.act("scaled down to one", nil, func() { k.scale(all, 1) })
	k.act("the only one is rolled", nil, k.roll)
	k.act("scaled up again", nil, func() { k.scale(1, all) })
	k.scale(all, 0)
	for _, p := range k.pods {
		k.empty(p)
	}
	k.added, k.set.Spec.PodManagementPolicy = nil, "OrderedReady" // as who has changed it wants it
	k.act("made anew, one after another", nil, func() { k.scale(0, all) })
	k.act("rolled", nil, k.roll)
}

// commands holds that the environment in which pods are is one of settings that there are, and
// that commands in them need no other.
func (k *kube) commands(p *pod) {
	k.t.Helper()
	run := func(args ...string) string {
		out, err := k.command(p, append([]string{"/nanoring"}, args...)...).CombinedOutput()
		if err != nil {
			k.t.Errorf("%v: %v\n%s", args, err, out)
		}
		return string(out)
	}
	config := run("node", "--print-config")
	_, env := k.env(p.host, namespace)
	for name := range env {
		if strings.HasPrefix(name, "NANORING_") && !strings.Contains(config, "$"+name) {
			k.t.Errorf("%s sets nothing:\n%s", name, config)
		}
	}
	if up := strings.Fields(run("up", "-o", "names")); len(up) != len(k.hosts) || up[0] != p.name {
		k.t.Errorf("in %s they are told that %v are up", p.name, up)
	}
}

// act has something happen to the set, and holds what always holds. Who is lost by it may be
// shown down for a while after it is back.
func (k *kube) act(what string, lost []*pod, do func()) {
	k.t.Helper()
	k.note("== %s", what)
	began := time.Now()
	do()
	k.until("all show all up", k.wrong)
	k.until("all have the same", func() string { return k.differ() })
	k.known(k.added...)
	fail := k.fails(began)
	for _, p := range k.all() {
		select {
		case <-p.node.ended:
			k.t.Errorf("%s ended: %s\n%s", p.name, p.node.cmd.ProcessState, k.logOf(p.host))
		default:
		}
		if why := k.alive(p); why != "" {
			k.t.Errorf("%s would be killed: %s", p.name, why)
		}
		if most := k.memory(); k.usage(p.host).memory > most/2 {
			k.t.Errorf("%s has more than half of its memory: %s", p.name, k.usage(p.host))
		}
	}
	accused := func(by, of string, at time.Time) bool {
		lately := func(p *pod) bool { return p.name == by || p.name == of }
		return !slices.ContainsFunc(lost, lately) && k.pods[of] != nil && k.pods[of].lived(at)
	}
	for _, p := range k.pods {
		for _, d := range k.deaths(p, began) {
			if accused(p.name, d.of, d.at) {
				fail("%s logged that %s is down, which lives", p.name, d.of)
			}
		}
	}
	for _, s := range k.witness.since(began) {
		if s.state == "down" && accused(s.by, s.of, s.at) {
			fail("%s showed %s down, which lives", s.by, s.of)
		}
	}
}

// all returns the pods that there are, the one of the least number first.
func (k *kube) all() (all []*pod) {
	for _, h := range k.hosts {
		all = append(all, k.pods[h.name])
	}
	return all
}

// some returns pods by their numbers.
func (k *kube) some(from, to int) (pods []*pod) {
	for i := from; i < to; i++ {
		pods = append(pods, k.pod(i))
	}
	return pods
}

func (k *kube) gone(from, to int) (hosts []*host) {
	for _, p := range k.some(from, to) {
		hosts = append(hosts, p.host)
	}
	return hosts
}

// scale has the set have another number of pods: all at once, or one after another.
func (k *kube) scale(from, to int) {
	k.t.Helper()
	switch {
	case k.set.Spec.PodManagementPolicy == "Parallel" && from < to:
		k.start(k.some(from, to)...)
	case from < to:
		for _, p := range k.some(from, to) {
			k.start(p)
		}
	case k.set.Spec.PodManagementPolicy == "Parallel":
		k.stop(k.some(to, from)...)
	default:
		for i := from - 1; i >= to; i-- {
			k.stop(k.pod(i))
		}
	}
}

// roll has each pod be made anew, the last one first, each when the one before is ready.
func (k *kube) roll() {
	k.t.Helper()
	for _, p := range slices.Backward(k.all()) {
		k.confirm(p)
		k.stop(p)
		k.start(p)
	}
}

// confirm adds a member by a pod: what it has confirmed nothing may take back.
func (k *kube) confirm(p *pod) {
	k.t.Helper()
	name := fmt.Sprintf("member-%d", len(k.added))
	if ok, why := k.add(p.host, name); !ok {
		k.t.Fatalf("%s does not add %s: %s", p.name, name, why)
	}
	k.added = append(k.added, name)
}

// lose has a pod's machine be gone without a word, and the pod come back elsewhere.
func (k *kube) lose(p *pod, meanwhile func(*pod)) {
	k.t.Helper()
	k.confirm(p)
	p.ends()
	k.unplug(p.host)
	k.kill(p.host)
	cable := *p.host
	k.displace(p)
	k.until("the others show "+p.name+" down", func() string { return k.wrongAmong(k.hosts, []*host{p.host}, "down") })
	for _, h := range k.hosts {
		if why := k.ready(k.pods[h.name]); why != "" {
			k.t.Errorf("%s is not ready, since %s is down: %s", h.name, p.name, why)
		}
	}
	if meanwhile != nil {
		meanwhile(p)
	}
	k.start(p)
	k.plug(&cable)
}

// forced has a pod be deleted by force, as nobody should, while its machine cannot be reached: another
// of its name begins elsewhere, with an empty volume, and when the machine is back, both are there. The
// later ends, and is started again.
func (k *kube) forced(p *pod) {
	k.t.Helper()
	k.confirm(p)
	before := *p
	cable := *p.host
	before.host = &cable
	p.ends()
	k.unplug(&cable)
	k.displace(p)
	k.until("the others show "+p.name+" down", func() string { return k.wrongAmong(k.hosts, []*host{p.host}, "down") })
	again := k.another(p.name, "-again")
	k.pods[p.name] = again
	k.start(again)
	k.plug(&cable)
	select {
	case <-again.node.ended:
		if again.node.cmd.ProcessState.Success() {
			k.t.Errorf("the later %s ended as if it had been told to", p.name)
		}
	case <-time.After(patience()):
		k.t.Fatalf("both of %s run on\n%s", p.name, k.logOf(again.host))
	}
	// The kubelet that is back ends what is no pod any more, and the other one starts its own again.
	again.ends()
	k.kill(&cable)
	k.kill(again.host)
	k.launch(again)
	k.wait(again)
}

// deleted has a member be deleted whose pod is there: it ends, and the kubelet starts it again.
func (k *kube) deleted(p *pod) {
	k.t.Helper()
	k.del(k.all()[0].host, p.name)
	select {
	case <-p.node.ended:
		if code := p.node.cmd.ProcessState.ExitCode(); code != 4 {
			k.t.Errorf("%s was deleted, and ended with %d\n%s", p.name, code, k.logOf(p.host))
		}
	case <-time.After(patience()):
		k.t.Fatalf("%s was deleted, and runs on", p.name)
	}
	p.ends()
	k.kill(p.host)
	k.launch(p)
	k.wait(p)
}

// rotate has pods get to know another secret, one after another, and then forget the first.
func (k *kube) rotate() {
	k.t.Helper()
	before := k.secretFile()
	k.keygen()
	after := k.secretFile()
	for _, text := range [][]byte{slices.Concat(after, before), after} {
		for i, p := range k.all() {
			said := strings.Count(k.logOf(p.host), "the ring's secrets changed")
			k.hide(p, text)
			k.until(p.name+" has other secrets", func() string {
				if strings.Count(k.logOf(p.host), "the ring's secrets changed") == said {
					return "it has not said so"
				}
				return ""
			})
			if i == 0 { // while the others have what was before
				k.confirm(p)
			}
		}
	}
}

// outage has all machines lose power, and all pods come back elsewhere: where others were, or
// where nobody was for long.
func (k *kube) outage(swapped bool) {
	k.t.Helper()
	all := k.all()
	for _, p := range all {
		k.confirm(p)
	}
	for _, p := range all {
		p.ends()
		k.kill(p.host)
	}
	for _, p := range all {
		k.displace(p)
	}
	if swapped {
		slices.Reverse(k.machines)
	}
	k.start(all...)
}

// differ says which pods do not know the same of who belongs to the ring.
func (k *kube) differ() string {
	k.t.Helper()
	var first map[string]string
	for i, p := range k.all() {
		var answer struct {
			Nodes []struct{ Name, State, Address string }
		}
		if _, err := p.node.do(http.MethodGet, "/v1/nodes", nil, &answer); err != nil {
			return err.Error()
		}
		have := make(map[string]string)
		for _, n := range answer.Nodes {
			have[n.Name] = n.State + " at " + n.Address
		}
		if i == 0 {
			first = have
		} else if !maps.Equal(first, have) {
			return fmt.Sprintf("%s has %v, %s %v", k.hosts[0].name, first, p.name, have)
		}
	}
	return ""
}

// deaths are those who went down since a time, as a pod's log has it.
func (k *kube) deaths(p *pod, from time.Time) (deaths []sight) {
	k.t.Helper()
	for line := range strings.Lines(k.logOf(p.host)) {
		var e struct {
			Time      time.Time
			Msg, Name string
		}
		if json.Unmarshal([]byte(line), &e) == nil && e.Msg == "node is down" && e.Time.After(from) {
			deaths = append(deaths, sight{at: e.Time, by: p.name, of: e.Name})
		}
	}
	return deaths
}

// memory is how much a pod may have.
func (k *kube) memory() (bytes int) {
	var mib int
	if _, err := fmt.Sscanf(k.container().Resources.Limits.Memory, "%dMi", &mib); err != nil {
		k.t.Fatal(err)
	}
	return mib << 20
}
