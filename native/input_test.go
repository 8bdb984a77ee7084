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

// TestIdleReader: a reader has a buffer while the engine has its frame, and none while it
// waits for the next.
func TestIdleReader(t *testing.T) {
	var n Node
	sizes := []int{1, 511, 512, 513, 5 * keepBuffer, 1, keepBuffer, 700}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hijack := &hijacker{ResponseWriter: w}
		ws, err := websocket.Accept(hijack, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		c := n.newConn(1, ws, hijack.conn)
		for i, size := range sizes {
			frame, code := c.read()
			if code != 0 || !bytes.Equal(frame, bytes.Repeat([]byte{byte(i)}, size)) {
				t.Errorf("of %d bytes came %d, code %s", size, len(frame), code)
			}
			if c.buf == nil {
				t.Error("no buffer has the frame")
			}
			if c.release(); c.buf != nil {
				t.Error("a buffer is kept without a frame")
			}
		}
		if b := *buffers.Get().(*[]byte); cap(b) > keepBuffer {
			t.Errorf("a buffer of %d bytes is kept", cap(b))
		}
		c.close(wire.CodeBye, "")
		c.read()
	}))
	defer server.Close()
	ws, _, err := websocket.Dial(t.Context(), server.URL, nil)
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
