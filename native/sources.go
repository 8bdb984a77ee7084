package native

import (
	"context"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/native/source"
)

// How often a source is asked: while the node needs it, at first and later, and for ever.
const (
	askSoon  = time.Second
	askLater = 5 * time.Second
	askOn    = time.Minute
	askTime  = 10 * time.Second // for one answer
)

// asking is a source that is asked on and on, and what it has said last.
type asking struct {
	source   source.Source
	stop     context.CancelFunc
	answered bool
	found    []string
	err      error
}

// parseSources makes the sources of what Join says; none of them was asked.
func (n *Node) parseSources(texts []string) (all []source.Source, err error) {
	for _, text := range texts {
		s, err := source.Parse(text, source.Options{Interface: n.cfg.Interface, Ring: n.cfg.Ring, Name: n.cfg.Name, Address: n.addr})
		if err != nil {
			return nil, wrong("Join", err)
		}
		all = append(all, s)
	}
	return all, nil
}

// SetJoin has the node join by other sources from now on: see Config.Join. A node that has
// joined stays where it is, and finds nodes of its ring by them that it did not know.
func (n *Node) SetJoin(texts []string) error {
	n.changing.Lock()
	defer n.changing.Unlock()
	n.mu.Lock()
	ended := n.ended
	n.mu.Unlock()
	if ended {
		return ErrStopped
	}
	if err := n.useSources(texts); err != nil {
		return err
	}
	live := *n.live.Load()
	live.Join = texts
	n.live.Store(&live)
	return nil
}

// useSources takes sources in the place of those before; the ones that are the same stay.
func (n *Node) useSources(texts []string) error {
	all, err := n.parseSources(texts)
	if err != nil {
		return err
	}
	j := &n.joins
	j.mu.Lock()
	before := j.asked
	j.asked = nil
	var begin []func()
	others := false
	for _, s := range all {
		same := func(a *asking) bool { return a.source.String() == s.String() }
		if i := slices.IndexFunc(before, same); i >= 0 {
			j.asked = append(j.asked, before[i])
			before = slices.Delete(slices.Clone(before), i, i+1)
			continue
		}
		if slices.ContainsFunc(j.asked, same) {
			continue
		}
		ctx, stop := context.WithCancel(context.Background())
		a := &asking{source: s, stop: stop}
		j.asked, others = append(j.asked, a), true
		if addr, err := netip.ParseAddrPort(s.String()); err == nil { // nobody has to be asked
			a.answered, a.found = true, []string{addr.String()}
			continue
		}
		begin = append(begin, func() { n.ask(ctx, a) })
	}
	if others {
		j.beginAnew()
	}
	j.signal()
	j.mu.Unlock()
	for _, a := range before {
		a.stop()
	}
	for _, f := range begin {
		n.spawn(f)
	}
	return nil
}

// ask asks a source again and again, until ctx ends.
func (n *Node) ask(ctx context.Context, a *asking) {
	defer a.source.Close()
	for ctx.Err() == nil {
		one, done := context.WithTimeout(ctx, askTime)
		found, err := a.source.Addresses(one)
		done()
		if ctx.Err() != nil {
			return
		}
		n.joins.mu.Lock()
		if a.answered, a.err = true, err; err == nil || len(found) > 0 {
			a.found = found // else those of before may be right still
		}
		n.joins.signal()
		n.joins.mu.Unlock()
		if err != nil {
			n.log.Debug("a source of addresses is of no use now", "source", a.source.String(), "why", err)
		}
		n.rest(ctx)
	}
}

// rest waits until sources are to be asked again.
func (n *Node) rest(ctx context.Context) {
	jitter := 0.75 + rand.Float64()/2
	for began := time.Now(); ; {
		pause := askOn
		if n.needsSources() {
			if pause = askLater; time.Since(n.joins.since()) < time.Minute {
				pause = askSoon
			}
		}
		left := time.Duration(float64(pause)*jitter) - time.Since(began)
		if left <= 0 {
			return
		}
		select {
		case <-time.After(min(left, askLater)):
		case <-ctx.Done():
			return
		}
	}
}

// needsSources says whether the node has nobody yet, or nobody any more.
func (n *Node) needsSources() bool {
	n.joins.mu.Lock()
	joined := !n.joins.joined.IsZero()
	n.joins.mu.Unlock()
	return !joined || !n.othersUp()
}

// stop ends the asking of sources.
func (j *joining) stop() {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, a := range j.asked {
		a.stop()
	}
}

// giveAddresses gives the engine what the sources have said, if that is something else than before.
func (l *loop) giveAddresses() {
	if list, changed := l.joins.gather(l.addr); changed {
		l.warnLoopback(list)
		l.join(list)
	}
}

// gather puts together what the sources have said, but for this node's own address, and says
// whether that is other than before. What is known of addresses that are no more is forgotten.
func (j *joining) gather(own string) (list []string, changed bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	is := make(map[string]bool)
	for i := 0; i < source.Most && len(is) < source.Most; i++ { // in turn, so that none keeps the others out
		for _, a := range j.asked {
			if i < len(a.found) && !is[a.found[i]] && len(is) < source.Most {
				is[a.found[i]] = true
				if addr := a.found[i]; addr == own {
					j.own[addr] = true
				} else if !j.own[addr] {
					list = append(list, addr)
				}
			}
		}
	}
	for _, known := range []map[string]string{j.missed, j.refused} {
		for addr := range known {
			if !is[addr] {
				delete(known, addr)
			}
		}
	}
	for addr := range j.own {
		if !is[addr] {
			delete(j.own, addr)
		}
	}
	changed = !slices.Equal(list, j.given)
	j.given = list
	return list, changed
}

// join has the engine, and the ones that take over from it, join by other addresses.
func (l *loop) join(list []string) {
	l.rings.dropped(l.config.Join, list)
	l.config.Join = list
	l.step(core.Input{Kind: core.Do, Command: core.Command{ID: l.nextCmd.Add(1), Op: core.Join, Join: list}})
}

// warnLoopback says that who is dialled elsewhere cannot dial back.
func (n *Node) warnLoopback(list []string) {
	if n.addr == "" || !isLoopback(hostname(n.addr)) || !slices.ContainsFunc(list, func(addr string) bool { return !isLoopback(hostname(addr)) }) {
		return
	}
	n.joins.mu.Lock()
	warned := n.joins.warned
	n.joins.warned = true
	n.joins.mu.Unlock()
	if !warned {
		n.log.Warn("this node tells others that it is at a loopback address, where they find only themselves, and joins nodes beyond it: set --listen or --advertise", "address", n.addr)
	}
}
