package main

import (
	"context"
	"io"
	"log"
	"math"
	"net"
	"sync/atomic"
	"time"

	"github.com/hashicorp/memberlist"
)

// peer is a node of memberlist, with its defaults for a LAN.
type peer struct{ *memberlist.Memberlist }

func startMemberlist(_ context.Context, o options) (node, error) {
	cfg, err := lanConfig(o)
	if err != nil {
		return nil, err
	}
	if o.died != nil {
		cfg.Events = obituaries{o.died}
	}
	m, err := memberlist.Create(cfg)
	if err != nil {
		cfg.Transport.Shutdown()
		return nil, err
	}
	p := peer{m}
	if o.join != "" {
		if err := p.join(o.join); err != nil {
			m.Shutdown()
			return nil, err
		}
	}
	return p, nil
}

// suspicionTimeout is the least that memberlist grants a suspect, which it has by its config (and,
// by that of serf, serf); before it come the probe that is in vain, and those through others.
func suspicionTimeout(n int) time.Duration {
	cfg := memberlist.DefaultLANConfig()
	return time.Duration(float64(cfg.SuspicionMult) * max(1, math.Log10(float64(n))) * float64(cfg.ProbeInterval))
}

// lanConfig is DefaultLANConfig on a free port of loopback, without a log, with
// a transport that counts.
func lanConfig(o options) (*memberlist.Config, error) {
	cfg := memberlist.DefaultLANConfig()
	cfg.Name = o.name
	cfg.BindAddr = "127.0.0.1"
	cfg.Logger = log.New(io.Discard, "", 0)
	var err error
	if cfg.Keyring, err = keyring(); err != nil {
		return nil, err
	}
	for range 10 { // as memberlist does: the port has to be free for UDP as well
		var t *memberlist.NetTransport
		t, err = memberlist.NewNetTransport(&memberlist.NetTransportConfig{BindAddrs: []string{cfg.BindAddr}, Logger: cfg.Logger})
		if err == nil {
			cfg.BindPort = t.GetAutoBindPort()
			cfg.AdvertisePort = cfg.BindPort
			cfg.Transport = countedTransport{t, o.bytes}
			return cfg, nil
		}
	}
	return nil, err
}

func (p peer) addr() string { return p.LocalNode().Address() }
func (p peer) up() int      { return p.NumMembers() }
func (p peer) leave() error { return p.Leave(5 * time.Second) }
func (p peer) close()       { p.Shutdown() }

func (p peer) join(addr string) error {
	_, err := p.Join([]string{addr})
	return err
}

func (p peer) sees(name string) bool {
	for _, n := range p.Members() { // without the dead and those who left
		if n.Name == name {
			return true
		}
	}
	return false
}

// obituaries hears of the nodes that a node of memberlist holds for dead.
type obituaries struct{ died func(string) }

func (obituaries) NotifyJoin(*memberlist.Node)   {}
func (obituaries) NotifyUpdate(*memberlist.Node) {}
func (o obituaries) NotifyLeave(n *memberlist.Node) {
	if n.State == memberlist.StateDead {
		o.died(n.Name)
	}
}

// countedTransport counts datagrams that are sent, and both directions of the
// streams that are dialled.
type countedTransport struct {
	*memberlist.NetTransport
	bytes *atomic.Int64
}

func (t countedTransport) WriteTo(b []byte, addr string) (time.Time, error) {
	return t.WriteToAddress(b, memberlist.Address{Addr: addr})
}

func (t countedTransport) WriteToAddress(b []byte, a memberlist.Address) (time.Time, error) {
	t.bytes.Add(int64(len(b)))
	return t.NetTransport.WriteToAddress(b, a)
}

func (t countedTransport) DialTimeout(addr string, timeout time.Duration) (net.Conn, error) {
	return t.DialAddressTimeout(memberlist.Address{Addr: addr}, timeout)
}

func (t countedTransport) DialAddressTimeout(a memberlist.Address, timeout time.Duration) (net.Conn, error) {
	c, err := t.NetTransport.DialAddressTimeout(a, timeout)
	if err != nil {
		return nil, err
	}
	return countedConn{c, t.bytes}, nil
}
