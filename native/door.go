package native

import (
	"bufio"
	"container/list"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"time"
)

const (
	maxStrangers = 1024 // TCP connections of which it is not known whose they are
	maxFromOne   = 128  // of them, from one address; of IPv6, from one network

	mostFriends = 256 // addresses, of IPv6 networks, that are remembered because nodes or operators came from there

	recordTLS = 0x16 // how a TLS connection begins, and no HTTP request does
)

// door is a listener that knows strangers from those who have shown who they are,
// so that many of the former cannot keep the latter out: when strangers are too
// many, the oldest goes. What begins as TLS is TLS when it comes out.
type door struct {
	net.Listener
	most   int           // of all
	within time.Duration // for a handshake
	tls    *tls.Config   // nil: nobody speaks TLS here
	log    *slog.Logger
	rare   *rarely // the node's
	queue  queue   // of handshakes

	ready  chan net.Conn
	closed chan struct{}
	failed error // of Accept, for good; read after closed
	once   sync.Once
	wg     sync.WaitGroup

	mu        sync.Mutex
	total     int
	dropped   [dropCauses]uint64
	strangers list.List                   // of *visitor, oldest first
	from      map[netip.Prefix]*list.List // the same, by where they come from
	friends   []netip.Prefix              // where nodes and operators came from, the last last
	lent      map[*visitor]struct{}       // those that are known for as long as a token is good
}

// newDoor listens by l, which it closes when it is closed, for so many beside strangers, who
// have so long to show who they are.
func newDoor(l net.Listener, within time.Duration, known int, config *tls.Config, log *slog.Logger, rare *rarely) *door {
	d := &door{
		Listener: l, within: within, most: known + maxStrangers, log: log, rare: rare, queue: queue{free: runtime.GOMAXPROCS(0)},
		ready: make(chan net.Conn), closed: make(chan struct{}), from: make(map[netip.Prefix]*list.List),
	}
	if config != nil {
		d.tls = config.Clone()
		d.tls.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			if err := hello.Conn.(*visitor).begins(hello.Context()); err != nil {
				return nil, err
			}
			if config.GetConfigForClient == nil {
				return nil, nil
			}
			return config.GetConfigForClient(hello)
		}
	}
	d.wg.Go(d.accept)
	return d
}

// accept is a goroutine, which ends when the listener is closed.
func (d *door) accept() {
	for {
		c, err := d.Listener.Accept()
		if temporary, ok := err.(interface{ Temporary() bool }); ok && temporary.Temporary() {
			switch {
			case sayNoFiles(d.log, d.rare, err):
				d.makeRoom()
			case d.rare.now("accept", ""):
				d.log.Warn("cannot accept a connection; trying again", "err", err)
			}
			select {
			case <-time.After(50 * time.Millisecond): // out of files, perhaps
				continue
			case <-d.closed:
			}
		}
		if err != nil {
			d.end(err)
			return
		}
		if v := d.enter(c); v != nil {
			d.wg.Go(func() { d.receive(v) })
		}
	}
}

// receive finds out how a connection begins, and does its TLS handshake.
func (d *door) receive(v *visitor) {
	var c net.Conn = v
	v.SetDeadline(time.Now().Add(d.within))
	first, err := v.begin.Peek(1)
	switch {
	case err != nil:
		d.drop(dropSilent)
		v.Close()
		return
	case first[0] != recordTLS:
	case d.tls == nil:
		d.drop(dropNoTLS)
		io.WriteString(v, "HTTP/1.0 400 no TLS here\r\n\r\n") // by which who dialled knows
		if half, ok := c.(*visitor).Conn.(*net.TCPConn); ok {
			half.CloseWrite()
			io.CopyN(io.Discard, v, maxFirst) // closed with something unread, it would be reset
		}
		v.Close()
		return
	default:
		secure := tls.Server(v, d.tls)
		ctx, cancel := context.WithTimeout(context.Background(), d.within)
		err := secure.HandshakeContext(ctx)
		cancel()
		v.rests(true)
		if err != nil {
			d.drop(dropHandshake)
			if from := v.RemoteAddr().String(); !sayNoFiles(d.log, d.rare, err) {
				d.log.Log(ctx, d.rare.level("no TLS", from), "a connection was refused: no TLS handshake", "from", from, "why", err)
			}
			v.Close()
			return
		}
		c = secure
	}
	v.SetDeadline(time.Time{})
	d.mu.Lock()
	v.out = true
	d.mu.Unlock()
	select {
	case d.ready <- c:
	case <-d.closed:
		v.Close()
	}
}

