package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"github.com/hashicorp/mdns"
)

const service = "_nanoring._tcp"

// local asks the local network, by multicast DNS, who is of a ring, and announces this node
// from when it is first asked.
type local struct {
	text  string
	ring  string
	iface *net.Interface
	zone  *mdns.MDNSService // nil: nobody is announced
	query func(context.Context, *mdns.QueryParam) error

	mu     sync.Mutex
	server *mdns.Server
	closed bool
}

func newLocal(text string, o Options) (Source, error) {
	l := &local{text: text, ring: o.Ring, query: mdns.QueryContext}
	var err error
	if o.Interface != "" {
		if l.iface, err = net.InterfaceByName(o.Interface); err != nil {
			return nil, wrong(text, "there is no network interface %q here: %w", o.Interface, err)
		}
	}
	if o.Address == "" {
		return l, nil
	}
	addr, err := netip.ParseAddrPort(o.Address)
	if err != nil {
		return l, nil // others know it by a name, which is found by DNS
	}
	if addr.Addr().IsLoopback() {
		return nil, wrong(text, "this node is at %s, where nobody else on the network reaches it: have it listen elsewhere", addr)
	}
	l.zone, err = mdns.NewMDNSService(instanceOf(o.Name), service, "", "nanoring-"+strconv.FormatUint(uint64(addr.Port()), 10)+"-"+dashed(addr.Addr())+".local.",
		int(addr.Port()), []net.IP{addr.Addr().AsSlice()}, []string{"ring=" + o.Ring})
	if err != nil {
		return nil, wrong(text, "%w", err)
	}
	return l, nil
}

// instanceOf makes a label of a name, which may be longer, and have dots.
func instanceOf(name string) string {
	b := []byte(name[:min(len(name), 60)])
	for i, c := range b {
		if (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') {
			b[i] = '-'
		}
	}
	return string(b)
}

func dashed(ip netip.Addr) string { return instanceOf(ip.WithZone("").String()) }

// Addresses implements Source.
func (l *local) Addresses(ctx context.Context) ([]string, error) {
	announced := l.announce()
	timeout := time.Second
	if deadline, ok := ctx.Deadline(); ok {
		timeout = min(timeout, time.Until(deadline))
	}
	// Each for itself: an interface may have but one of the two, and the query is over at the first that fails.
	families := [2]mdns.QueryParam{{DisableIPv6: true}, {DisableIPv4: true}}
	var found [2]chan *mdns.ServiceEntry
	var errs [2]error
	var wait sync.WaitGroup
	for i := range families {
		p := &families[i]
		p.Service, p.Domain, p.Timeout, p.Interface = service, "local", timeout, l.iface
		found[i] = make(chan *mdns.ServiceEntry, Most)
		p.Entries, p.Logger = found[i], log.New(io.Discard, "", 0)
		wait.Go(func() {
			errs[i] = l.query(ctx, p)
			close(found[i])
		})
	}
	wait.Wait()
	var all []string
	for _, entries := range found {
		for e := range entries {
			if ofRing(e, l.ring) {
				all = append(all, placesOf(e)...)
			}
		}
	}
	good, no := cleaned(all)
	if errs[0] == nil || errs[1] == nil {
		errs = [2]error{}
	}
	return good, errors.Join(announced, errs[0], errs[1], no)
}

func ofRing(e *mdns.ServiceEntry, ring string) bool {
	for _, field := range e.InfoFields {
		if field == "ring="+ring {
			return true
		}
	}
	return false
}

func placesOf(e *mdns.ServiceEntry) []string {
	if e.Port <= 0 || e.Port > 65535 {
		return nil
	}
	var ips []netip.Addr
	if ip, ok := netip.AddrFromSlice(e.AddrV4); ok {
		ips = append(ips, ip)
	}
	if e.AddrV6IPAddr != nil {
		if ip, ok := netip.AddrFromSlice(e.AddrV6IPAddr.IP); ok {
			ips = append(ips, ip.WithZone(e.AddrV6IPAddr.Zone))
		}
	}
	return hosts(ips, uint16(e.Port))
}

// announce has others find this node. What fails is tried again when the source is asked again.
func (l *local) announce() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.zone == nil || l.server != nil || l.closed {
		return nil
	}
	server, err := mdns.NewServer(&mdns.Config{Zone: l.zone, Iface: l.iface, Logger: log.New(io.Discard, "", 0)})
	if err != nil {
		return fmt.Errorf("this node is not announced: %w", err)
	}
	l.server = server
	return nil
}

func (l *local) String() string { return l.text }

// Close implements Source: the node is announced no more.
func (l *local) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	if l.server == nil {
		return nil
	}
	return l.server.Shutdown()
}
