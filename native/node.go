package native

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
	"github.com/nanoring/nanoring/native/disk"
	"github.com/nanoring/nanoring/native/source"
	"github.com/nanoring/nanoring/native/trust"
)

// Node is a running node. All of its methods may be called from anywhere.
type Node struct {
	cfg      Config
	log      *slog.Logger
	logs     *LogQueue // that writes it
	addr     string    // where others dial it; "" if nobody can
	instance wire.Instance
	epoch    time.Time // of the engine's monotonic time
	folder   *disk.Folder
	handler  http.Handler
	server   *http.Server
	client   *http.Client // dials
	waiter   *waiter      // nil: readers of connections wait themselves
	board    board
	hearing  hearing
	clocks   clocks
	evidence evidence
	reach    reach
	keeper   *trust.Keeper
	rare     rarely
	joins    joining
	rings    otherRings
	flaps    flapping
	guesses  guesses
	names    map[string]bool // that it goes by: see ownNames
	codes    guesses         // of links to the page, which take nothing from guesses of tokens
	whys     whys
	sessions *sessions
	meter    *meter
	door     *door // nil if nothing is listened on

	inputs  chan input
	asides  chan func(*loop) // what else its goroutine is to do
	swaps   sync.Mutex       // one at a time
	stop    chan struct{}    // closed by Close: say bye, then end
	halted  chan struct{}    // closed when the engine's goroutine takes no more inputs
	settled chan struct{}    // closed when what the end does to the ring file is done
	done    chan struct{}    // closed when all is over
	stopped sync.Once
	unhook  func() bool // from Start's context
	err     error       // why it ended; read after settled

	draining atomic.Int32 // drains that are under way
	inbound  inbound
	costs    *costs
	turns    *turns
	live     atomic.Pointer[Live] // the latest
	changing sync.Mutex           // what is live
	nextConn atomic.Uint64
	nextCmd  atomic.Uint64

	mu     sync.Mutex
	ended  bool // no goroutine may start any more
	conns  map[*conn]struct{}
	visits map[*visit]struct{}
	wg     sync.WaitGroup // readers, writers and dials

	status struct {
		sync.Mutex
		connections    int // that the engine knows,
		guests         int // and those of them that are guests'
		stale, leaving bool
		writeError     error
		writing        time.Time // since when a write of the ring file is under way; zero if none is
		trapped        time.Time // when the engine broke last
	}
}

// Start runs a node until ctx ends, Close is called, or the ring ends it: see
// Done and Err. When ctx ends the node says bye, as by Close; Close waits until
// that is done. Start fails, leaving all files as they were, if the configuration
// (a *ConfigError) or the ring file cannot be used, and with a *RemovedError if
// the node was removed from its ring, or left it, and is to join it again without Rejoin.
func Start(ctx context.Context, cfg Config) (_ *Node, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := cfg.setDefaults(); err != nil {
		return nil, err
	}
	n := &Node{
		cfg:      cfg,
		clocks:   clocks{now: cfg.Clock, epoch: time.Now()},
		logs:     NewLogQueue(cfg.Log.Handler()),
		epoch:    time.Now(),
		meter:    newMeter(),
		inputs:   make(chan input, 16),
		asides:   make(chan func(*loop)),
		stop:     make(chan struct{}),
		halted:   make(chan struct{}),
		settled:  make(chan struct{}),
		done:     make(chan struct{}),
		conns:    make(map[*conn]struct{}),
		visits:   make(map[*visit]struct{}),
		joins:    newJoining(),
		sessions: newSessions(),
	}
	n.hearing.reserved = n.answersReserved()
	n.hearing.dropped = n.meter.count("messages_dropped_total")
	n.log = slog.New(n.logs).With("node", cfg.Name)
	n.rare.sum = n.logStrangers
	if n.keeper, err = newKeeper(&n.cfg, n.strangers); err != nil {
		return nil, err
	}
	n.live.Store(cfg.live())
	n.inbound.most = cfg.MaxConnections
	n.costs = newCosts(cfg.MaxGuests)
	n.turns = newTurns()
	n.handler = n.routes()
	n.client = newClient(n.keeper, n.cfg.Times, n.handshakeLate)

	if n.folder, err = disk.Open(cfg.Data, n.log); err != nil {
		return nil, err
	}
	cleanup := func(f func() error) {
		if err != nil {
			f()
		}
	}
	defer func() { cleanup(n.folder.Abandon) }()
	was, marked, err := n.folder.Marked()
	if err != nil {
		return nil, err
	}
	if marked && len(cfg.Join) > 0 && !cfg.Rejoin {
		return nil, &RemovedError{was.Removed, was.Left}
	}
	if err := n.folder.Writable(); err != nil {
		return nil, err
	}
	memory := new(disk.Memory)
	if !marked {
		if memory, err = n.folder.Load(); err != nil {
			return nil, err
		}
	}

	var tcp net.Listener
	if cfg.Listen != "" {
		if tcp, err = n.listen(cfg.Listen); err != nil {
			return nil, err
		}
		defer func() { cleanup(tcp.Close) }()
		n.addr = tcp.Addr().String()
	}
	if cfg.Advertise != "" {
		n.addr = cfg.Advertise
		if tcp != nil {
			n.addr = withPort(n.addr, tcp.Addr().(*net.TCPAddr).Port)
		}
	}
	n.names = n.ownNames()
	socket, err := listenSocket(n.socketFile())
	if err != nil {
		return nil, err
	}
	defer func() {
		cleanup(socket.Close)
		cleanup(func() error { return os.Remove(n.socketFile()) })
	}()

	engine, config, memory, err := n.newEngine(memory)
	if err != nil {
		return nil, err
	}
	if marked {
		err = n.folder.Unmark()
	} else {
		err = n.folder.Use(memory)
	}
	if err != nil {
		engine.Close()
		return nil, err
	}
	if tcp != nil {
		if ip := tcp.Addr().(*net.TCPAddr).IP; !ip.IsLoopback() {
			n.warnExposed(tcp.Addr().String())
		}
	}

	if _, err = n.parseSources(cfg.Join); err != nil { // now that its own address is known
		engine.Close()
		return nil, err
	}
	n.waiter = newWaiter()
	l := n.begin(engine, config)
	n.server = newServer(n.handler, n.log)
	for _, on := range []net.Listener{tcp, insistent{socket, n.door}} {
		if on != nil {
			n.wg.Go(func() { n.listenOn(on) })
		}
	}
	n.warnOfOthers()
	if n.keeper.Server() != nil {
		n.keepTrust("")
	}
	n.joins.remembers = n.othersUp()
	n.useSources(cfg.Join)
	n.wg.Go(n.watchJoin)
	n.unhook = context.AfterFunc(ctx, n.requestStop)
	go l.run()
	return n, nil
}