// Accept returns the next connection, a *tls.Conn whose handshake is done or a *visitor.
func (d *door) Accept() (net.Conn, error) {
	select {
	case c := <-d.ready:
		return c, nil
	case <-d.closed:
		return nil, d.failed
	}
}

// Close ends the listening, and the connections that have not come out yet.
func (d *door) Close() error {
	err := d.Listener.Close()
	d.end(net.ErrClosed)
	d.mu.Lock()
	var left []*visitor
	for e := d.strangers.Front(); e != nil; e = e.Next() {
		if v := e.Value.(*visitor); !v.out {
			left = append(left, v)
		}
	}
	d.mu.Unlock()
	for _, v := range left {
		v.Conn.Close()
	}
	d.wg.Wait()
	return err
}

func (d *door) end(err error) {
	d.once.Do(func() {
		d.failed = err
		close(d.closed)
	})
}

// Why a connection was dropped.
const (
	dropSilent    = iota // nothing came
	dropNoTLS            // TLS where none is spoken
	dropHandshake        // its TLS handshake failed
	dropMadeRoom         // there were many strangers, and it was the oldest
	dropTooMany          // there were too many of all
	dropCauses
)

func (d *door) drop(cause int) {
	d.mu.Lock()
	d.dropped[cause]++
	d.mu.Unlock()
}

// drops returns how many connections were dropped, by cause.
func (d *door) drops() map[string]uint64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return map[string]uint64{
		"silent": d.dropped[dropSilent], "no-tls": d.dropped[dropNoTLS], "handshake": d.dropped[dropHandshake],
		"made-room": d.dropped[dropMadeRoom], "too-many": d.dropped[dropTooMany],
	}
}

// visitor is a TCP connection that came through the door.
type visitor struct {
	net.Conn
	door  *door
	begin *bufio.Reader // until all is read that it holds
	from  netip.Prefix
	once  sync.Once

	shakes, works bool // its handshake has begun, and has a turn: its goroutine's

	// The door's:
	out     bool          // it is on its way out of the door
	in, one *list.Element // of strangers and from; nil of one that is known
	cost    *account      // of the reader whose it is
	stands  stands        // of one that is lent
	gone    bool          // it is closed
}

// enter lets a connection in as a stranger's, or closes it.
func (d *door) enter(c net.Conn) *visitor {
	v := &visitor{Conn: c, door: d, begin: bufio.NewReaderSize(c, 16), from: networkOf(c.RemoteAddr())}
	d.mu.Lock()
	var oldest *visitor
	switch same := d.from[v.from]; {
	case same != nil && same.Len() >= maxFromOne && !v.from.Addr().IsLoopback(): // there may be a proxy, for all
		oldest = same.Front().Value.(*visitor)
	case d.strangers.Len() >= maxStrangers:
		oldest = d.strangers.Front().Value.(*visitor)
	case d.total >= d.most:
		d.dropped[dropTooMany]++
		d.mu.Unlock()
		c.Close()
		if from := c.RemoteAddr().String(); d.rare.now("busy", from) {
			d.log.Info("a connection was refused: too many are open", "from", from)
		}
		return nil
	}
	if oldest != nil {
		oldest.forget()
		d.dropped[dropMadeRoom]++
	}
	d.total++
	v.enlist()
	d.mu.Unlock()
	if oldest != nil {
		oldest.Conn.Close() // its reader does the rest
	}
	return v
}

// makeRoom closes the oldest stranger, so that there is a file descriptor for somebody else, and
// says whether there was one.
func (d *door) makeRoom() bool {
	d.mu.Lock()
	front := d.strangers.Front()
	if front == nil {
		d.mu.Unlock()
		return false
	}
	oldest := front.Value.(*visitor)
	oldest.forget()
	d.dropped[dropMadeRoom]++
	d.mu.Unlock()
	oldest.Conn.Close() // its reader does the rest
	return true
}

// enlist makes a visitor the latest stranger; the door is locked.
func (v *visitor) enlist() {
	d := v.door
	v.in = d.strangers.PushBack(v)
	if d.from[v.from] == nil {
		d.from[v.from] = list.New()
	}
	v.one = d.from[v.from].PushBack(v)
}

