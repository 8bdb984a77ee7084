package main

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/host"
	"github.com/nanoring/nanoring/native"
)

// nanoring is a native node that is mounted in a server of ours, whose listener
// counts: that is all that differs from one that listens itself.
type nanoring struct {
	*native.Node
	server *http.Server
	wg     sync.WaitGroup // of the server and the watcher
}

func patience(int) time.Duration { return native.PatienceLAN }

func startNanoring(ctx context.Context, o options) (node, error) {
	return startNative(ctx, o, nil)
}

// startWasm starts a node whose engine is the module in the sandbox.
func startWasm(ctx context.Context, o options) (node, error) {
	if err := compiled(); err != nil {
		return nil, err
	}
	return startNative(ctx, o, func(c core.Config) (core.Engine, error) {
		return host.New(ctx, host.Config{Node: c})
	})
}

// compiled keeps one engine for the life of the process: all share the compiled
// module, which takes a second to come.
var compiled = sync.OnceValue(func() error {
	_, err := host.New(context.Background(), host.Config{Node: core.Config{Ring: "none", Name: "none"}})
	return err
})

func startNative(ctx context.Context, o options, engine func(core.Config) (core.Engine, error)) (node, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	cfg := native.Config{
		Name: o.name, Ring: o.ring, Data: o.dir, Advertise: l.Addr().String(),
		Engine: engine, NoPage: true, Log: slog.New(slog.DiscardHandler),
	}
	if cfg.SecretFile, err = secretFile(o.dir); err != nil {
		l.Close()
		return nil, err
	}
	if o.join != "" {
		cfg.Join = []string{o.join}
	}
	n := &nanoring{}
	if n.Node, err = native.Start(context.WithoutCancel(ctx), cfg); err != nil {
		l.Close()
		return nil, err
	}
	n.server = &http.Server{Handler: n.Handler(), ReadHeaderTimeout: 5 * time.Second}
	l = countedListener{l, o.bytes}
	if config := n.TLSConfig(); config != nil {
		l = tls.NewListener(l, config)
	}
	n.wg.Go(func() { n.server.Serve(l) })
	if o.died != nil {
		n.wg.Go(func() { n.watch(o.died) })
	}
	if o.heard != nil {
		messages, err := n.Listen(context.Background(), topic)
		if err != nil {
			n.close()
			return nil, err
		}
		n.wg.Go(func() {
			for range messages {
				o.heard()
			}
		})
	}
	return n, nil
}

// watch tells of the nodes that this one holds for down.
func (n *nanoring) watch(died func(string)) {
	down := make(map[string]bool)
	for {
		for e, err := range n.Watch(context.Background()) {
			if err != nil {
				break // too slow: it gets the present state once more
			}
			if e.Kind != core.EventNode {
				continue
			}
			is := e.Node.State == core.Down
			if is && !down[e.Node.Name] {
				died(e.Node.Name)
			}
			down[e.Node.Name] = is
		}
		select {
		case <-n.Done():
			return
		default:
		}
	}
}

func (n *nanoring) addr() string { return n.Addr() }
func (n *nanoring) join(addr string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	_, err := n.Add(ctx, "", addr)
	return err
}

func (n *nanoring) say(payload []byte) error {
	return n.Send(context.Background(), topic, payload)
}

func (n *nanoring) up() int { return n.Status().Up }

func (n *nanoring) sees(name string) bool {
	other, ok := n.Get(name)
	return ok && (other.State == core.Alive || other.State == core.Suspect)
}

func (n *nanoring) leave() error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return n.Leave(ctx)
}

func (n *nanoring) close() {
	n.Close() // what it says of its file is of no interest: that goes as well
	n.server.Close()
	n.wg.Wait()
}
