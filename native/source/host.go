package source

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
)

// host is a HOST:PORT, all of whose addresses are meant.
type host struct {
	text     string
	name     string // "" if it is an IP address
	port     uint16
	resolver *net.Resolver
}

func parseHost(text string, o Options) (Source, error) {
	if u, err := url.Parse(text); err == nil && u.Host != "" {
		if u.Port() == "" {
			u.Host += ":" + strconv.Itoa(DefaultPort)
		}
		return nil, wrong(text, "a URL, and no HOST:PORT: is it %s?", u.Host)
	}
	if err := Check(text); err != nil {
		return nil, wrong(text, "%w. There are %s", err, Kinds)
	}
	name, p, _ := net.SplitHostPort(text)
	port, ok := portOf(p)
	if !ok {
		return nil, wrong(text, "a port is from 1 to 65535")
	}
	if _, err := netip.ParseAddr(name); err == nil {
		name = ""
	}
	return &host{text, name, port, o.Resolver}, nil
}

// Addresses implements Source. An IP address is returned without asking anybody.
func (h *host) Addresses(ctx context.Context) ([]string, error) {
	if h.name == "" {
		return []string{h.text}, nil
	}
	return lookUp(ctx, h.resolver, h.name, h.port)
}

func (h *host) String() string { return h.text }

// Close implements Source.
func (h *host) Close() error { return nil }

// lookUp returns all addresses of a name.
func lookUp(ctx context.Context, r *net.Resolver, name string, port uint16) ([]string, error) {
	ips, err := r.LookupNetIP(ctx, "ip", name)
	if err != nil {
		return nil, dnsError(name, err)
	}
	return cleaned(hosts(ips, port))
}

// dnsError says what a resolver found, in few words.
func dnsError(name string, err error) error {
	var dns *net.DNSError
	if errors.As(err, &dns) {
		switch {
		case dns.IsNotFound:
			return fmt.Errorf("no such host: %s", name)
		case dns.IsTimeout:
			return fmt.Errorf("no answer from DNS for %s", name)
		}
		return fmt.Errorf("DNS says of %s: %s", name, dns.Err)
	}
	return fmt.Errorf("DNS, asked for %s: %w", name, err)
}