// newEngine makes the first engine, and returns what it is made of. If it cannot use
// the newest snapshot, that is the one before.
func (n *Node) newEngine(memory *disk.Memory) (core.Engine, core.Config, *disk.Memory, error) {
	n.instance = wire.Instance{Start: n.cfg.Clock().UnixMicro(), Nonce: random()}
	cfg := core.Config{
		Ring: n.cfg.Ring, Name: n.cfg.Name, Address: n.addr, Instance: n.instance,
		Seed: random(), Tags: n.cfg.Tags, Joins: len(n.cfg.Join) > 0, Rejoin: n.cfg.Rejoin,
		MaxGuests: n.cfg.MaxGuests, Snapshot: memory.Snapshot,
	}
	n.cfg.Times.Tune(&cfg)
	if n.cfg.Tune != nil {
		n.cfg.Tune(&cfg)
	}
	for {
		engine, err := n.cfg.Engine(cfg)
		if err == nil {
			cfg.Snapshot = nil
			return engine, cfg, memory, nil
		}
		refused, err := n.cannotStart(memory, err)
		if !refused {
			return nil, cfg, nil, err
		}
		if memory, err = n.folder.Refuse(memory, err); err != nil {
			return nil, cfg, nil, err
		}
		cfg.Snapshot = memory.Snapshot
	}
}

func random() uint64 {
	var b [8]byte
	rand.Read(b[:])
	return binary.LittleEndian.Uint64(b[:])
}

// cannotStart says why no engine could be made, and whether it is for a snapshot that is
// none to it.
func (n *Node) cannotStart(memory *disk.Memory, err error) (refused bool, why error) {
	var bad *core.ConfigError
	if !errors.As(err, &bad) {
		return false, fmt.Errorf("cannot start node %q: %w", n.cfg.Name, err)
	}
	if bad.Field != "Snapshot" {
		return false, wrong(bad.Field, bad.Err)
	}
	var of wire.Snapshot
	switch err := of.Decode(memory.Snapshot); {
	case disk.Later(err):
		return false, fmt.Errorf("the ring file %s is left as it is: a later version wrote it: %w: take that version, or one after it, or choose another data folder (--data)", memory.File, err)
	case err == nil && (of.Name != n.cfg.Name || of.Ring != n.cfg.Ring):
		return false, fmt.Errorf("the ring file %s belongs to node %s of ring %s, not to %s of %s: start it with --name %q --ring %q, choose another data folder (--data), or delete ring and ring.prev there to start anew",
			memory.File, of.Name, of.Ring, n.cfg.Name, n.cfg.Ring, of.Name, of.Ring)
	}
	return true, bad.Err
}

