package source

import (
	"context"
	"net"
	"strings"
)

// records are the SRV records of a name, like _nanoring._tcp.example.org.
type records struct {
	text, name string
	resolver   *net.Resolver
}

// mostTargets is how many hosts of SRV records are looked up.
const mostTargets = 128

// Addresses implements Source: those of each record's host, the first records first.
func (s *records) Addresses(ctx context.Context) ([]string, error) {
	_, list, err := s.resolver.LookupSRV(ctx, "", "", s.name)
	if err != nil {
		return nil, dnsError(s.name, err)
	}
	var all []string
	for i, rec := range list {
		if i == mostTargets || ctx.Err() != nil {
			break
		}
		some, no := lookUp(ctx, s.resolver, strings.TrimSuffix(rec.Target, "."), rec.Port)
		if all = append(all, some...); no != nil {
			err = no
		}
	}
	good, no := cleaned(all)
	if no != nil {
		err = no
	}
	return good, err
}

func (s *records) String() string { return s.text }

// Close implements Source.
func (s *records) Close() error { return nil }
