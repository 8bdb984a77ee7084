package host_test

import (
	"bytes"
	"context"
	"fmt"
	"log"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/host"
)

// node is a sandboxed node, what it shows of its ring, and when to wake it.
type node struct {
	*host.Engine
	core.View
	wake int64
}

// end is a node's end of a connection.
type end struct {
	*node
	conn core.ConnID
}

// network is all that the nodes have of the world: connections, and a clock.
type network struct {
	now   int64 // microseconds
	nodes map[string]*node
	other map[end]end // of a connection
	ids   core.ConnID
	queue []func() // what is on its way
}

// step gives a node an input, and carries out what it answers.
func (w *network) step(n *node, in core.Input) {
	in.Mono, in.Wall = w.now, 1_800_000_000*core.Second+w.now
	effects, err := n.Step(in)
	if err != nil {
		log.Fatal(err)
	}
	for _, e := range effects {
		from := end{n, e.Conn}
		to := w.other[from]
		switch e.Kind {
		case core.Dial:
			to = end{w.nodes[e.Addr], w.ids}
			w.ids += 2 // odd ones are the runtime's to give
			w.other[from], w.other[to] = to, from
			w.later(n, core.Input{Kind: core.Opened, Conn: e.Conn})
			w.later(to.node, core.Input{Kind: core.Opened, Conn: to.conn, Role: core.Peer})
		case core.Send: // its bytes are the engine's: they are valid until its next step
			w.later(to.node, core.Input{Kind: core.Received, Conn: to.conn, Frame: bytes.Clone(e.Frame)})
		case core.Close:
			w.later(to.node, core.Input{Kind: core.Closed, Conn: to.conn, Code: e.Code})
		case core.Emit:
			n.Apply(e.Event)
		case core.Wake:
			n.wake = e.At
		}
	}
}

func (w *network) later(n *node, in core.Input) {
	w.queue = append(w.queue, func() { w.step(n, in) })
}

// Two rings of one sandboxed node each become one ring of two, in memory.
func Example() {
	w := &network{nodes: make(map[string]*node), other: make(map[end]end), ids: 1}
	for seed, name := range []string{"dev1", "dev2"} {
		cfg := core.Config{Ring: "dev", Name: name, Address: name + ":7946", Seed: uint64(seed)}
		engine, err := host.New(context.Background(), host.Config{Node: cfg})
		if err != nil {
			log.Fatal(err)
		}
		defer engine.Close()
		w.nodes[cfg.Address] = &node{Engine: engine}
		w.step(w.nodes[cfg.Address], core.Input{Kind: core.Start})
	}
	dev1, dev2 := w.nodes["dev1:7946"], w.nodes["dev2:7946"]
	w.step(dev1, core.Input{Kind: core.Do, Command: core.Command{ID: 1, Op: core.Add, Addr: "dev2:7946"}})
	for len(dev1.Up()) < 2 || len(dev2.Up()) < 2 {
		for ; len(w.queue) > 0; w.queue = w.queue[1:] {
			w.queue[0]()
		}
		w.now += core.Millisecond
		for _, n := range []*node{dev1, dev2} {
			if w.now >= n.wake {
				w.step(n, core.Input{Kind: core.Tick})
			}
		}
	}
	for _, n := range dev2.All() {
		fmt.Println(n.Name, "is", n.State)
	}
	// Output:
	// dev1 is up
	// dev2 is up
}
