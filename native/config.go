package native

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"time"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// Config is what a node is made of. Name and Data are required.
type Config struct {
	Name string       // who this node is: 1 to 255 bytes, no '@'
	Ring string       // the ring's name, default "nanoring"; two names never merge
	Data string       // folder of the ring file, made if missing; one process at a time
	Tags []wire.Tag   // its own labels
	Join []string     // HOST:PORTs to dial until one of them has let it in
	Log  *slog.Logger // default slog.Default()

	// Listen is the HOST:PORT to listen on. Empty: nothing is listened on; mount
	// Node.Handler in a server of your own and say in Advertise where that is.
	Listen string
	// Advertise is the HOST:PORT where others dial this node, by default the
	// listener's. Without either, the node can only dial out.
	Advertise string

	Rejoin   bool // come back although it was removed
	Insecure bool // listen beyond loopback although nothing keeps strangers out

	// Engine makes the engine; nil is core.New. It is a constructor, since the
	// ring file's snapshot has to go in.
	Engine func(core.Config) (core.Engine, error)
	// Clock is the wall clock; nil is time.Now. Timers do not use it.
	Clock func() time.Time
	// Tune may change the engine's configuration, its periods above all, before
	// the engine is made. It is there for tests.
	Tune func(*core.Config)

	writeRing func(dir string, data []byte) error // tests make it fail
}

func (c *Config) setDefaults() error {
	if c.Name == "" {
		return errors.New("the node has no name: set Name (--name)")
	}
	if c.Data == "" {
		return errors.New("the node has no folder for its ring file: set Data (--data)")
	}
	if c.Ring == "" {
		c.Ring = "nanoring"
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.Clock == nil {
		c.Clock = time.Now
	}
	if c.Engine == nil {
		c.Engine = func(cfg core.Config) (core.Engine, error) { return core.New(cfg) }
	}
	if c.writeRing == nil {
		c.writeRing = writeRing
	}
	return c.checkAddresses()
}

// checkAddresses refuses what would expose the node, or what nobody could dial.
func (c *Config) checkAddresses() error {
	if c.Listen != "" {
		ip, err := listenIP(c.Listen)
		if err != nil {
			return err
		}
		if !ip.IsLoopback() && !c.Insecure {
			return fmt.Errorf("refusing to listen on %s: it is not a loopback address, and whoever can reach it could join, read and change the ring; listen on 127.0.0.1, or set Insecure (--insecure) on a network that you trust", c.Listen)
		}
		if ip.IsUnspecified() && c.Advertise == "" {
			return fmt.Errorf("listening on %s tells nobody where to dial this node: set Advertise (--advertise) to the HOST:PORT where others reach it", c.Listen)
		}
	}
	if c.Advertise != "" {
		host, port, err := net.SplitHostPort(c.Advertise)
		if err != nil {
			return fmt.Errorf("advertised address %q is not HOST:PORT: %w", c.Advertise, err)
		}
		if ip, err := netip.ParseAddr(host); host == "" || port == "" || port == "0" || err == nil && ip.IsUnspecified() {
			return fmt.Errorf("advertised address %q cannot be dialled: set Advertise (--advertise) to the HOST:PORT where others reach this node", c.Advertise)
		}
	}
	return nil
}

func listenIP(addr string) (netip.Addr, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return netip.Addr{}, fmt.Errorf("listen address %q is not HOST:PORT: %w", addr, err)
	}
	if host == "" {
		return netip.IPv6Unspecified(), nil
	}
	a, err := net.ResolveIPAddr("ip", host)
	if err != nil {
		return netip.Addr{}, fmt.Errorf("listen address %q: %w", addr, err)
	}
	ip, _ := netip.AddrFromSlice(a.IP)
	return ip.Unmap(), nil
}
