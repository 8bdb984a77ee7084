package host_test

import (
	"bytes"
	"context"
	"fmt"
	"log"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/host"
)

// node is a sandboxed node, and all that it has of the world: the other one.
type node struct {
	*host.Engine
	view  core.View // what it shows of its ring
	wake  int64     // when it wants to be woken
	inbox []core.Input
	other *node
	conns map[core.ConnID]core.ConnID // its connections, by the other's ids for them
}

// step gives the node an input, and carries out what it answers.
func (n *node) step(now int64, in core.Input) {
	in.Mono, in.Wall = now, 1_800_000_000*core.Second+now
	effects, err := n.Step(in)
	if err != nil {
		log.Fatal(err)
	}
	tell := func(n *node, in core.Input) { n.inbox = append(n.inbox, in) }
	for _, e := range effects {
		switch e.Kind {
		case core.Dial:
			accepted := e.Conn + 1 // odd ids are for the program to give
			n.conns[e.Conn], n.other.conns[accepted] = accepted, e.Conn
			tell(n, core.Input{Kind: core.Opened, Conn: e.Conn})
			tell(n.other, core.Input{Kind: core.Opened, Conn: accepted, Role: core.Peer})
		case core.Send: // the bytes are the engine's: valid until its next step
			tell(n.other, core.Input{Kind: core.Received, Conn: n.conns[e.Conn], Frame: bytes.Clone(e.Frame)})
		case core.Close:
			tell(n.other, core.Input{Kind: core.Closed, Conn: n.conns[e.Conn], Code: e.Code})
		case core.Emit:
			n.view.Apply(e.Event, 0)
		case core.Wake:
			n.wake = e.At
		}
	}
}

// Two rings of one sandboxed node each become one ring of two, in memory.
func Example() {
	var nodes [2]*node
	for i, name := range []string{"dev1", "dev2"} {
		engine, err := host.New(context.Background(), host.Config{
			Node: core.Config{Ring: "dev", Name: name, Address: name + ":7946", Seed: uint64(i)},
		})
		if err != nil {
			log.Fatal(err)
		}
		defer engine.Close()
		nodes[i] = &node{Engine: engine, conns: make(map[core.ConnID]core.ConnID)}
		nodes[i].step(0, core.Input{Kind: core.Start})
	}
	nodes[0].other, nodes[1].other = nodes[1], nodes[0]
	nodes[0].step(1, core.Input{Kind: core.Do, Command: core.Command{ID: 1, Op: core.Add, Addr: "dev2:7946"}})
	for now := int64(2); len(nodes[0].view.Up()) < 2 || len(nodes[1].view.Up()) < 2; now++ {
		for _, n := range nodes {
			if len(n.inbox) > 0 {
				n.step(now, n.inbox[0])
				n.inbox = n.inbox[1:]
			} else if now >= n.wake {
				n.step(now, core.Input{Kind: core.Tick})
			}
		}
	}
	for _, n := range nodes[1].view.All() {
		fmt.Println(n.Name, "is", n.State)
	}
	// Output:
	// dev1 is up
	// dev2 is up
}
