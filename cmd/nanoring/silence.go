package main

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"
)

// mostSilence is how many seconds a node may say nothing on a stream, on which it says
// something every 15.
const mostSilence = 19

var errSilent = errors.New("it has said nothing for too long")

// untilSilent returns a context that ends with errSilent when heard was not called for
// mostSilence ticks. While this process is stopped, or its machine sleeps, there are none.
func untilSilent(ctx context.Context, tick time.Duration) (_ context.Context, heard, cancel func()) {
	ctx, end := context.WithCancelCause(ctx)
	var silent atomic.Int32
	go func() {
		ticks := time.NewTicker(tick)
		defer ticks.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticks.C:
				if silent.Add(1) >= mostSilence {
					end(errSilent)
				}
			}
		}
	}()
	return ctx, func() { silent.Store(0) }, func() { end(nil) }
}

// silent says that the node has said nothing for too long, if that is why ctx ended.
func (c *client) silent(ctx context.Context) error {
	if context.Cause(ctx) != errSilent {
		return nil
	}
	return &failure{exitNoNode, fmt.Errorf("the node at %s has said nothing for %d s", c.where, mostSilence), "Is it stopped, or its host gone, or the network in between?"}
}
