package source

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// fakeDNS is a resolver that asks a server on loopback, which has these records; what begins
// with "slow." is never answered.
func fakeDNS(t *testing.T, zone string) *net.Resolver {
	t.Helper()
	var all []dns.RR
	for line := range strings.Lines(zone) {
		rr, err := dns.NewRR(strings.TrimSpace(line))
		if err != nil {
			t.Fatal(err)
		}
		if rr != nil {
			all = append(all, rr)
		}
	}
	answer := func(w dns.ResponseWriter, q *dns.Msg) {
		m := new(dns.Msg)
		m.SetReply(q)
		if strings.HasPrefix(q.Question[0].Name, "slow.") {
			return
		}
		known := false
		for _, rr := range all {
			if rr.Header().Name == q.Question[0].Name {
				known = true
				if rr.Header().Rrtype == q.Question[0].Qtype {
					m.Answer = append(m.Answer, rr)
				}
			}
		}
		if !known {
			m.Rcode = dns.RcodeNameError
		}
		if _, udp := w.RemoteAddr().(*net.UDPAddr); udp {
			m.Truncate(dns.MinMsgSize)
		}
		w.WriteMsg(m)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p, err := net.ListenPacket("udp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []*dns.Server{{Listener: l}, {PacketConn: p}} {
		s.Handler = dns.HandlerFunc(answer)
		up := make(chan struct{})
		s.NotifyStartedFunc = func() { close(up) }
		go s.ActivateAndServe()
		<-up
		t.Cleanup(func() { s.Shutdown() })
	}
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, l.Addr().String())
	}}
}

func many(from, to int) (list []string) {
	for i := from; i <= to; i++ {
		list = append(list, fmt.Sprintf("h:%d", i))
	}
	return list
}

func TestDNS(t *testing.T) {
	var zone strings.Builder
	zone.WriteString(`both.test. IN A 10.0.0.1
both.test. IN A 10.0.0.2
both.test. IN AAAA fd00::1
junk.test. IN A 0.0.0.0
junk.test. IN A 224.0.0.1
junk.test. IN AAAA fe80::1
junk.test. IN A 10.0.0.3
srv.test. IN SRV 1 0 7001 both.test.
srv.test. IN SRV 2 0 7002 gone.test.
srv.test. IN SRV 3 0 7003 junk.test.
`)
	for i := range 1500 {
		fmt.Fprintf(&zone, "large.test. IN A 10.1.%d.%d\n", i/250, i%250+1)
	}
	o := Options{Resolver: fakeDNS(t, zone.String())}
	for text, test := range map[string]struct {
		want []string
		why  string
	}{
		"both.test:80":      {[]string{"10.0.0.1:80", "10.0.0.2:80", "[fd00::1]:80"}, ""},
		"dns:both.test":     {[]string{"10.0.0.1:7946", "10.0.0.2:7946", "[fd00::1]:7946"}, ""},
		"dns:both.test:9":   {[]string{"10.0.0.1:9", "10.0.0.2:9", "[fd00::1]:9"}, ""},
		"dns:junk.test":     {[]string{"10.0.0.3:7946"}, ""},
		"dns:gone.test":     {nil, "no such host: gone.test"},
		"gone.test:80":      {nil, "no such host: gone.test"},
		"srv:srv.test":      {[]string{"10.0.0.1:7001", "10.0.0.2:7001", "10.0.0.3:7003", "[fd00::1]:7001"}, "no such host: gone.test"},
		"srv:srv.gone.test": {nil, "no such host"},
	} {
		got, err := ask(t, text, o)
		slices.Sort(got) // which comes first is the resolver's
		expect(t, text, got, err, test.want, test.why)
	}
	if got, err := ask(t, "dns:large.test", o); len(got) != Most || err == nil {
		t.Errorf("%d addresses: %v", len(got), err)
	}
	s, err := Parse("dns:slow.test", o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	got, err := s.Addresses(ctx)
	expect(t, "it is slow", got, err, nil, "no answer from DNS")
}
