// Cursors serves a page on which all who have it open see each other's pointers and
// names. There is no server but the nodes of a ring, each of which serves the page;
// any of them may die.
//
//	go run ./examples/cursors -listen 127.0.0.1:7021
//	go run ./examples/cursors -listen 127.0.0.1:7022 -join 127.0.0.1:7021
//	go run ./examples/cursors -listen 127.0.0.1:7023 -join 127.0.0.1:7021
//
// The page is in index.html: each tab is a node, too. Its user's name is a tag; where its
// pointer is it sends to all; and who comes is told by each of the others.
package main

import (
	"context"
	_ "embed"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/nanoring/nanoring/native"
)

//go:embed index.html
var page []byte

func main() {
	listen := flag.String("listen", "127.0.0.1:7021", "HOST:PORT to listen on")
	join := flag.String("join", "", "HOST:PORT of a node whose ring to join")
	data := flag.String("data", "data/cursors", "folder for the data of the node")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *listen, *join, *data); err != nil {
		log.Fatal(err)
	}
}

// run serves until ctx ends.
func run(ctx context.Context, listen, join, data string) error {
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	defer l.Close()
	addr := l.Addr().String()
	config := native.Config{Ring: "cursors", Name: addr, Data: filepath.Join(data, addr), Advertise: addr}
	if join != "" {
		config.Join = []string{join}
	}
	node, err := native.Start(ctx, config)
	if err != nil {
		return err
	}
	defer node.Close()

	mux := http.NewServeMux()
	mux.Handle("/", node.Handler()) // nanoring.js, and the ring itself at /ring
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Write(page)
	})
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l) }()
	defer server.Close()

	fmt.Printf("open http://%s/ in some tabs\n", addr)
	select {
	case err := <-failed:
		return err
	case <-node.Done():
		return node.Err()
	}
}
