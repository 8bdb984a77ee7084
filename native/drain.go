package native

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/nanoring/nanoring/core"
)

const (
	drainPeriod = time.Second            // between the commands by which guests are sent on
	drainLook   = 100 * time.Millisecond // and between looks at whether they have come anywhere
)

// Work is what a node that drains has to do yet.
type Work struct {
	Guests    int `json:"guests"`    // whose gateway it is
	Questions int `json:"questions"` // that are being answered here
}

// work is what holds up a drain: all that has to be over before this node stops.
func (n *Node) work() (w Work) {
	w.Questions = n.hearing.answering()
	for _, node := range n.Up() {
		if node.Ephemeral && node.Via == n.cfg.Name {
			w.Guests++
		}
	}
	return w
}

// Drain cordons this node, has its guests go to other gateways, one after another, waits
// until none is left and no question is being answered, and ends the node as Close does.
// It comes back cordoned, until it is uncordoned. Nobody sees the guests down. Whenever
// there is other work left progress is told, unless it is nil. If ctx ends before, or the node is uncordoned
// meanwhile (ErrUncordoned), or no other node could take them (a *CommandError of
// wire.CodeNobody), it returns, and the node runs on.
func (n *Node) Drain(ctx context.Context, progress func(Work)) error {
	if err := n.Cordon(ctx, n.cfg.Name); err != nil {
		return err
	}
	if err := n.drain(ctx, progress); err != nil {
		return err
	}
	n.stopped.Do(func() { close(n.stop) })
	<-n.settled
	return n.err
}

// drain is done when there is no work left.
func (n *Node) drain(ctx context.Context, progress func(Work)) (err error) {
	n.draining.Add(1)
	defer func() {
		if err != nil { // else it ends
			n.draining.Add(-1)
		}
	}()
	again, look := time.NewTicker(drainPeriod), time.NewTicker(drainLook)
	defer again.Stop()
	defer look.Stop()
	last := Work{Guests: -1}
	for first, move := true, true; ; first = false {
		if own, ok := n.Get(n.cfg.Name); !first && ok && !own.Cordoned {
			return ErrUncordoned
		}
		if move {
			if _, err := n.do(ctx, core.Command{Op: core.Drain}); err != nil {
				return err
			}
		}
		left := n.work()
		if left != last && progress != nil {
			progress(left)
		}
		if last = left; left == (Work{}) {
			return nil
		}
		select {
		case <-again.C:
			move = true
		case <-look.C:
			move = false
		case <-n.halted:
			return ErrStopped
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// drainFor is how a node with a DrainTimeout ends.
func (n *Node) drainFor(most time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), most)
	defer cancel()
	if w := n.work(); w != (Work{}) {
		n.log.Info("guests go to other gateways, and questions are answered", "guests", w.Guests, "questions", w.Questions)
	}
	if err := n.drain(ctx, nil); err != nil && err != ErrStopped {
		w := n.work()
		n.log.Warn("not all guests have gone to another gateway, or not all questions are answered", "guests", w.Guests, "questions", w.Questions, "why", err)
	}
	close(n.stop)
}

// DrainJSON is a line of what POST /v1/drain answers.
type DrainJSON struct {
	Work
	Drained bool     `json:"drained"`           // the node has stopped; the last line
	Problem *Problem `json:"problem,omitempty"` // why not; likewise
}

// postDrain tells how it goes, a line of JSON each. Who does not wait for the end calls it off.
func (n *Node) postDrain(w http.ResponseWriter, r *http.Request) {
	rc := http.NewResponseController(w)
	_ = rc.SetReadDeadline(time.Time{}) // the server's is for the request
	begun := false
	say := func(line DrainJSON) {
		if !begun {
			w.Header().Set("Content-Type", "application/x-ndjson")
			w.Header().Set("Cache-Control", "no-store")
			w.Header().Set("X-Accel-Buffering", "no")
			begun = true
		}
		_ = rc.SetWriteDeadline(time.Now().Add(eventTimeout))
		json.NewEncoder(w).Encode(line) // an error is the client's, which is gone
		_ = rc.Flush()
	}
	err := n.Drain(r.Context(), func(left Work) { say(DrainJSON{Work: left}) })
	switch {
	case err == nil:
		say(DrainJSON{Drained: true})
	case !begun:
		failed(w, err)
	default:
		_ = rc.SetWriteDeadline(time.Now().Add(eventTimeout))
		p := problemOf(err)
		say(DrainJSON{Work: n.work(), Problem: &p})
	}
}
