//go:build linux

package network

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

var (
	soakFor    = flag.Duration("network.soak", 0, "how long TestSoak lasts; 0 for one round, whose faults are brief")
	soakSeed   = flag.Uint64("network.seed", 1, "what TestSoak draws from; how fast the machine is has a say, too")
	soakSecret = flag.Bool("network.secret", false, "TestSoak's ring has a secret")
	soakWasm   = flag.Bool("network.wasm", false, "all nodes of TestSoak run the module; else every third does")
)

// soak is a ring to which all that is in mishaps happens at random, while nodes are
// added and deleted everywhere. After each round it has to be right, and as it was.
type soak struct {
	*network
	*rand.Rand
	ways    *packetSwitch
	history history
	before  []usage // of each host's process, and
	quiet   int     // bytes that went between hosts in some seconds before anything happened
	left    map[*host]bool
	round   int
	story   []string
}

// TestSoak: whatever happens, and however much at once, when it is over all is well.
func TestSoak(t *testing.T) {
	if !enter(t) {
		return
	}
	s := &soak{network: newNetwork(t, 6), Rand: rand.New(rand.NewPCG(*soakSeed, 0x736f616b)), left: make(map[*host]bool)}
	defer func() {
		if t.Failed() {
			t.Logf("what happened:\n%s\nit is drawn from the same seed by\n\n    make soak %s", strings.Join(s.story, "\n"), s.again())
		}
	}()
	s.ways = s.throughSwitch(*soakSeed)
	if *soakSecret {
		s.keygen()
	}
	for i, h := range s.hosts {
		s.disk(h)
		s.start(h, append(s.joins(i), s.engine(h)...)...)
	}
	s.until("all show all up", s.wrong)
	s.calm()
	s.quiet = s.traffic()
	for _, h := range s.hosts {
		s.before = append(s.before, s.usage(h))
	}
	for began := time.Now(); ; {
		s.round++
		s.live()
		s.well()
		if time.Since(began) >= *soakFor || t.Failed() {
			break
		}
	}
}

// again is how make is told to draw the same.
func (s *soak) again() string {
	words := fmt.Sprintf("SEED=%d MINUTES=%d", *soakSeed, max(1, int(soakFor.Minutes())))
	if *soakSecret {
		words += " SECRET=1"
	}
	if *soakWasm {
		words += " ENGINE=wasm"
	}
	return words
}

func (s *soak) engine(h *host) []string {
	if i := slices.Index(s.hosts, h); *soakWasm || i%3 == 2 {
		return []string{"--engine", "wasm"}
	}
	return nil
}

// tell writes the story.
func (s *soak) tell(format string, args ...any) {
	line := fmt.Sprintf("%6.2f s, round %d: ", time.Since(s.since).Seconds(), s.round) + fmt.Sprintf(format, args...)
	s.story = append(s.story, line)
	s.t.Log(line)
}

// live has some mishaps befall the ring at once, and ends them.
func (s *soak) live() {
	lasts, count := 4*time.Second, 2
	if *soakFor > 0 {
		lasts, count = time.Duration(2+s.IntN(40))*time.Second, 1+s.IntN(4)
	}
	ctx, cancel := context.WithCancel(s.t.Context())
	var asking sync.WaitGroup
	for _, h := range s.hosts {
		r := rand.New(rand.NewPCG(s.Uint64(), 0))
		asking.Go(func() { s.ask(ctx, h, r) })
	}
	for range count {
		m := mishaps[s.IntN(len(mishaps))]
		some := s.some()
		s.tell("%s: %s", m.what, names(some))
		m.begin(s, some, s.but(some...))
		s.wait(time.Duration(s.Int64N(int64(lasts)/int64(count)) + 1))
	}
	s.tell("it ends")
	s.end()
	cancel()
	asking.Wait()
}

// wait lets what happens last.
func (s *soak) wait(d time.Duration) {
	select {
	case <-time.After(d):
	case <-s.t.Context().Done():
	}
}

// some draws one to all but one of the hosts.
func (s *soak) some() []*host {
	some := slices.Clone(s.hosts)
	s.Shuffle(len(some), func(i, j int) { some[i], some[j] = some[j], some[i] })
	return some[:1+s.IntN(len(some)-1)]
}

