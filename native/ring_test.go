package native

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
	"github.com/nanoring/nanoring/native/disk"
)

// These tests run real nodes, with the real engine, on real sockets.

func fast(c *core.Config) {
	c.Period = 50 * core.Millisecond
	c.AckTimeout = 250 * core.Millisecond
	c.Patience = 800 * core.Millisecond
	c.RemovalGrace = 400 * core.Millisecond
}

// mortal is a node that can be killed, as by kill -9: its connections break, and
// its ring file stays as it was last written.
type mortal struct {
	*Node
	cfg  Config
	dead *atomic.Bool
}

type mortalEngine struct {
	core.Engine
	dead *atomic.Bool
}

var errKilled = errors.New("killed")

func (e mortalEngine) Step(in core.Input) ([]core.Effect, error) {
	if e.dead.Load() {
		return nil, errKilled
	}
	return e.Engine.Step(in)
}

// kill waits until the members that the node shows are in its ring file.
func (m *mortal) kill(t *testing.T) {
	t.Helper()
	eventually(t, "the ring file", func() bool {
		var of wire.Snapshot
		snapshot, err := disk.DecodeRingFile([]byte(have(m.cfg.Data, "ring")))
		return err == nil && of.Decode(snapshot) == nil && members(of.Records) == names(m.All())
	})
	m.dead.Store(true)
	receive(t, "its death", m.Done()) // at its next round
	if !errors.Is(m.Err(), errKilled) {
		t.Fatal(m.Err())
	}
}

func real(t *testing.T, name string, change ...func(*Config)) *mortal {
	t.Helper()
	cfg := config(t, name)
	for _, f := range change {
		f(&cfg)
	}
	return again(t, cfg)
}

// again starts a node with the folder and the address that one had.
func again(t *testing.T, cfg Config) *mortal {
	t.Helper()
	dead := new(atomic.Bool)
	if cfg.Tune == nil {
		cfg.Tune = fast
	}
	cfg.Engine = func(c core.Config) (core.Engine, error) {
		r, err := core.New(c)
		return mortalEngine{r, dead}, err
	}
	n := start(t, cfg)
	cfg.Listen = n.Addr()
	return &mortal{n, cfg, dead}
}

// members names those that a ring file's records add.
func members(records []wire.Record) string {
	var all []core.Node
	for _, w := range records {
		if w.Set == wire.Nodes && w.Rank == 0 {
			all = append(all, core.Node{Name: w.Name})
		}
	}
	slices.SortFunc(all, func(a, b core.Node) int { return strings.Compare(a.Name, b.Name) })
	return names(all)
}

func join(addr string) func(*Config) { return func(c *Config) { c.Join = []string{addr} } }

// ring starts dev1 to devN and waits until they agree.
func ring(t *testing.T, size int) []*mortal {
	t.Helper()
	nodes := []*mortal{real(t, "dev1")}
	for i := 2; i <= size; i++ {
		nodes = append(nodes, real(t, fmt.Sprint("dev", i), join(nodes[0].Addr())))
	}
	agree(t, "", nodes...)
	return nodes
}

// agree waits until all of the nodes show up and all as given; "": each other.
func agree(t *testing.T, want string, nodes ...*mortal) {
	t.Helper()
	if want == "" {
		var all []core.Node
		for _, n := range nodes {
			all = append(all, core.Node{Name: n.Name()})
		}
		want = names(all)
	}
	for deadline := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		var not []string
		for _, n := range nodes {
			if all, up := names(n.All()), names(n.Up()); all != want || up != want {
				not = append(not, fmt.Sprintf("%s has all %q, up %q", n.Name(), all, up))
			}
		}
		if not == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("not %q: %s", want, strings.Join(not, "; "))
		}
	}
}

func sees(t *testing.T, n *mortal, name string, s core.State) {
	t.Helper()
	eventually(t, fmt.Sprintf("%s sees %s as %s", n.Name(), name, s), func() bool {
		node, ok := n.Get(name)
		return ok && node.State == s || !ok && s == core.Removed
	})
}

func TestAddJoinsRings(t *testing.T) {
	a := ring(t, 2)
	c, d := real(t, "dev3"), real(t, "dev4")
	node, err := c.Add(t.Context(), "", d.Addr()) // the name is learnt
	if err != nil || node.Name != "dev4" {
		t.Fatal(node, err)
	}
	if _, err := a[0].Add(t.Context(), "dev3", c.Addr()); err != nil {
		t.Fatal(err)
	}
	agree(t, "", a[0], a[1], c, d)
	for i, n := range []*mortal{a[0], a[1], c, d} {
		if node, _ := a[0].Get(fmt.Sprint("dev", i+1)); node.Address != n.Addr() {
			t.Errorf("%+v", node)
		}
	}
}