// forget takes a visitor off the lists of strangers; the door is locked.
func (v *visitor) forget() {
	if v.in == nil {
		return
	}
	v.door.strangers.Remove(v.in)
	same := v.door.from[v.from]
	same.Remove(v.one)
	if same.Len() == 0 {
		delete(v.door.from, v.from)
	}
	v.in, v.one = nil, nil
}

// known says that whoever it is has shown that it may come in; a friend is a node, or an operator.
func (v *visitor) known(friend bool) {
	v.door.mu.Lock()
	defer v.door.mu.Unlock()
	v.forget()
	v.keeps()
	if all := v.door.friends; friend && (len(all) == 0 || all[len(all)-1] != v.from) {
		if at := slices.Index(all, v.from); at >= 0 {
			all = slices.Delete(all, at, at+1)
		} else if len(all) == mostFriends {
			all = slices.Delete(all, 0, 1)
		}
		v.door.friends = append(all, v.from)
	}
}

var errMadeRoom = errors.New("it made room for a later one")

// begins waits for a turn at the handshake. It is an error if there is nobody any more to do it with.
func (v *visitor) begins(ctx context.Context) error {
	v.shakes = true
	v.goesOn()
	v.door.mu.Lock()
	defer v.door.mu.Unlock()
	if v.in == nil {
		return errMadeRoom
	}
	return ctx.Err()
}

// goesOn waits for a turn.
func (v *visitor) goesOn() {
	v.door.mu.Lock()
	friend := slices.Contains(v.door.friends, v.from)
	v.door.mu.Unlock()
	v.door.queue.enter(friend)
	v.works = true
}

// rests ends its turn, if it has one: what comes next is the other side's, or nothing.
func (v *visitor) rests(over bool) {
	if v.works {
		v.door.queue.leave()
		v.works = false
	}
	if over {
		v.shakes = false
	}
}

// Read reads what was looked at first.
func (v *visitor) Read(b []byte) (int, error) {
	if v.shakes {
		v.rests(false)
		defer v.goesOn()
	}
	if v.begin != nil && v.begin.Buffered() > 0 {
		return v.begin.Read(b)
	}
	v.begin = nil
	return v.Conn.Read(b)
}

// SyscallConn is for who waits for something to read.
func (v *visitor) SyscallConn() (syscall.RawConn, error) {
	file, ok := v.Conn.(syscall.Conn)
	if !ok {
		return nil, errors.ErrUnsupported
	}
	return file.SyscallConn()
}

// Close closes the connection. It may be called again.
func (v *visitor) Close() error {
	err := v.Conn.Close()
	v.once.Do(func() {
		v.door.mu.Lock()
		defer v.door.mu.Unlock()
		v.forget()
		v.keeps()
		v.leaveSeat()
		v.door.total--
		v.gone = true
	})
	return err
}

// networkOf returns the address that a connection comes from, or of IPv6 its
// network, of which one host may have all addresses.
func networkOf(addr net.Addr) netip.Prefix {
	tcp, ok := addr.(*net.TCPAddr)
	if !ok {
		return netip.Prefix{}
	}
	return networkOfIP(tcp.AddrPort().Addr())
}

// networkAt is networkOf for the RemoteAddr of a request.
func networkAt(addr string) netip.Prefix {
	a, err := netip.ParseAddrPort(addr)
	if err != nil {
		return netip.Prefix{}
	}
	return networkOfIP(a.Addr())
}

// whence is who somebody is by an address, with a port or without: that, or of IPv6 its network.
func whence(addr string) string {
	host := hostname(addr)
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return host
	}
	return networkOfIP(ip).String()
}

func networkOfIP(ip netip.Addr) netip.Prefix {
	ip = ip.Unmap()
	bits := ip.BitLen()
	if ip.Is6() && !ip.IsLoopback() {
		bits = 64
	}
	p, _ := ip.WithZone("").Prefix(bits)
	return p
}

// visitorOf returns the visitor that a connection is; nil of one that came
// through no door.
func visitorOf(c net.Conn) *visitor {
	if secure, ok := c.(*tls.Conn); ok {
		c = secure.NetConn()
	}
	v, _ := c.(*visitor)
	return v
}