// ask asks a host's node for adds and dels of names that others add and delete, too.
func (s *soak) ask(ctx context.Context, h *host, r *rand.Rand) {
	p := &process{client: clientOf(s.dataOf(h))} // whatever runs there
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Duration(r.Int64N(int64(3 * time.Second)))):
		}
		name := fmt.Sprintf("r%d-%d", s.round, r.IntN(4))
		method, path, body := http.MethodPost, "/v1/nodes", any(map[string]string{"name": name, "address": "127.0.0.1:1"})
		if r.IntN(2) == 0 {
			method, path, body = http.MethodDelete, "/v1/nodes/"+name, nil
		}
		d := s.history.ask(h.name, name, method == http.MethodPost)
		status, err := p.do(method, path, body, new(any))
		switch {
		case err != nil || status >= 500: // it may be done, or be lost with the disk
		case status >= 300:
			s.history.end(d, refused)
		default:
			s.history.end(d, done)
		}
	}
}

// well waits until all is as it should be after whatever happened, and holds that it is.
func (s *soak) well() {
	s.until("all show all up", func() string {
		s.each(s.hosts, s.back) // whose leave took until now
		return s.wrong()
	})
	right := time.Now()
	s.until("all have what the history allows, and the same", func() string {
		var first []string
		for i, h := range s.hosts {
			members := s.members(h)
			slices.Sort(members)
			for _, m := range members {
				if !has(s.hosts, m) && !slices.Contains(s.history.names(), m) {
					return h.name + " has " + m + ", which nobody ever added"
				}
			}
			if i == 0 {
				first = members
			}
			if why := s.history.wrong(members); why != "" {
				return h.name + ": " + why
			}
			if !slices.Equal(first, members) {
				return fmt.Sprintf("%s has %v, %s %v", s.hosts[0].name, first, h.name, members)
			}
		}
		return ""
	})
	s.calm()
	for _, h := range s.hosts {
		s.sound(h)
	}
	s.until("no more is sent than at first", func() string {
		if now := s.traffic(); now > 2*s.quiet {
			return fmt.Sprintf("%d bytes, and at first it was %d", now, s.quiet)
		}
		return ""
	})
	lines := s.lines()
	s.traffic()
	if more := s.lines() - lines; more > len(s.hosts) {
		s.t.Errorf("%d lines were logged while nothing happened", more)
	}
	s.innocent(right, s.hosts, s.hosts)
	s.tidy()
	var all []string
	for i, h := range s.hosts {
		u := s.usage(h)
		all = append(all, u.String())
		if most := s.before[i].times(2); u.files > most.files+32 || u.memory > most.memory+32<<20 {
			s.t.Errorf("%s uses %s; at first it used %s", h.name, u, s.before[i])
		}
	}
	if s.t.Failed() {
		return
	}
	s.tell("all is well: %d were asked for, the nodes use %s", len(s.history.deeds), strings.Join(all, ", "))
}

// tidy deletes what was added, so that the next round begins with the same ring.
func (s *soak) tidy() {
	var gone []string
	for _, name := range s.members(s.hosts[0]) {
		if strings.HasPrefix(name, "r") {
			d := s.history.ask(s.hosts[0].name, name, false)
			s.del(s.hosts[0], name)
			s.history.end(d, done)
			gone = append(gone, name)
		}
	}
	s.unknown(gone...)
}

// sound holds that a node still runs, and that its log knows of no error.
func (s *soak) sound(h *host) {
	select {
	case <-h.node.ended:
		s.t.Errorf("%s ended: %s\n%s", h.name, h.node.cmd.ProcessState, s.logOf(h))
	default:
	}
	for line := range strings.Lines(s.logOf(h)) {
		if strings.Contains(line, "no space left on device") || strings.Contains(line, "read-only file system") {
			continue // that befell it
		}
		if strings.Contains(line, "level=ERROR") || strings.Contains(line, "panic") || strings.Contains(line, "fatal error") {
			s.t.Errorf("%s logged: %s", h.name, line)
		}
	}
}