func TestAddBeforeItRuns(t *testing.T) {
	a := real(t, "dev1")
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := free.Addr().String()
	free.Close()
	if _, err := a.Add(t.Context(), "dev2", addr); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Add(t.Context(), "", addr); err == nil {
		t.Fatal("a node without a name that does not run is added")
	}
	agree(t, "", a, real(t, "dev2", func(c *Config) { c.Listen = addr }))
}

func TestAddRefused(t *testing.T) {
	a, b := real(t, "dev1"), real(t, "dev2")
	other := real(t, "dev3", func(c *Config) { c.Ring = "another" })
	refused := func(name, addr string, code wire.Code) {
		t.Helper()
		_, err := a.Add(t.Context(), name, addr)
		var no *CommandError
		if !errors.As(err, &no) || no.Code != code || no.Text == "" {
			t.Errorf("%v", err)
		}
	}
	refused("dev9", b.Addr(), wire.CodeWrongNode)
	refused("dev3", other.Addr(), wire.CodeRing)
	refused("", other.Addr(), wire.CodeRing)
	refused("dev2", "nowhere", wire.CodeInvalid)
	refused("dev@2", b.Addr(), wire.CodeInvalid)
	for _, nobodys := range []string{"0.0.0.0:7946", "[::]:7946", "224.0.0.1:7946", "[::ffff:10.0.0.1]:7946", "[fe80::1]:7946"} {
		refused("dev2", nobodys, wire.CodeInvalid)
	}
	var no *CommandError
	if err := a.Del(t.Context(), "dev9"); !errors.As(err, &no) || no.Code != wire.CodeUnknown {
		t.Error(err)
	}
	if names(a.All()) != "dev1" || names(other.All()) != "dev3" {
		t.Error(names(a.All()), names(other.All()))
	}
}

func TestKilledNodeIsDown(t *testing.T) {
	nodes := ring(t, 3)
	nodes[2].kill(t)
	for _, n := range nodes[:2] {
		sees(t, n, "dev3", core.Down)
		if names(n.Up()) != "dev1 dev2" || names(n.All()) != "dev1 dev2 dev3" {
			t.Error(names(n.Up()), names(n.All()))
		}
	}
	nodes[2].cfg.Join = nil
	agree(t, "", nodes[0], nodes[1], again(t, nodes[2].cfg))
}

func TestStoppedNodeComesBackElsewhere(t *testing.T) {
	nodes := ring(t, 3)
	if err := nodes[1].Close(); err != nil {
		t.Fatal(err)
	}
	sees(t, nodes[0], "dev2", core.Left)
	sees(t, nodes[2], "dev2", core.Left)
	cfg := nodes[1].cfg
	cfg.Listen, cfg.Join = "127.0.0.1:0", nil
	nodes[1] = again(t, cfg)
	agree(t, "", nodes...)
	for _, n := range nodes {
		eventually(t, "the new address", func() bool {
			node, _ := n.Get("dev2")
			return node.Address == nodes[1].Addr()
		})
	}
}

func TestWholeRingKilled(t *testing.T) {
	nodes := ring(t, 3)
	for _, n := range nodes {
		n.kill(t)
	}
	for i, n := range nodes {
		n.cfg.Join = nil
		nodes[i] = again(t, n.cfg)
	}
	agree(t, "", nodes...)
}

func TestDeletedNodeEnds(t *testing.T) {
	nodes := ring(t, 3)
	if err := nodes[0].Del(t.Context(), "dev3"); err != nil {
		t.Fatal(err)
	}
	receive(t, "dev3's end", nodes[2].Done())
	if !errors.Is(nodes[2].Err(), ErrRemoved) {
		t.Fatal(nodes[2].Err())
	}
	agree(t, "dev1 dev2", nodes[0], nodes[1])
	if _, err := Start(t.Context(), nodes[2].cfg); !errors.Is(err, ErrRemoved) {
		t.Fatal(err)
	}
	nodes[2].cfg.Rejoin = true
	agree(t, "", nodes[0], nodes[1], again(t, nodes[2].cfg))
}

func TestDeletedWhileDown(t *testing.T) {
	nodes := ring(t, 3)
	nodes[2].kill(t)
	sees(t, nodes[0], "dev3", core.Down)
	if err := nodes[0].Del(t.Context(), "dev3"); err != nil {
		t.Fatal(err)
	}
	back := again(t, nodes[2].cfg)
	receive(t, "dev3's end", back.Done())
	if !errors.Is(back.Err(), ErrRemoved) || have(back.cfg.Data, "ring") != "" {
		t.Fatal(back.Err())
	}
	agree(t, "dev1 dev2", nodes[0], nodes[1])
}