// Name returns the node's name.
func (n *Node) Name() string { return n.cfg.Name }

// Addr returns the HOST:PORT where others dial this node, "" if nobody can.
func (n *Node) Addr() string { return n.addr }

// Handler returns all that the node serves, to be mounted in a server of one's
// own: at its root, or under a path with http.StripPrefix. Then mount it at /ring
// too, whatever else is where: that is the WebSocket that other nodes dial. In a locked
// ring it takes tokens on a Unix socket, too: the operator's is the node's own alone. A
// listener whose connections have the method SyscallConn, as those of package net do, lets
// idle ones be without a goroutine.
func (n *Node) Handler() http.Handler { return n.handler }

// Done is closed when the node has ended and let go of everything.
func (n *Node) Done() <-chan struct{} { return n.done }

// Err says why the node ended: nil if it was stopped or still runs, else
// ErrRemoved, ErrLeft, a *NameTakenError or what broke.
func (n *Node) Err() error {
	select {
	case <-n.done:
		return n.err
	default:
		return nil
	}
}

// Close says bye to the ring, whose member the node remains, waits until all
// is over, and returns Err. With a DrainTimeout its guests go elsewhere before.
func (n *Node) Close() error {
	n.requestStop()
	<-n.done
	return n.err
}

func (n *Node) requestStop() {
	n.stopped.Do(func() {
		if n.cfg.DrainTimeout > 0 {
			go n.drainFor(n.cfg.DrainTimeout)
		} else {
			close(n.stop)
		}
	})
}

// Add adds a node to the ring, joining its ring and this one. It returns once
// the change is on disk. The node need not run yet, if its name is given: the log
// says then that nobody answers; without one it is asked at addr.
func (n *Node) Add(ctx context.Context, name, addr string) (core.Node, error) {
	node, _, err := n.add(ctx, name, addr)
	return node, err
}

// add is Add; but says that nobody answers there yet.
func (n *Node) add(ctx context.Context, name, addr string) (node core.Node, but string, err error) {
	if err := CheckName(name); name != "" && err != nil {
		return core.Node{}, "", &CommandError{Code: wire.CodeInvalid, Text: err.Error()}
	}
	if err := source.Check(addr); err != nil {
		return core.Node{}, "", &CommandError{Code: wire.CodeInvalid, Text: err.Error()}
	}
	r := n.carry(ctx, core.Command{Op: core.Add, Name: name, Addr: addr})
	if r.err != nil {
		return core.Node{}, "", r.err
	}
	if r.but != "" {
		n.log.Info("a node was added, but it does not run yet, or not there", "name", r.name, "address", addr, "why", r.but)
	}
	if node, ok := n.Get(r.name); ok {
		return node, r.but, nil
	}
	return core.Node{Name: r.name, Address: addr}, r.but, nil
}

// Del removes a node from the ring. It returns once the change is on disk.
func (n *Node) Del(ctx context.Context, name string) error {
	_, err := n.do(ctx, core.Command{Op: core.Del, Name: name})
	return err
}

// Leave removes this node from the ring and ends it. It returns once another
// node knows, and the ring file is gone; Err is ErrLeft then. As after a removal, it
// joins again with Rejoin alone.
func (n *Node) Leave(ctx context.Context) error {
	if _, err := n.do(ctx, core.Command{Op: core.Leave}); err != nil {
		return err
	}
	select {
	case <-n.settled:
		if n.err == ErrLeft { // and nothing went wrong
			return nil
		}
		return n.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// do has the engine carry out a command.
func (n *Node) do(ctx context.Context, c core.Command) (name string, err error) {
	r := n.carry(ctx, c)
	return r.name, r.err
}

// carry is do, with all that is to be said of it.
func (n *Node) carry(ctx context.Context, c core.Command) (r result) {
	if c.ID == 0 {
		c.ID = n.nextCmd.Add(1)
	}
	answer := make(chan result, 1)
	in := input{kind: core.Do, command: &c, answer: answer}
	select {
	case n.inputs <- in:
	case <-n.halted:
		return result{err: ErrStopped}
	case <-ctx.Done():
		return result{err: ctx.Err()}
	}
	defer func() { n.meter.asked(c.Op, r.err) }()
	select {
	case r = <-answer:
		return r
	case <-n.settled:
		// All answers were given before; else the input came too late.
		select {
		case r = <-answer:
			return r
		default:
			return result{err: ErrStopped}
		}
	case <-ctx.Done():
		return result{err: ctx.Err()}
	}
}
