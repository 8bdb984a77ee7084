//go:build linux

package network

import (
	"container/heap"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"time"
)

// packetSwitch is a device through which the router sends all packets between
// hosts. It does to them what the kernel does where it has netem: it gives each
// back when its time has come, or never.
type packetSwitch struct {
	tun *os.File

	mu    sync.Mutex
	rand  *rand.Rand
	ways  map[[2]string]*way // by the bytes of the addresses, from and to
	under parcels
	more  chan struct{} // the first parcel under way is another one
}

// way is what becomes of the packets from one host to another. The zero way
// passes all of them on at once.
type way struct {
	delay, vary time.Duration // each takes delay, more or less by up to vary; they keep their order
	loss        float64       // of them all, the part that is lost
	rate        int           // bytes a second that go through; beyond half a second's worth they are lost; 0: all
	most        int           // bytes of the longest that goes through, longer ones vanish without a word; 0: all

	free, last time.Time // when the line is free again; when the last packet comes
}

// parcel is a packet on its way.
type parcel struct {
	packet []byte
	at     time.Time
	number int // of those that come at once the first goes first
}

// throughSwitch has all packets between hosts go through a switch, of which each
// way is the zero way. The same seed loses the same packets of the same traffic.
func (n *network) throughSwitch(seed uint64) *packetSwitch {
	n.t.Helper()
	tun, err := openTun("switch")
	if err != nil {
		n.t.Fatal(err)
	}
	for _, key := range []string{"all", "switch"} {
		if err := os.WriteFile("/proc/sys/net/ipv4/conf/"+key+"/rp_filter", []byte("0"), 0); err != nil {
			n.t.Fatal(err)
		}
	}
	n.run(strings.Join([]string{
		"link set switch up mtu 1500 txqueuelen 5000",
		"route add default dev switch table 100",
		"rule add priority 10 iif switch lookup main", // what comes back
		"rule add priority 11 iif lo lookup main",     // what the router itself has to say
		"rule add priority 12 to 10.77.0.0/16 lookup 100",
	}, "\n"), "ip", "-batch", "-")
	s := &packetSwitch{tun: tun, rand: rand.New(rand.NewPCG(seed, 0)), ways: make(map[[2]string]*way), more: make(chan struct{}, 1)}
	go s.take()
	go s.give()
	return s
}

// set makes the way from each of some hosts to each of others another one, from
// now on. What is under way comes as it would have.
func (s *packetSwitch) set(from, to []*host, w way) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range from {
		for _, b := range to {
			w := w
			if was := s.ways[between(a, b)]; was != nil {
				w.last = was.last
			}
			s.ways[between(a, b)] = &w
		}
	}
}

// both sets the ways between some hosts and others, in both directions.
func (s *packetSwitch) both(a, b []*host, w way) {
	s.set(a, b, w)
	s.set(b, a, w)
}

// clear makes all ways zero ways.
func (s *packetSwitch) clear(n *network) { s.set(n.hosts, n.hosts, way{}) }

func between(from, to *host) [2]string {
	return [2]string{string(parse(from.addr)), string(parse(to.addr))}
}

// take reads packets as they come.
func (s *packetSwitch) take() {
	for b := make([]byte, 1<<16); ; {
		size, err := s.tun.Read(b)
		if err != nil {
			return
		}
		if size < 20 || b[0]>>4 != 4 {
			continue
		}
		if p := b[:size]; s.passes(p, time.Now()) {
			s.tun.Write(p)
		}
	}
}

// passes says whether a packet goes on at once. Else it goes later, or never.
func (s *packetSwitch) passes(p []byte, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.ways[[2]string{string(p[12:16]), string(p[16:20])}]
	if w == nil {
		return true
	}
	if w.most > 0 && len(p) > w.most || w.loss > 0 && s.rand.Float64() < w.loss {
		return false
	}
	at := now
	if w.rate > 0 {
		if w.free.Before(now) {
			w.free = now
		}
		if w.free.Sub(now) > time.Second/2 {
			return false
		}
		w.free = w.free.Add(time.Duration(len(p)) * time.Second / time.Duration(w.rate))
		at = w.free
	}
	at = at.Add(w.delay)
	if w.vary > 0 {
		at = at.Add(time.Duration(s.rand.Int64N(int64(2*w.vary))) - w.vary)
	}
	if at.Before(w.last) {
		at = w.last
	}
	if !at.After(now) {
		return true
	}
	w.last = at
	heap.Push(&s.under, parcel{append([]byte(nil), p...), at, s.under.count})
	s.under.count++
	if s.under.list[0].at.Equal(at) {
		select {
		case s.more <- struct{}{}:
		default:
		}
	}
	return false
}

// give gives packets back when their time has come.
func (s *packetSwitch) give() {
	timer := time.NewTimer(time.Hour)
	for {
		select {
		case <-timer.C:
		case <-s.more:
		}
		s.mu.Lock()
		for len(s.under.list) > 0 && !s.under.list[0].at.After(time.Now()) {
			p := heap.Pop(&s.under).(parcel)
			s.mu.Unlock()
			if _, err := s.tun.Write(p.packet); err != nil {
				return
			}
			s.mu.Lock()
		}
		if len(s.under.list) > 0 {
			timer.Reset(time.Until(s.under.list[0].at))
		}
		s.mu.Unlock()
	}
}

// parcels is a heap of them, whose first is due first.
type parcels struct {
	list  []parcel
	count int // ever
}

func (p *parcels) Len() int { return len(p.list) }
func (p *parcels) Less(i, j int) bool {
	a, b := p.list[i], p.list[j]
	return a.at.Before(b.at) || a.at.Equal(b.at) && a.number < b.number
}
func (p *parcels) Swap(i, j int) { p.list[i], p.list[j] = p.list[j], p.list[i] }
func (p *parcels) Push(x any)    { p.list = append(p.list, x.(parcel)) }
func (p *parcels) Pop() any {
	last := len(p.list) - 1
	x := p.list[last]
	p.list[last] = parcel{}
	p.list = p.list[:last]
	return x
}
