package native

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"testing"
	"unsafe"

	"github.com/coder/websocket"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// TestInputIsSmall: the engine's channel has room for some.
func TestInputIsSmall(t *testing.T) {
	if size := unsafe.Sizeof(input{}); size > 96 {
		t.Errorf("%d bytes", size)
	}
	if size, whole := unsafe.Sizeof(opening{}), unsafe.Sizeof(core.Input{}); size > whole/3 {
		t.Errorf("what is kept of each connection's Opened has %d bytes of %d", size, whole)
	}
}

// TestIdleReader: what a long frame took is gone when the engine has taken it.
func TestIdleReader(t *testing.T) {
	var n Node
	sizes := []int{1, 511, 512, 513, 5 * bufferSize, 1, bufferSize, 700}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l, err := upgrade(w, r)
		if err != nil {
			t.Error(err)
			return
		}
		c := n.newConn(1, l)
		for i, size := range sizes {
			frame, code, _ := c.read()
			if code != 0 || !bytes.Equal(frame, bytes.Repeat([]byte{byte(i)}, size)) {
				t.Errorf("of %d bytes came %d, code %s", size, len(frame), code)
			}
			if c.release(); c.arriving.message != nil || cap(c.arriving.raw) > bufferSize {
				t.Error("memory is kept without a frame")
			}
		}
		c.close(wire.CodeBye, "")
		c.read()
	}))
	defer server.Close()
	ws, _, err := websocket.Dial(t.Context(), server.URL, &websocket.DialOptions{Subprotocols: []string{subprotocol}})
	if err != nil {
		t.Fatal(err)
	}
	defer ws.CloseNow()
	for i, size := range sizes {
		write(t, ws, websocket.MessageBinary, bytes.Repeat([]byte{byte(i)}, size))
	}
	if e := closeOf(t, ws); wire.Code(e.Code) != wire.CodeBye {
		t.Errorf("%+v", e)
	}
}