func TestDeletedAndAddedAgain(t *testing.T) {
	slow := func(c *Config) {
		c.Tune = func(c *core.Config) {
			fast(c)
			c.RemovalGrace = core.Minute
		}
	}
	a := real(t, "dev1")
	b := real(t, "dev2", slow, join(a.Addr()))
	agree(t, "", a, b)
	if err := a.Del(t.Context(), "dev2"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "dev2 to see it", func() bool { return b.Status().Leaving })
	if _, err := a.Add(t.Context(), "dev2", b.Addr()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "dev2 to stay", func() bool { return !b.Status().Leaving })
	agree(t, "", a, b)
}

func TestLeave(t *testing.T) {
	nodes := ring(t, 3)
	if err := nodes[2].Leave(t.Context()); err != nil {
		t.Fatal(err)
	}
	receive(t, "the end", nodes[2].Done())
	if nodes[2].Err() != ErrLeft || have(nodes[2].cfg.Data, "ring") != "" || have(nodes[2].cfg.Data, "ring.prev") != "" {
		t.Fatal(nodes[2].Err())
	}
	agree(t, "dev1 dev2", nodes[0], nodes[1])
	nodes[2].cfg.Join = nil
	if alone := again(t, nodes[2].cfg); names(alone.All()) != "dev3" {
		t.Fatal(names(alone.All()))
	}
}

func TestNameIsTaken(t *testing.T) {
	nodes := ring(t, 3)
	second := func() *mortal { return real(t, "dev2", join(nodes[0].Addr())) }
	impostor := second()
	receive(t, "its end", impostor.Done())
	if err := impostor.Err(); !errors.Is(err, ErrNameTaken) || !strings.Contains(err.Error(), nodes[1].Addr()) {
		t.Fatal(err)
	}
	agree(t, "", nodes...)
	nodes[1].kill(t)
	heir := second()
	agree(t, "", nodes[0], heir, nodes[2])
	if node, _ := nodes[0].Get("dev2"); node.Address != heir.Addr() {
		t.Fatalf("%+v", node)
	}
}

func TestClockIsWrong(t *testing.T) {
	for _, wrong := range []time.Duration{time.Hour, -time.Hour} {
		t.Run(wrong.String(), func(t *testing.T) {
			var off atomic.Int64
			off.Store(int64(wrong))
			var told logged
			nodes := ring(t, 2)
			c := real(t, "dev3", join(nodes[0].Addr()), func(c *Config) {
				c.Clock = func() time.Time { return time.Now().Add(time.Duration(off.Load())) }
				c.Log = told.logger()
			})
			eventually(t, "dev3 to be told", func() bool { return told.count("clock") > 0 })
			agree(t, "dev1 dev2", nodes...)
			off.Store(0)
			agree(t, "", nodes[0], nodes[1], c)
		})
	}
}

func TestHostilePeers(t *testing.T) {
	nodes := ring(t, 2)
	var wg sync.WaitGroup
	for i := range 200 {
		wg.Go(func() { // says nothing
			ws, _, err := websocket.Dial(t.Context(), "ws://"+nodes[0].Addr()+"/ring", &websocket.DialOptions{HTTPClient: nodes[0].client, Subprotocols: []string{subprotocol}})
			if err != nil {
				t.Error(err)
				return
			}
			t.Cleanup(func() { ws.CloseNow() })
			if i%2 == 0 { // or nonsense
				ws.Write(t.Context(), websocket.MessageBinary, bytes.Repeat([]byte{0xdd, 0xff}, i))
			}
		})
	}
	wg.Wait()
	ws := peer(t, nodes[0].Node)
	write(t, ws, websocket.MessageBinary, []byte("\xdd\xff\xff\xff\xff"))
	if e := closeOf(t, ws); wire.Code(e.Code) != wire.CodeBadFrame {
		t.Fatalf("%+v", e)
	}
	c := real(t, "dev3", join(nodes[0].Addr()))
	agree(t, "", nodes[0], nodes[1], c)
}

func TestAddWithFullDisk(t *testing.T) {
	var full atomic.Bool
	a := real(t, "dev1", func(c *Config) {
		c.writeRing = func(f *disk.Folder, b []byte, change bool) error {
			if full.Load() {
				return os.ErrPermission
			}
			return writeRing(f, b, change)
		}
	})
	b := real(t, "dev2")
	full.Store(true)
	if _, err := a.Add(t.Context(), "dev2", b.Addr()); !errors.Is(err, ErrNotWritten) {
		t.Fatal(err)
	}
	agree(t, "", a, b) // it goes on
	full.Store(false)
	eventually(t, "the next try", func() bool { return a.Status().WriteError == "" })
	a.kill(t)
	agree(t, "", again(t, a.cfg), b)
}
