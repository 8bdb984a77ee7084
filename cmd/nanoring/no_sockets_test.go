package main

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"testing"

	"github.com/nanoring/nanoring/native"
)

// TestNoSocketsHint: where a data folder is no way to a node, another is told, and not that it is to be started.
func TestNoSocketsHint(t *testing.T) {
	c := &client{where: "data", data: t.TempDir()}
	err := c.noNode(&url.Error{Op: "Get", URL: "http://node/", Err: fmt.Errorf("%w: %w", native.ErrNoSockets, &net.OpError{Op: "dial", Net: "unix", Err: errors.New("no such family")})})
	var no *failure
	if !errors.As(err, &no) || no.status != exitNoNode || !strings.Contains(no.hint, "--api http://HOST:PORT") || !strings.Contains(err.Error(), "no Unix sockets") {
		t.Errorf("%v: %+v", err, no)
	}
}
