package native

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
)

const maxModule = 8 << 20

func (n *Node) getEngine(w http.ResponseWriter, r *http.Request) {
	s, err := n.Engine(r.Context())
	if err != nil {
		failed(w, err)
		return
	}
	respond(w, http.StatusOK, s)
}

// postEngine swaps the engine. Only who may read the data folder may do that.
func (n *Node) postEngine(w http.ResponseWriter, r *http.Request) {
	if !bySocket(r) {
		problem(w, http.StatusForbidden, "socket-only", "an engine is swapped over the socket in the node's data folder alone")
		return
	}
	ctx, cancel := patiently(w, r)
	defer cancel()
	var err error
	if t, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); t == "application/wasm" {
		var module []byte
		if module, err = io.ReadAll(http.MaxBytesReader(w, r.Body, maxModule)); err != nil {
			var large *http.MaxBytesError
			if errors.As(err, &large) {
				w.Header().Set("Connection", "close")
				problem(w, http.StatusRequestEntityTooLarge, "too-large", fmt.Sprintf("the module is over %d MiB", maxModule>>20))
			} else {
				problem(w, http.StatusBadRequest, "bad-request", "the module did not arrive: "+err.Error())
			}
			return
		}
		err = n.SwapModule(ctx, module)
	} else {
		var body struct {
			Engine string `json:"engine"`
		}
		if !readBody(w, r, &body) {
			return
		}
		switch body.Engine {
		case "native":
			err = n.SwapNative(ctx)
		case "builtin":
			err = n.SwapModule(ctx, nil)
		default:
			problem(w, http.StatusBadRequest, "bad-request", fmt.Sprintf("there is no engine %.40q: there are native, builtin, and modules, as application/wasm", body.Engine))
			return
		}
	}
	if err != nil {
		failed(w, err)
		return
	}
	n.getEngine(w, r)
}
