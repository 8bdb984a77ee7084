package native

import (
	"net"
	"os"
	"strings"
	"testing"
	"time"
)

// TestWhyMissed: what a dial says without a node's help is said with what to do.
func TestWhyMissed(t *testing.T) {
	for errno, want := range map[error]string{
		errRefused:  "nothing listens there",
		errNotHere:  "where there is no IPv6",
		errNoFamily: "where there is no IPv6",
		errNoHost:   "a wrong address",
		errNoNet:    "a wrong address",
		errNoAccess: "a firewall",
	} {
		err := &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", errno)}
		if got := whyMissed(err, nil, time.Second); !strings.Contains(got, want) || strings.Contains(got, "no node answers") {
			t.Errorf("%v is said as %q", errno, got)
		}
	}
}
