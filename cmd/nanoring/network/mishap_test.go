//go:build linux

package network

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// mishap is something that befalls some hosts of a soak.
type mishap struct {
	what  string
	begin func(s *soak, some, others []*host)
}

// mishaps are all that a soak draws from.
var mishaps = []mishap{
	{"cut off", func(s *soak, some, others []*host) { s.cut(some, others) }},
	{"not heard", func(s *soak, some, others []*host) { s.cutOneWay(some, others) }},
	{"each reaches but one", func(s *soak, some, others []*host) {
		for _, h := range some {
			s.cut([]*host{h}, s.but(h, others[0]))
		}
	}},
	{"no new connections to", func(s *soak, some, others []*host) { s.shut(others, some) }},
	{"new connections refused by", func(s *soak, some, others []*host) { s.refuse(others, some) }},
	{"connections forgotten of", func(s *soak, some, others []*host) { s.forgetBetween(some, others, "drop") }},
	{"connections reset of", func(s *soak, some, others []*host) { s.forgetBetween(some, others, "reject with tcp reset") }},
	{"far away", func(s *soak, some, others []*host) {
		delay := time.Duration(10+s.IntN(400)) * time.Millisecond
		s.ways.both(some, others, way{delay: delay, vary: delay / 4})
	}},
	{"on a bad line", func(s *soak, some, others []*host) {
		s.ways.both(some, others, way{delay: 5 * time.Millisecond, loss: 0.05 + 0.3*s.Float64()})
	}},
	{"on a narrow line", func(s *soak, some, others []*host) { s.ways.both(some, others, way{rate: 20000}) }},
	{"behind a hole for long packets", func(s *soak, some, others []*host) {
		s.ways.both(some, others, way{most: []int{600, 1000, 1280}[s.IntN(3)]})
	}},
	{"unplugged", func(s *soak, some, _ []*host) { s.each(some, s.unplug) }},
	{"stopped", func(s *soak, some, _ []*host) {
		s.each(some, func(h *host) { h.node.cmd.Process.Signal(syscall.SIGSTOP) })
	}},
	{"killed", func(s *soak, some, _ []*host) { s.each(some, s.kill) }},
	{"killed, and back at once", func(s *soak, some, _ []*host) {
		s.each(some, s.kill)
		s.each(some, s.back)
	}},
	{"killed again and again", func(s *soak, some, _ []*host) {
		for range 4 {
			s.kill(some[0])
			s.back(some[0])
		}
	}},
	{"without power", func(s *soak, some, _ []*host) {
		s.each(some, s.unplug)
		s.each(some, s.kill)
	}},
	{"all are killed", func(s *soak, _, _ []*host) { s.each(s.hosts, s.kill) }},
	{"disks full", func(s *soak, some, _ []*host) { s.each(some, s.fill) }},
	{"disks read-only", func(s *soak, some, _ []*host) { s.each(some, s.protect) }},
	{"the first leaves", func(s *soak, some, _ []*host) { s.leave(some[0]) }},
}

// end ends all that befell the hosts, in an order that is drawn.
func (s *soak) end() {
	ends := []func(){
		s.heal,
		func() { s.ways.clear(s.network) },
		func() { s.each(s.hosts, s.plug) },
		func() { s.each(s.hosts, s.mend) },
		func() {
			s.each(s.hosts, func(h *host) { h.node.cmd.Process.Signal(syscall.SIGCONT) })
		},
		func() { s.each(s.hosts, s.back) },
	}
	s.Shuffle(len(ends), func(i, j int) { ends[i], ends[j] = ends[j], ends[i] })
	for _, end := range ends {
		end()
	}
}

func (s *soak) each(hosts []*host, do func(*host)) {
	for _, h := range hosts {
		do(h)
	}
}

// back starts a host's node, if it does not run: where its disk is in order, as nodes
// start nowhere else. Who left has to be told whom to join.
func (s *soak) back(h *host) {
	select {
	case <-h.node.ended:
	default:
		return
	}
	if h.node.cmd.ProcessState.Exited() && !s.left[h] {
		s.t.Fatalf("%s ended by itself: %s\n%s", h.name, h.node.cmd.ProcessState, s.logOf(h))
	}
	s.mend(h)
	s.kill(h) // what it showed is over
	flags := s.engine(h)
	if s.left[h] {
		for _, o := range s.but(h) {
			flags = append(flags, "--join", o.listen())
		}
		flags = append(flags, "--rejoin")
	}
	s.left[h] = false
	s.start(h, flags...)
}

// leave asks a host's node to leave the ring, which it may do later, or not at all.
func (s *soak) leave(h *host) {
	s.left[h] = true
	ctx, cancel := context.WithTimeout(s.t.Context(), 15*time.Second)
	defer cancel()
	status, err := h.node.ask(ctx, http.MethodPost, "/v1/leave", nil, new(any))
	s.tell("%s is answered %d, %v", h.name, status, err)
}

// disk gives a host a disk of its own.
func (s *soak) disk(h *host) {
	if err := os.Mkdir(s.dataOf(h), 0o700); err != nil {
		s.t.Fatal(err)
	}
	if err := syscall.Mount("none", s.dataOf(h), "tmpfs", 0, "size=32m,mode=0700"); err != nil {
		s.t.Fatal(err)
	}
}

func (s *soak) filler(h *host) string { return filepath.Join(s.dataOf(h), "filler") }

// fill fills a host's disk, protect makes it one that cannot be written, mend puts
// it in order.
func (s *soak) fill(h *host) {
	f, err := os.Create(s.filler(h))
	if err != nil {
		return // it is read-only
	}
	defer f.Close()
	for b := make([]byte, 4096); err == nil; {
		_, err = f.Write(b)
	}
}

func (s *soak) protect(h *host) {
	// A file that is open for writing keeps it from being so.
	if err := syscall.Mount("none", s.dataOf(h), "", syscall.MS_REMOUNT|syscall.MS_RDONLY|syscall.MS_BIND, ""); err != nil {
		s.tell("the disk of %s stays as it is: %v", h.name, err)
	}
}

func (s *soak) mend(h *host) {
	if err := syscall.Mount("none", s.dataOf(h), "", syscall.MS_REMOUNT|syscall.MS_BIND, ""); err != nil {
		s.t.Fatal(err)
	}
	if err := os.Remove(s.filler(h)); err != nil && !os.IsNotExist(err) {
		s.t.Fatal(err)
	}
}
