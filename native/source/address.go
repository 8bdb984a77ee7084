package source

import (
	"fmt"
	"net"
	"net/netip"

	"github.com/nanoring/nanoring/core/wire"
)

// Check says why nobody can be dialled at addr, a HOST:PORT; nil if somebody may be.
func Check(addr string) error {
	if err := wire.ValidAddress(addr); err != nil {
		return err
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return err
	}
	ip, err := netip.ParseAddr(host)
	switch {
	case err != nil: // a name
		return nil
	case ip.Is4In6():
		return fmt.Errorf("%s: an IPv4 address in an IPv6 one: write %s", addr, net.JoinHostPort(ip.Unmap().String(), port))
	case ip.IsUnspecified():
		return fmt.Errorf("%s: no address of anybody", addr)
	case ip.IsMulticast():
		return fmt.Errorf("%s: a multicast address, which is nobody's", addr)
	case ip.Is6() && ip.IsLinkLocalUnicast() && ip.Zone() == "":
		return fmt.Errorf("%s: a link-local address without its zone: write [%s%%INTERFACE]:%s", addr, ip, port)
	}
	return nil
}
