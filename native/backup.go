package native

import (
	"context"
	"net/http"
	"strconv"

	"github.com/nanoring/nanoring/native/disk"
)

// Backup returns a ring file of what the node knows at the moment. Put back into the data
// folder of a node that does not run, it is a memory as any: it brings back nobody who was
// deleted since.
func (n *Node) Backup(ctx context.Context) ([]byte, error) {
	var snapshot []byte
	if err := n.aside(ctx, func(l *loop) { snapshot = l.snapshot() }); err != nil {
		return nil, err
	}
	if snapshot == nil {
		return nil, ErrBroke
	}
	return disk.EncodeRingFile(snapshot), nil
}

func (n *Node) getBackup(w http.ResponseWriter, r *http.Request) {
	b, err := n.Backup(r.Context())
	if err != nil {
		failed(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	w.Write(b)
}
