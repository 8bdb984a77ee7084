package native

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
	"github.com/nanoring/nanoring/native/disk"
)

// Config is what a node is made of. Name and Data are required.
type Config struct {
	Name string       // who this node is: 1 to 255 bytes, no '@'
	Ring string       // the ring's name, default "nanoring"; two names never merge
	Data string       // folder of the ring file, made if missing; one process at a time
	Tags []wire.Tag   // its own labels
	Join []string     // sources of addresses of its ring's nodes: see package native/source
	Log  *slog.Logger // default slog.Default()

	// Listen is the HOST:PORT to listen on. Empty: nothing is listened on; mount
	// Node.Handler in a server of your own and say in Advertise where that is. With a
	// secret that server is a TLS one, by Node.TLSConfig.
	Listen string
	// Advertise is the HOST:PORT where others dial this node, by default the
	// listener's. Without either, the node can only dial out.
	Advertise string

	// Interface is the network interface of a source mdns:, "" for the system's choice.
	Interface string
	// ReadyAlone is after how long a node counts as ready that was to join, and found nobody;
	// 0: never.
	ReadyAlone time.Duration

	// PublicURL is the WebSocket URL at which browsers reach this node, like
	// wss://ring.example.com/ring: the ring knows it as the tag "public-url", and
	// tabs take it for one of their gateways. Empty: a tab whose gateway it
	// reached at its address takes others to be reached so, too.
	PublicURL string

	// SecretFile has the ring's secret: see trust.ParseSecrets. With it nodes prove to each
	// other that they have it, guests and the HTTP API need tokens, and all is TLS.
	// The file is watched: another secret in it needs no restart.
	SecretFile string
	// TLSCert and TLSKey are files in PEM, watched as well: the certificate for all
	// who dial this node and are no nodes, browsers above all. With TLSCA, also a
	// file, nodes show it to each other, and trust that CA instead of the secret's:
	// it has to name the node, as common name, first DNS name or URI nanoring:NAME.
	TLSCert, TLSKey, TLSCA string
	// TLS takes the place of the three files; its ClientCAs, if any, that of TLSCA.
	TLS *tls.Config
	// AllowOrigins are origins, as browsers write them, like https://example.org, whose
	// pages may be guests beside the node's own; "*" is any, and moz-extension://* and
	// safari-web-extension://* are all extensions. They need a secret.
	AllowOrigins []string
	// Hosts are names by which browsers, and programs, reach this node in a ring without a
	// secret, beside its addresses, localhost, its machine's name and those of Listen, Advertise and
	// PublicURL. Another name may be one that a web page has made up (DNS rebinding), and is refused.
	Hosts []string
	// MaxConnections bounds those that others opened, at a time; 0 stands for 4096.
	MaxConnections int
	// MaxGuests bounds those of guests: half of MaxConnections at most. 0 stands for 1000,
	// or that half.
	MaxGuests int
	// DrainTimeout is for how long the node, when it is to end, has its guests go to other
	// gateways, unless there are none, and answers what it was asked, before it does. 0: they
	// find out by themselves.
	DrainTimeout time.Duration

	Times Times // how fast the ring is, and how patient

	Rejoin   bool // come back although it was removed
	Insecure bool // listen beyond loopback although nothing keeps strangers out; with a secret, take HTTP that is not encrypted there, from a proxy
	NoPage   bool // serve no page for browsers, nor nanoring.js and nanoring.wasm

	// Engine makes the engine; nil is core.New. It is a constructor, since the
	// ring file's snapshot has to go in.
	Engine func(core.Config) (core.Engine, error)
	// Sandbox makes an engine that runs a WebAssembly module, nil for NanoRing's own:
	// host.New. Without it, Swap takes no modules. ctx ends a compilation.
	Sandbox func(ctx context.Context, module []byte, cfg core.Config) (core.Engine, error)
	// Clock is the wall clock; nil is time.Now. Timers do not use it.
	Clock func() time.Time
	// Tune may change the engine's configuration before the engine is made. It is
	// there for tests.
	Tune func(*core.Config)

	writeRing func(f *disk.Folder, b []byte, change bool) error // tests make it fail
}

func (c *Config) setDefaults() error {
	if c.Data == "" {
		return missing("Data", "the node has no folder for its ring file")
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
		c.Engine = newRing
	}
	if c.writeRing == nil {
		c.writeRing = writeRing
	}
	if err := c.publish(); err != nil {
		return err
	}
	if c.MaxConnections == 0 {
		c.MaxConnections = defaultConnections
	}
	if c.MaxGuests == 0 {
		c.MaxGuests = max(min(1000, c.MaxConnections/2), 1)
	}
	if err := c.Times.complete(); err != nil {
		return err
	}
	if err := c.checkNames(); err != nil {
		return err
	}
	if err := c.checkLocks(); err != nil {
		return err
	}
	return c.checkAddresses()
}

func newRing(cfg core.Config) (core.Engine, error) { return core.New(cfg) }

// publish makes a tag of the PublicURL.
func (c *Config) publish() error {
	if c.PublicURL == "" {
		return nil
	}
	u, err := url.Parse(c.PublicURL)
	if err != nil || u.Scheme != "ws" && u.Scheme != "wss" || u.Host == "" || u.Fragment != "" {
		return wrong("PublicURL", fmt.Errorf("%q is not the URL of a WebSocket, like wss://ring.example.com/ring", c.PublicURL))
	}
	c.Tags = append(slices.Clone(c.Tags), wire.Tag{Key: "public-url", Value: c.PublicURL})
	return nil
}

