//go:build linux

package siege

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

// watch looks at all nodes, once a second.
type watch struct {
	*ring
	guests []*guest
	begun  []string // when each node says that it started

	mu     sync.Mutex
	faults []string // what must not be, a hundred at most
	total  int
	looks  int            // at one honest guest at one node
	missed map[string]int // of them, when it was not up: by node and guest
	nodes  []usage
	sent   int64 // bytes to honest guests
	from   time.Time
}

// usage is what a node used since it was forgotten.
type usage struct {
	cpu, waited      time.Duration
	rss, peak, after int64 // kB
	again            int64 // after another attack
	worstMinute      int   // lines of its log
	traps            float64
	suspicions       float64
	goroutines       float64
	module           float64 // bytes of a sandboxed engine
	cpu0, waited0    time.Duration
	traps0           float64
	suspicions0      float64
	unanswered       int
}

func (r *ring) watch(guests []*guest) *watch {
	w := &watch{ring: r, guests: guests, nodes: make([]usage, len(r.nodes))}
	for _, n := range r.nodes {
		s, err := n.started(patience)
		if err != nil {
			r.Fatal(err)
		}
		w.begun = append(w.begun, s)
	}
	w.forget()
	return w
}

func (n *node) started(within time.Duration) (string, error) {
	var s struct{ Started, Instance string }
	err := n.get("/v1/status", &s, within)
	return s.Started + " " + s.Instance, err
}

// forget begins anew.
func (w *watch) forget() {
	w.missed, w.looks, w.from, w.sent = make(map[string]int), 0, time.Now(), 0
	for i, n := range w.ring.nodes {
		var u usage
		n.worstMinute(true)
		n.measure(&u)
		u.waited0 = u.waited
		u.cpu0, u.traps0, u.suspicions0, u.peak = u.cpu, u.traps, u.suspicions, u.rss
		w.nodes[i] = u
	}
	for _, g := range w.guests {
		w.sent -= g.bytes.Load()
	}
}

// for looks for so long, or until the context of the test ends.
func (w *watch) lookFor(d time.Duration) {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for deadline := time.Now().Add(d); time.Now().Before(deadline); <-ticker.C {
		w.look()
	}
}

// perGuest is how many bytes a second an honest guest was sent since forget.
func (w *watch) perGuest() float64 {
	sent := w.sent
	for _, g := range w.guests {
		sent += g.bytes.Load()
	}
	return float64(sent) / time.Since(w.from).Seconds() / float64(max(len(w.guests), 1))
}

func (w *watch) fault(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.total++; len(w.faults) < 100 {
		w.faults = append(w.faults, fmt.Sprintf("%4.0fs ", time.Since(w.from).Seconds())+fmt.Sprintf(format, args...))
	}
}

func (w *watch) look() {
	var wg sync.WaitGroup
	for i, n := range w.ring.nodes {
		wg.Go(func() { w.lookAt(i, n) })
	}
	wg.Wait()
	for _, g := range w.guests {
		g.mu.Lock()
		if g.halted != "" {
			w.fault("%s halted: %s", g.name, g.halted)
			g.halted = ""
		}
		g.mu.Unlock()
	}
}

func (w *watch) lookAt(i int, n *node) {
	u := &w.nodes[i]
	if n.over() {
		if w.begun[i] != "" {
			w.fault("%s ended: %s", n.name, n.cmd.ProcessState)
			w.begun[i] = ""
		}
		return
	}
	n.measure(u)
	members, err := n.members(10 * time.Second)
	if err != nil {
		u.unanswered++
		w.fault("%s does not say who is up: %v", n.name, err)
		return
	}
	if what := faults(members, len(w.ring.nodes)); what != "" {
		w.fault("%s says that %s", n.name, what)
	}
	up := make(map[string]bool)
	for _, m := range members {
		up[m.Name] = m.State == "up" || m.State == "suspect"
	}
	w.mu.Lock()
	for _, g := range w.guests {
		if w.looks++; !up[g.name] {
			w.missed[n.name+" "+g.name]++
		}
	}
	w.mu.Unlock()
	if s, err := n.started(10 * time.Second); err == nil && s != w.begun[i] {
		w.fault("%s started again: %s, was %s", n.name, s, w.begun[i])
		w.begun[i] = s
	}
}

var samples = regexp.MustCompile(`(?m)^(nanoring_engine_traps_total|nanoring_suspicions_total\{kind="durable"\}|go_goroutines|nanoring_engine_memory_bytes) (\S+)$`)

// waited is for how long threads of the node were to run and had no processor, in sum.
func (n *node) waited() time.Duration { return waitedOf(n.cmd.Process.Pid) }

func waitedOf(pid int) (sum time.Duration) {
	all, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	for _, path := range all {
		if b, err := os.ReadFile(path); err == nil {
			if f := strings.Fields(string(b)); len(f) > 1 {
				ns, _ := strconv.ParseInt(f[1], 10, 64)
				sum += time.Duration(ns)
			}
		}
	}
	return sum
}

// measure reads what the kernel and the node itself say.
func (n *node) measure(u *usage) {
	pid := n.cmd.Process.Pid
	if b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid)); err == nil {
		if _, rest, ok := strings.Cut(string(b), "VmRSS:"); ok {
			u.rss, _ = strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			u.peak = max(u.peak, u.rss)
		}
	}
	if b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid)); err == nil {
		f := bytes.Fields(b[bytes.LastIndexByte(b, ')')+1:])
		user, _ := strconv.Atoi(string(f[11]))
		system, _ := strconv.Atoi(string(f[12]))
		u.cpu = time.Duration(user+system) * 10 * time.Millisecond
	}
	u.waited = n.waited()
	u.worstMinute = n.worstMinute(false)
	var text string
	if n.get("/metrics", &text, 10*time.Second) != nil {
		return
	}
	for _, m := range samples.FindAllStringSubmatch(text, -1) {
		v, _ := strconv.ParseFloat(m[2], 64)
		switch name, _, _ := strings.Cut(m[1], "{"); name {
		case "nanoring_engine_traps_total":
			u.traps = v
		case "nanoring_suspicions_total":
			u.suspicions = v
		case "nanoring_engine_memory_bytes":
			u.module = v
		case "go_goroutines":
			u.goroutines = v
		}
	}
}

func (u *usage) used() time.Duration { return u.cpu - u.cpu0 }
