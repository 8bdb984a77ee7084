// Package source finds addresses at which nodes of a ring may be: given ones, those of a
// name in DNS, what a file or a program says, who announces itself on the local network.
// It knows nothing of a node, and bounds whatever it asks.
package source

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// Most is how many addresses a source may give; what is beyond is cut off.
const Most = 1024

// DefaultPort is the port of an address that has none, where one may lack it.
const DefaultPort = 7946

// A Source is asked again and again, by one goroutine at a time.
type Source interface {
	// Addresses returns HOST:PORTs, each once, in order. An error says what is wrong
	// with the source now: beside it there may be addresses all the same.
	Addresses(ctx context.Context) ([]string, error)
	// String returns the text that the source was made of.
	String() string
	// Close ends what a source does beside being asked.
	Close() error
}

// Options are what some kinds need. The zero value does for all but mdns.
type Options struct {
	Resolver  *net.Resolver // nil: the system's
	Interface string        // of mdns: the network interface; "": the system's choice
	Ring      string        // of mdns: which ring's nodes
	Name      string        // of mdns: the node that is announced,
	Address   string        // and its HOST:PORT; "": none is announced
}

// Kinds are what Parse takes, for people.
const Kinds = "HOST:PORT, dns:NAME[:PORT], srv:NAME, file:PATH, mdns:, exec:COMMAND"

// Parse makes a Source of a text of one of the Kinds. It asks nobody yet.
func Parse(text string, o Options) (Source, error) {
	if o.Resolver == nil {
		o.Resolver = net.DefaultResolver
	}
	kind, rest, _ := strings.Cut(text, ":")
	switch kind {
	case "dns":
		return parseDNS(text, rest, o)
	case "srv":
		if rest == "" {
			return nil, wrong(text, "no name: srv:NAME, like srv:_nanoring._tcp.example.org")
		}
		return &records{text, rest, o.Resolver}, nil
	case "file":
		if rest == "" {
			return nil, wrong(text, "no path: file:PATH")
		}
		return &file{text: text, path: rest, read: readFile}, nil
	case "exec":
		if strings.TrimSpace(rest) == "" {
			return nil, wrong(text, "no command: exec:COMMAND")
		}
		return &program{text, rest}, nil
	case "mdns":
		if rest != "" {
			return nil, wrong(text, "nothing stands behind mdns: the interface is an option of its own")
		}
		return newLocal(text, o)
	}
	return parseHost(text, o)
}

func wrong(text, format string, args ...any) error {
	return fmt.Errorf("%.100q: "+format, append([]any{text}, args...)...)
}

// cleaned returns the addresses of a list that are some, each once. What is none is named
// in the error; so is what no node can have.
func cleaned(list []string) (good []string, err error) {
	var bad []string
	seen := make(map[string]bool)
	for _, addr := range list {
		if len(good) == Most {
			return good, fmt.Errorf("more than %d addresses: the others are left out", Most)
		}
		if why := Check(addr); why != nil {
			bad = append(bad, why.Error())
		} else if !seen[addr] {
			seen[addr] = true
			good = append(good, addr)
		}
	}
	if len(bad) > 0 {
		more := ""
		if len(bad) > 1 {
			more = fmt.Sprintf(", and %d more like it", len(bad)-1)
		}
		err = errors.New(bad[0] + more)
	}
	return good, err
}

// hosts makes HOST:PORTs of IP addresses that can be dialled. Of a link-local one only who is on
// its link knows the zone, without which it is none.
func hosts(ips []netip.Addr, port uint16) (list []string) {
	for _, ip := range ips {
		ip = ip.Unmap()
		if !ip.IsUnspecified() && !ip.IsMulticast() && (!ip.Is6() || !ip.IsLinkLocalUnicast() || ip.Zone() != "") {
			list = append(list, netip.AddrPortFrom(ip, port).String())
		}
	}
	return list
}

func portOf(text string) (uint16, bool) {
	port, err := strconv.ParseUint(text, 10, 16)
	return uint16(port), err == nil && port != 0
}
