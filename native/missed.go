package native

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"syscall"
	"time"

	"github.com/nanoring/nanoring/native/trust"
)

// unansweredWithin is said of an address where nobody has answered.
func unansweredWithin(within time.Duration) string {
	return fmt.Sprintf("no answer within %s: a wrong address, or a firewall", within)
}

// whyMissed says in a few words why nobody could be dialled.
func whyMissed(err error, resp *http.Response, within time.Duration) string {
	var dns *net.DNSError
	switch no := trust.HandshakeError(err); {
	case IsRefused(err):
		return "connection refused: nothing listens there"
	case errors.Is(err, errNoHost), errors.Is(err, errNoNet):
		return "no route to host: a wrong address, or this host's network does not lead there"
	case errors.Is(err, errNotHere), errors.Is(err, errNoFamily):
		return "this host has no address to dial it from, as for an IPv6 one where there is no IPv6: give one that it can reach"
	case errors.Is(err, errNoAccess), errors.Is(err, syscall.EPERM):
		return "it may not be dialled: a firewall, or a route, of this host forbids it"
	case errors.As(err, &dns) && dns.IsNotFound:
		return "no such host"
	case resp != nil && resp.StatusCode == http.StatusServiceUnavailable:
		return "it is busy"
	case resp != nil && (resp.StatusCode == http.StatusUnauthorized || resp.StatusCode == http.StatusForbidden):
		return "it wants the ring's secret: start this node with it, too (--secret-file)"
	case no != nil:
		return no.Error()
	case resp != nil && resp.StatusCode != http.StatusSwitchingProtocols:
		return fmt.Sprintf("no node is there: it answers HTTP status %d", resp.StatusCode)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return unansweredWithin(within)
	}
	for next := errors.Unwrap(err); next != nil; next = errors.Unwrap(err) {
		err = next
	}
	return truncate(fmt.Sprintf("no node answers: %v", err), maxSaid) // it may quote what is there
}
