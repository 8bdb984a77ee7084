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
	if o.died != nil || o.heard != nil {
		events = make(chan serf.Event, 256)
		cfg.EventCh = events
	}
	s, err := serf.Create(cfg)
	if err != nil {
		lan.Transport.Shutdown()
		return nil, err
	}
	if events != nil {
		go attend(events, s.ShutdownCh(), o)
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

// attend tells of the nodes that a node of serf holds for failed, and of what it hears.
func attend(events <-chan serf.Event, end <-chan struct{}, o options) {
	for {
		select {
		case e := <-events:
			switch e := e.(type) {
			case serf.MemberEvent:
				for _, m := range e.Members {
					if o.died != nil && e.Type == serf.EventMemberFailed {
						o.died(m.Name)
					}
				}
			case serf.UserEvent:
				if o.heard != nil {
					o.heard()
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

func (a agent) say(payload []byte) error { return a.UserEvent(topic, payload, false) }

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
