package native

import (
	"io"
	"net"
	"testing"
	"time"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/native/trust"
)

// TestHandshakeThatDoesNotCome: a process that is stopped takes connections and says
// nothing, for as long as it is stopped. Who dials it gives that up, and the socket.
func TestHandshakeThatDoesNotCome(t *testing.T) {
	stopped, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer stopped.Close()
	f, log := dialing(stopped.Addr().String()), new(logged)
	cfg := config(t, "dev1")
	cfg.Engine, cfg.SecretFile, cfg.Log = f.engine, secretFile(t, trust.NewSecret()), log.logger()
	start(t, cfg)
	conn, err := stopped.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	f.next(t, core.Closed)
	conn.SetReadDeadline(time.Now().Add(patience))
	if _, err := io.Copy(io.Discard, conn); err != nil {
		t.Errorf("the dial goes on: %v", err)
	}
	eventually(t, "a line about it", func() bool { return log.count("handshake does not come through") == 1 })
}
