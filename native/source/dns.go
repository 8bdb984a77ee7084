package source

import (
	"net"

	"github.com/nanoring/nanoring/core/wire"
)

// parseDNS makes a source of dns:NAME[:PORT]: a host that may do without its port.
func parseDNS(text, rest string, o Options) (Source, error) {
	name, port := rest, uint16(DefaultPort)
	if n, p, err := net.SplitHostPort(rest); err == nil {
		var ok bool
		if port, ok = portOf(p); !ok {
			return nil, wrong(text, "a port is from 1 to 65535")
		}
		name = n
	}
	if wire.ValidAddress(name+":1") != nil {
		return nil, wrong(text, "no name of a host: dns:NAME[:PORT]")
	}
	return &host{text, name, port, o.Resolver}, nil
}
