package native

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/nanoring/nanoring/native/source"
)

// place makes HOST:PORT of what may have a network interface's name, or a network like
// 10.0.0.0/8, as HOST: the address that this host has there, IPv4 before IPv6. It returns
// text as it is, if it has neither. Without a port it gets that one, and so does an IP address.
func place(text, port string) (string, error) {
	host, p, err := net.SplitHostPort(text)
	if err != nil {
		host, p = strings.Trim(text, "[]"), port
		if _, err := netip.ParseAddr(host); err == nil && p != "" {
			return net.JoinHostPort(host, p), nil
		}
	}
	pick, what := picker(host)
	if pick == nil {
		return text, nil
	}
	if p == "" {
		return "", fmt.Errorf("%s: without a port: write %s:PORT", text, host)
	}
	have, err := hostAddresses()
	if err != nil {
		return "", err
	}
	var names []string
	for _, a := range have {
		if pick(a) {
			return net.JoinHostPort(a.ip.String(), p), nil
		}
		names = append(names, a.ip.String()+" ("+a.iface+")")
	}
	return "", fmt.Errorf("this host has no address %s that others could dial: it has %s", what, strings.Join(names, ", "))
}

// own is an address of this host.
type own struct {
	iface string
	ip    netip.Addr
}

func picker(host string) (pick func(own) bool, what string) {
	if net, err := netip.ParsePrefix(host); err == nil {
		return func(o own) bool { return net.Contains(o.ip) }, "in " + host
	}
	if _, err := net.InterfaceByName(host); err == nil {
		return func(o own) bool { return o.iface == host }, "on the interface " + host
	}
	return nil, ""
}

// hostAddresses returns the addresses of this host, IPv4 first. Link-local ones of IPv6 are not among them.
func hostAddresses() (all []own, err error) {
	ifaces, err := net.Interfaces()
	if err != nil {
		return nil, fmt.Errorf("the network interfaces cannot be listed: %w", err)
	}
	for _, i := range ifaces {
		addrs, err := i.Addrs()
		if err != nil {
			continue
		}
		for _, a := range addrs {
			if p, err := netip.ParsePrefix(a.String()); err == nil && !(p.Addr().Is6() && p.Addr().IsLinkLocalUnicast()) {
				all = append(all, own{i.Name, p.Addr()})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b own) int { return a.ip.BitLen() - b.ip.BitLen() })
	return all, nil
}

// checkAdvertised says why an address cannot be told to others.
func checkAdvertised(addr string) error {
	// Before the other, which would ask for the zone.
	if ip, err := netip.ParseAddr(hostname(addr)); err == nil && ip.Is6() && ip.IsLinkLocalUnicast() && !ip.Is4In6() {
		return errors.New(addr + " is a link-local address: it is one only with a zone, which each host names as it likes; give another address of this host")
	}
	return source.Check(addr)
}

// checkJoin refuses sources that are none.
func (c *Config) checkJoin() error {
	for _, text := range c.Join {
		s, err := source.Parse(text, source.Options{Interface: c.Interface})
		if err != nil {
			return wrong("Join", err)
		}
		s.Close()
	}
	if c.ReadyAlone < 0 {
		return wrong("ReadyAlone", errors.New("it is negative"))
	}
	return nil
}

// findPlaces puts an address of this host in the place of an interface, or a network.
func (c *Config) findPlaces() (err error) {
	if c.Listen, err = place(c.Listen, ""); err != nil {
		return wrong("Listen", err)
	}
	_, port, _ := net.SplitHostPort(c.Listen)
	text := c.Advertise
	if text == "" {
		return nil
	}
	if c.Advertise, err = place(text, port); err != nil {
		return wrong("Advertise", err)
	}
	told := c.Advertise
	if told != text {
		told = withPort(told, 1) // the listener's is not known yet
	}
	if err := checkAdvertised(told); err != nil {
		return wrong("Advertise", fmt.Errorf("it is the HOST:PORT where others reach this node: %w", err))
	}
	return nil
}

// withPort gives an address without one, that is with the port 0, a port.
func withPort(addr string, port int) string {
	if host, p, err := net.SplitHostPort(addr); err == nil && p == "0" {
		return net.JoinHostPort(host, strconv.Itoa(port))
	}
	return addr
}
