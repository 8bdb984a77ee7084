// Jobs is a worker. All workers of a ring share a list of jobs, each of which is done
// by the node that owns it: when one dies the others do its jobs, and one that is told
// to stop cordons itself, and has the others take them first. (While two nodes do not
// see each other both may do a job.)
//
//	go run ./examples/jobs -name w1 -listen 127.0.0.1:7031
//	go run ./examples/jobs -name w2 -listen 127.0.0.1:7032 -join 127.0.0.1:7031
//	bin/nanoring --data data/jobs/w1 ask doing
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"maps"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/native"
)

var jobs = []string{"backup", "billing", "cleanup", "index", "mail", "report", "sync", "thumbnails"}
var team, _ = core.ParseFilter([]string{"role=worker"}, "", "")

func main() {
	name := flag.String("name", "w1", "who this node is")
	listen := flag.String("listen", "127.0.0.1:7031", "HOST:PORT to listen on")
	join := flag.String("join", "", "HOST:PORT of a node whose ring to join")
	data := flag.String("data", "data/jobs", "folder for the data of the node")
	flag.Parse()
	told, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	config := native.Config{Ring: "jobs", Name: *name, Listen: *listen, Join: strings.Fields(*join), Data: filepath.Join(*data, *name)}
	if err := run(told, config); err != nil {
		log.Fatal(err)
	}
}

// run works until it is told to stop, or the ring ends its node, which is cordoned then.
func run(told context.Context, config native.Config) error {
	ctx := context.Background()
	node, err := native.Start(ctx, config) // which goes on while it stops
	if err != nil {
		return err
	}
	defer node.Close()
	w := &worker{node: node, doing: make(map[string]func())}
	if _, err := node.Answer("doing", w.answer); err != nil {
		return err
	}
	if err := errors.Join(node.SetTags(ctx, map[string]string{"role": "worker"}), node.Uncordon(ctx, node.Name())); err != nil {
		return err
	}
	for told.Err() == nil && node.Err() == nil { // once more if there was too much to watch
		for range node.Watch(told) { // all nodes at first, and then what happens
			w.share()
		}
	}
	if err := node.Cordon(ctx, node.Name()); err != nil { // it was removed, or broke
		return err
	}
	w.share() // nothing is its own any more
	return nil
}

// worker is what one node does.
type worker struct {
	node *native.Node

	mu    sync.Mutex
	doing map[string]func() // how each job is stopped
}

// share begins the jobs that are this node's now, and ends those that are not any more.
func (w *worker) share() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, job := range jobs {
		owners := w.node.Owners(job, 1, team)
		mine := len(owners) > 0 && owners[0].Name == w.node.Name()
		switch stop := w.doing[job]; {
		case mine && stop == nil:
			w.doing[job] = begin(job)
			fmt.Println(w.node.Name(), "begins", job)
		case !mine && stop != nil:
			stop()
			delete(w.doing, job)
			fmt.Println(w.node.Name(), "has ended", job)
		}
	}
}

// answer says what this node does.
func (w *worker) answer(context.Context, native.Question) ([]byte, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return []byte(strings.Join(slices.Sorted(maps.Keys(w.doing)), " ")), nil
}

// begin does a job, step by step, and returns what ends it after the step that it is at.
func begin(_ string) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var steps sync.WaitGroup
	steps.Go(func() {
		for ctx.Err() == nil {
			time.Sleep(50 * time.Millisecond) // what there is to do
		}
	})
	return func() { cancel(); steps.Wait() }
}
