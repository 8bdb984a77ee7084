package main

import (
	"context"
	"io"
	"log"

	"github.com/hashicorp/serf/serf"
)

// agent is a node of serf, with its defaults, on memberlist's for a LAN.
type agent struct{ *serf.Serf }

func startSerf(_ context.Context, o options) (node, error) {
	cfg := serf.DefaultConfig()
	cfg.Init()
	cfg.NodeName = o.name
	cfg.LogOutput, cfg.Logger = nil, log.New(io.Discard, "", 0)
	lan, err := lanConfig(o)
	if err != nil {
		return nil, err
	}
	cfg.MemberlistConfig = lan
	var events chan serf.Event
	if o.died != nil {
		events = make(chan serf.Event, 256)
		cfg.EventCh = events
	}
	s, err := serf.Create(cfg)
	if err != nil {
		lan.Transport.Shutdown()
		return nil, err
	}
	if events != nil {
		go mourn(events, s.ShutdownCh(), o.died)
	}
	a := agent{s}
	if o.join != "" {
		if err := a.join(o.join); err != nil {
			s.Shutdown()
			return nil, err
		}
	}
	return a, nil
}

// mourn tells of the nodes that a node of serf holds for failed.
func mourn(events <-chan serf.Event, end <-chan struct{}, died func(string)) {
	for {
		select {
		case e := <-events:
			if e, ok := e.(serf.MemberEvent); ok && e.Type == serf.EventMemberFailed {
				for _, m := range e.Members {
					died(m.Name)
				}
			}
		case <-end:
			return
		}
	}
}

func (a agent) addr() string { return a.Memberlist().LocalNode().Address() }
func (a agent) leave() error { return a.Leave() }
func (a agent) close()       { a.Shutdown() }

func (a agent) join(addr string) error {
	_, err := a.Join([]string{addr}, true)
	return err
}

func (a agent) up() int {
	up := 0
	for _, m := range a.Members() {
		if m.Status == serf.StatusAlive {
			up++
		}
	}
	return up
}

func (a agent) sees(name string) bool {
	for _, m := range a.Members() {
		if m.Name == name {
			return m.Status == serf.StatusAlive
		}
	}
	return false
}
