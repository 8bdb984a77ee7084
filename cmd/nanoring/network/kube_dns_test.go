//go:build linux

package network

import (
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// clusterDNS answers as a cluster's DNS does: for a headless service with all addresses of
// its pods, for a pod below it with its own. What it said once it says until that is old.
type clusterDNS struct {
	domain string // what is below it is known
	keeps  time.Duration

	mu     sync.Mutex
	addrs  map[string][]string // by name
	cached map[string]answered
	asked  int
}

type answered struct {
	addrs []string
	known bool
	until time.Time
}

// serveDNS has it answer at an address of this process's network.
func serveDNS(t *testing.T, at, domain string, keeps time.Duration) *clusterDNS {
	t.Helper()
	d := &clusterDNS{domain: domain, keeps: keeps, addrs: make(map[string][]string), cached: make(map[string]answered)}
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
	d.addrs[name+"."+d.domain] = addrs
}

// ServeDNS implements dns.Handler. There is no IPv6.
func (d *clusterDNS) ServeDNS(w dns.ResponseWriter, q *dns.Msg) {
	m := new(dns.Msg)
	m.SetReply(q)
	name := q.Question[0].Name
	a := d.look(strings.ToLower(strings.TrimSuffix(name, ".")))
	if !a.known {
		m.Rcode = dns.RcodeNameError
	} else if q.Question[0].Qtype == dns.TypeA {
		for _, addr := range a.addrs {
			m.Answer = append(m.Answer, &dns.A{
				Hdr: dns.RR_Header{Name: name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: uint32(d.keeps.Seconds())}, A: net.ParseIP(addr),
			})
		}
	}
	w.WriteMsg(m)
}

func (d *clusterDNS) look(name string) answered {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked++
	a, ok := d.cached[name]
	if !ok || time.Now().After(a.until) {
		addrs := d.addrs[name]
		a = answered{addrs, len(addrs) > 0, time.Now().Add(d.keeps)}
		d.cached[name] = a
	}
	return a
}
