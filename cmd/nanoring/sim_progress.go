package main

import (
	"fmt"
	"time"

	"github.com/nanoring/nanoring/core/sim"
)

// How often it is shown how far a simulation is: on a terminal, and in lines of their own.
const (
	progressEvery = time.Second / 5
	progressLines = 10 * time.Second
)

// simProgress shows how far a simulation is, and about how long it will take.
type simProgress struct {
	show  func(text string)
	every time.Duration
	nodes int
	each  bool // of which takes as long as the others: they come to a ring that is there
	now   func() time.Time

	started int       // of the newest that was told
	begun   time.Time // when the first node started
	stood   time.Time // when the ring stood; zero before
	shown   time.Time
}

// showProgress returns what shows it, over itself on a terminal, and what takes it away.
func showProgress(w printer, nodes int, each bool) (show func(sim.Progress), done func()) {
	p := &simProgress{nodes: nodes, each: each, now: time.Now}
	if w.redraws() {
		p.show, p.every = func(text string) { w.rewrite("%s", text) }, progressEvery
		return p.told, func() { w.rewrite("") }
	}
	p.show, p.every = func(text string) { w.line(text) }, progressLines
	return p.told, func() {}
}

func (p *simProgress) told(s sim.Progress) {
	now := p.now()
	if p.begun.IsZero() || s.Started < p.started { // the first, or another life
		p.begun, p.stood, p.shown = now, time.Time{}, now
	}
	if p.started = s.Started; s.For > 0 && p.stood.IsZero() {
		p.stood = now
	}
	if now.Sub(p.shown) < p.every {
		return
	}
	p.shown = now
	took := now.Sub(p.begun)
	if s.For == 0 {
		share := float64(s.Started) / float64(p.nodes)
		done := share * share * s.Right
		if p.each {
			done = share
		}
		p.show(fmt.Sprintf("%d of %d nodes have joined, %s; %s until the ring stands", s.Started, p.nodes, took.Round(time.Second), left(took, done)))
		return
	}
	p.show(fmt.Sprintf("%s of %s, %.2f %% agree, %s; %s left", span(s.At), span(s.For), 100*s.Right, took.Round(time.Second), left(now.Sub(p.stood), float64(s.At)/float64(s.For))))
}

// left guesses how long it will take until all of it is done, of which a share has been:
// while a ring comes to stand, of the pairs of nodes those that know each other, since that is the work.
func left(took time.Duration, done float64) string {
	if done < 0.01 || took < time.Second {
		return "not known yet how long"
	}
	rest := time.Duration(float64(took) * (1/done - 1))
	if rest < 10*time.Second {
		return "some seconds"
	}
	return "about " + rest.Round(10*time.Second).String()
}