// checkLocks refuses what does not go together.
func (c *Config) checkLocks() error {
	switch {
	case c.TLSCert != "" && c.TLSKey == "":
		return missing("TLSKey", "there is a certificate without its key")
	case c.TLSCert == "" && c.TLSKey != "":
		return missing("TLSCert", "there is a key without its certificate")
	case c.TLSCA != "" && c.TLSCert == "":
		return missing("TLSCert", "nodes that trust a CA have to show each other a certificate of it")
	case c.TLS != nil && c.TLSCert != "":
		return wrong("TLS", errors.New("TLSCert is set, too"))
	case len(c.AllowOrigins) > 0 && c.SecretFile == "":
		return missing("SecretFile", "without a secret only pages of the node's own origin, and loopback ones, may be guests")
	case c.DrainTimeout < 0:
		return wrong("DrainTimeout", errors.New("it is negative"))
	case c.MaxConnections < leastConnections || c.MaxConnections > mostConnections:
		return wrong("MaxConnections", fmt.Errorf("%d is not from %d to %d", c.MaxConnections, leastConnections, mostConnections))
	case c.MaxGuests < 0 || c.MaxGuests > c.MaxConnections/2:
		return wrong("MaxGuests", fmt.Errorf("%d is not from 1 to %d, half of all connections", c.MaxGuests, c.MaxConnections/2))
	}
	for i, host := range c.Hosts {
		name, err := checkHost(host)
		if err != nil {
			return wrong("Hosts", err)
		}
		if i == 0 {
			c.Hosts = slices.Clone(c.Hosts) // the caller's stay as they are
		}
		c.Hosts[i] = name
	}
	for _, origin := range c.AllowOrigins {
		if err := checkOrigin(origin); err != nil {
			return wrong("AllowOrigins", err)
		}
	}
	return nil
}

// locked says whether strangers are kept out of the ring.
func (c *Config) locked() bool {
	return c.SecretFile != "" || c.TLSCA != "" || c.TLS != nil && c.TLS.ClientCAs != nil
}

// wrong makes a ConfigError of a field that cannot be used.
func wrong(field string, err error) error { return &ConfigError{Field: field, Err: err} }

// missing makes a ConfigError of a field that has to be set.
func missing(field, format string, args ...any) error {
	return &ConfigError{Field: field, Missing: true, Err: fmt.Errorf(format, args...)}
}

func (c *Config) checkNames() error {
	if err := CheckName(c.Name); err != nil {
		return wrong("Name", err)
	}
	if err := CheckName(c.Ring); err != nil {
		return wrong("Ring", err)
	}
	keys := make(map[string]bool)
	for _, t := range c.Tags {
		if err := checkKey(t.Key); err != nil {
			return wrong("Tags", err)
		}
		if t.Key == "" || keys[t.Key] || !utf8.ValidString(t.Key+t.Value) {
			return wrong("Tags", fmt.Errorf("%q=%q: a key is not empty, each is there once, and both are UTF-8", t.Key, t.Value))
		}
		keys[t.Key] = true
	}
	return nil
}

// checkAddresses refuses what would expose the node, or what nobody could dial.
func (c *Config) checkAddresses() error {
	if err := c.checkJoin(); err != nil {
		return err
	}
	if err := c.findPlaces(); err != nil {
		return err
	}
	if c.Listen != "" {
		ip, err := listenIP(c.Listen)
		if err != nil {
			return err
		}
		if !ip.IsLoopback() && !c.locked() && !c.Insecure {
			return missing("SecretFile", "refusing to listen on %s: it is not a loopback address, like 127.0.0.1, and whoever can reach it could join, read and change the ring. Insecure (--insecure) is for a network that you trust; else make a secret for the ring (nanoring keygen)", c.Listen)
		}
		if ip.IsUnspecified() && c.Advertise == "" {
			return missing("Advertise", "listening on %s tells nobody the HOST:PORT where to dial this node", c.Listen)
		}
		if ip.Is6() && ip.IsLinkLocalUnicast() && c.Advertise == "" {
			return missing("Advertise", "listening on %s, a link-local address, tells nobody where to dial this node: such an address is one only with a zone, which each host names as it likes", c.Listen)
		}
	}
	return nil
}

func listenIP(addr string) (netip.Addr, error) {
	host, port, err := net.SplitHostPort(addr)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return netip.Addr{}, wrong("Listen", fmt.Errorf("%q is not HOST:PORT, with a PORT from 0 to 65535", addr))
	}
	if host == "" {
		return netip.IPv6Unspecified(), nil
	}
	if ip, err := netip.ParseAddr(host); err == nil && (ip.IsMulticast() || ip.Is4In6()) {
		return netip.Addr{}, wrong("Listen", fmt.Errorf("%s: a multicast address is nobody's, and an IPv4 address is not written as an IPv6 one", addr))
	}
	a, err := net.ResolveIPAddr("ip", host)
	if err != nil {
		return netip.Addr{}, fmt.Errorf("cannot listen on %s: %s is no interface of this host, and no host name that resolves: %w", addr, host, err)
	}
	ip, _ := netip.AddrFromSlice(a.IP)
	return ip.Unmap(), nil
}
