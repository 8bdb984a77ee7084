//go:build linux

package network

import (
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// clusterDNS answers as a cluster's DNS does: for a headless service with all addresses of
// its pods, for a pod below it with its own. Caches are as bad as they may be: what was true
// is what everybody hears for as long again.
type clusterDNS struct {
	domain string // what is below it is known
	keeps  time.Duration

	mu    sync.Mutex
	names map[string]*addresses
}

// addresses are those of a name, and those that it had, which are said until they are old.
type addresses struct {
	are, were []string
	until     time.Time
}

// serveDNS has it answer at an address of this process's network.
func serveDNS(t *testing.T, at, domain string, keeps time.Duration) *clusterDNS {
	t.Helper()
	d := &clusterDNS{domain: domain, keeps: keeps, names: make(map[string]*addresses)}
	p, err := net.ListenPacket("udp", net.JoinHostPort(at, "53"))
	if err != nil {
		t.Fatal(err)
	}
	s := &dns.Server{PacketConn: p, Handler: d}
	go s.ActivateAndServe()
	t.Cleanup(func() { p.Close() })
	return d
}

// set says which addresses a name has from now on; none: it is no name any more.
func (d *clusterDNS) set(name string, addrs []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	a := d.names[name+"."+d.domain]
	switch {
	case a == nil:
		d.names[name+"."+d.domain] = &addresses{are: addrs}
	case !slices.Equal(a.are, addrs):
		if now := time.Now(); now.After(a.until) && len(a.are) > 0 {
			a.were, a.until = a.are, now.Add(d.keeps)
		}
		a.are = addrs
	}
}

// late says for how long it says what was from now on.
func (d *clusterDNS) late(keeps time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.keeps = keeps
}

// look returns the addresses of a name, as they are said.
func (d *clusterDNS) look(name string) []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	a := d.names[name]
	switch {
	case a == nil:
		return nil
	case time.Now().Before(a.until):
		return a.were
	}
	return a.are
}

// now returns what a name has, which is not yet what is said of it: a Service with an address of its own
// goes by that.
func (d *clusterDNS) now(name string) []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	if a := d.names[name]; a != nil {
		return slices.Clone(a.are)
	}
	return nil
}

// ServeDNS implements dns.Handler. There is no IPv6.
func (d *clusterDNS) ServeDNS(w dns.ResponseWriter, q *dns.Msg) {
	m := new(dns.Msg)
	m.SetReply(q)
	name := q.Question[0].Name
	addrs := d.look(strings.ToLower(strings.TrimSuffix(name, ".")))
	if len(addrs) == 0 {
		m.Rcode = dns.RcodeNameError
	} else if q.Question[0].Qtype == dns.TypeA {
		for _, addr := range addrs {
			m.Answer = append(m.Answer, &dns.A{
				Hdr: dns.RR_Header{Name: name, Rrtype: dns.TypeA, Class: dns.ClassINET}, A: net.ParseIP(addr),
			})
		}
	}
	w.WriteMsg(m)
}
