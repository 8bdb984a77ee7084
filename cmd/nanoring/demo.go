package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/nanoring/nanoring/native"
	"github.com/spf13/cobra"
)

// demo is a ring of real processes on this machine.
type demo struct {
	nodes   int
	port    int // of the first node
	data    string
	program string // as it was called, for hints
	out     printer
}

func demoCommand() *cobra.Command {
	var d demo
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Run a ring of several nodes on this machine, and watch it",
		Long: `Demo starts nodes dev1, dev2, ... as processes of their own on 127.0.0.1, adds
them to one ring, shows them coming up, and says what to try with them. Ctrl-C
stops them; their data stays, so the same command brings the same ring back.`,
		Example: `  nanoring demo
  nanoring demo --nodes 8 --port 8001 --data /tmp/demo`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if d.nodes < 1 || d.nodes > 100 {
				return usage(cmd, fmt.Errorf("--nodes %d: a demo is of 1 to 100 nodes", d.nodes))
			}
			if d.port < 1 || d.port+d.nodes > 1<<16 {
				return usage(cmd, fmt.Errorf("--port %d leaves no room for %d nodes below 65536", d.port, d.nodes))
			}
			d.program, d.out = os.Args[0], stdout(cmd)
			signals, release := untilStopped(cmd.Context(), true)
			defer release()
			return d.run(signals)
		},
	}
	cmd.Flags().IntVar(&d.nodes, "nodes", 4, "how many nodes")
	cmd.Flags().IntVar(&d.port, "port", 7001, "port of the first one; the others follow")
	cmd.Flags().StringVar(&d.data, "data", filepath.Join("data", "demo"), "folder of the nodes' data folders")
	return cmd
}

func (d *demo) run(ctx context.Context) error {
	if err := d.portsFree(ctx); err != nil {
		return err
	}
	if err := os.MkdirAll(d.data, 0o700); err != nil {
		return fmt.Errorf("cannot make a folder for the demo: %w: choose another with --data", err)
	}
	d.out.printf("Starting %d nodes; their data and logs are in %s.\n", d.nodes, d.data)
	children, err := d.start()
	defer d.stop(children)
	if err == nil {
		err = d.join(ctx, children)
	}
	if err == nil {
		err = d.watch(ctx, children)
	}
	if ctx.Err() != nil {
		return nil // Ctrl-C is how a demo ends
	}
	return err
}

func (d *demo) name(i int) string { return "dev" + strconv.Itoa(i+1) }

func (d *demo) folder(i int) string { return filepath.Join(d.data, d.name(i)) }

func (d *demo) address(i int) string {
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(d.port+i))
}

func (d *demo) portsFree(ctx context.Context) error {
	for i := range d.nodes {
		l, err := net.Listen("tcp", d.address(i))
		if native.IsInUse(err) && d.running(ctx, i) {
			return &failure{exitRefused, fmt.Errorf("%s of this demo runs already, with its data in %s", d.name(i), d.folder(i)),
				"Stop it, or the demo that it belongs to, and start again: the demo starts its nodes itself."}
		}
		if native.IsInUse(err) {
			return &failure{exitRefused, fmt.Errorf("port %d is in use, by another demo or node perhaps", d.port+i),
				fmt.Sprintf("Stop what uses it, or choose other ports: %s demo --port %d", d.program, d.port+100)}
		}
		if err != nil {
			return err
		}
		l.Close()
	}
	return nil
}

// running says whether a node runs in the folder of one of the demo's.
func (d *demo) running(ctx context.Context, i int) bool {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	_, err := socketClient(d.folder(i)).status(ctx)
	return err == nil
}

func (d *demo) start() ([]*child, error) {
	var children []*child
	for i := range d.nodes {
		c, err := startChild(d.name(i), d.address(i), d.folder(i))
		if err != nil {
			return children, err
		}
		children = append(children, c)
	}
	return children, nil
}

// join makes one ring of them all: the first node adds the others.
func (d *demo) join(ctx context.Context, children []*child) error {
	for _, c := range children {
		if err := c.waitReady(ctx); err != nil {
			return err
		}
	}
	for _, c := range children[1:] {
		if _, err := children[0].client.add(ctx, c.name, c.address); err != nil {
			return fmt.Errorf("%s cannot add %s: %w", children[0].name, c.name, err)
		}
	}
	return nil
}

// watch shows the ring until the demo is told to end, or nothing is left of it.
func (d *demo) watch(ctx context.Context, children []*child) error {
	s := d.newScreen(children)
	for ticker := time.NewTicker(250 * time.Millisecond); ; {
		seen := d.look(ctx, children)
		if ctx.Err() != nil {
			return nil
		}
		s.show(seen)
		if seen.running == 0 {
			d.out.line("All nodes have ended.")
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// stop ends all the children in order, and those that do not end at once.
func (d *demo) stop(children []*child) {
	d.out.line("Stopping the nodes.")
	for _, c := range children {
		endChild(c.process)
	}
	deadline := time.After(5 * time.Second)
	for _, c := range children {
		select {
		case <-c.ended:
			continue
		case <-deadline:
			deadline = time.After(0)
		}
		c.process.Kill()
		<-c.ended
	}
}
