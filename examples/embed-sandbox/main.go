// Embed-sandbox is embed-native with the ring's logic in a sandbox: it runs as
// WebAssembly, and reaches nothing but what the node does for it. The ring's page
// and HTTP API are at /cluster/ beside the server's own pages, on one port.
//
//	go run ./examples/embed-sandbox -name app3 -listen 127.0.0.1:7012 -data data/app3
//	go run ./examples/embed-sandbox -name app4 -listen 127.0.0.1:7013 -data data/app4 -join 127.0.0.1:7012
//	curl 127.0.0.1:7013/owner/user:42
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/host"
	"github.com/nanoring/nanoring/native"
)

func main() {
	name := flag.String("name", "app3", "who this node is")
	listen := flag.String("listen", "127.0.0.1:7012", "HOST:PORT to listen on")
	data := flag.String("data", "data/app3", "folder of the ring file")
	join := flag.String("join", "", "HOST:PORT of a node whose ring to join")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Stdout, *name, *listen, *data, *join); err != nil {
		log.Fatal(err)
	}
}

// run serves until ctx ends, or the ring ends the node.
func run(ctx context.Context, out io.Writer, name, listen, data, join string) error {
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	defer l.Close()
	config := native.Config{
		Name: name, Data: data,
		Advertise: l.Addr().String(), // not Listen: the server below listens
		Engine: func(c core.Config) (core.Engine, error) {
			return host.New(ctx, host.Config{Node: c, Cache: filepath.Join(data, "cache")})
		},
	}
	if join != "" {
		config.Join = []string{join}
	}
	node, err := native.Start(ctx, config)
	if err != nil {
		return err
	}
	defer node.Close()

	mux := http.NewServeMux()
	mux.Handle("/ring", node.Handler()) // where other nodes dial, whatever else is where
	mux.Handle("/cluster/", http.StripPrefix("/cluster", node.Handler()))
	mux.HandleFunc("GET /owner/{key}", func(w http.ResponseWriter, r *http.Request) {
		for _, owner := range node.Owners(r.PathValue("key"), 1) {
			fmt.Fprintln(w, owner.Name)
		}
	})
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l) }()
	defer server.Close()

	fmt.Fprintf(out, "%s runs at http://%s/, its ring at http://%[2]s/cluster/\n", name, l.Addr())
	select {
	case err := <-failed:
		return err
	case <-node.Done(): // ctx has ended and it has said bye; or it was removed, or broke
		return node.Err()
	}
}
