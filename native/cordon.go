package native

import (
	"context"
	"net/http"

	"github.com/nanoring/nanoring/core"
)

// Cordon has a node be given nothing new, this one or another: it is up, but owns no
// keys, and guests that are new to it are sent on to other gateways. It returns once
// that node says so itself, which it goes on doing when it is started again.
func (n *Node) Cordon(ctx context.Context, name string) error {
	_, err := n.do(ctx, core.Command{Op: core.Cordon, Name: name})
	return err
}

// Uncordon ends that.
func (n *Node) Uncordon(ctx context.Context, name string) error {
	_, err := n.do(ctx, core.Command{Op: core.Uncordon, Name: name})
	return err
}

func (n *Node) putCordon(w http.ResponseWriter, r *http.Request) { n.setCordon(w, r, n.Cordon) }

func (n *Node) deleteCordon(w http.ResponseWriter, r *http.Request) { n.setCordon(w, r, n.Uncordon) }

func (n *Node) setCordon(w http.ResponseWriter, r *http.Request, set func(context.Context, string) error) {
	ctx, cancel := patiently(w, r)
	defer cancel()
	if err := set(ctx, r.PathValue("name")); err != nil {
		failed(w, err)
		return
	}
	n.getNode(w, r)
}
