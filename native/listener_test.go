package native

import (
	"errors"
	"os"
	"strings"
	"testing"
)

// TestCannotListen: each says what to do.
func TestCannotListen(t *testing.T) {
	for err, says := range map[error]string{
		errInUse:    "stop the process that has it",
		errNotHere:  "choose one that it has",
		errNoFamily: "where there is no IPv6",
		errNoAccess: "ports below 1024",
	} {
		got := cannotListen("[::1]:7946", os.NewSyscallError("bind", err))
		if !strings.HasPrefix(got.Error(), "cannot listen on [::1]:7946: ") || !strings.Contains(got.Error(), says) || !errors.Is(got, err) {
			t.Errorf("%v: %v", err, got)
		}
	}
}
