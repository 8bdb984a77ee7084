package native

import (
	"bytes"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nanoring/nanoring/core/wire"
)

const (
	// A node that dials says by ALPN which of the ring's secrets it has: that
	// tells it from a browser, and lets both go by one that they share.
	alpnPrefix = "nanoring/"
	alpnPKI    = alpnPrefix + "pki"

	handshakeTime = 5 * time.Second
)

// trust is whom a node believes, and how it shows who it is, at one time. It does
// not change: what follows of new files or the next certificate is another trust.
type trust struct {
	secrets     []Secret
	authorities []*authority    // of the secrets, in their order
	roots       *x509.CertPool  // of a PKI, whose certificates nodes show instead; nil for none
	public      tls.Certificate // from files; for browsers, and as a node in a PKI
	server      *tls.Config     // for nodes that dial
	client      *tls.Config     // to dial nodes
	others      *tls.Config     // for everybody else that dials
}

func (t *trust) ids() []string { return ids(t.secrets) }

// secured says whether nodes have to prove who they are.
func (t *trust) secured() bool { return t.roots != nil || len(t.secrets) > 0 }

// keeper keeps a node's trust up to date.
type keeper struct {
	cfg  *Config
	log  *slog.Logger
	root *tls.Config // for all that dial; nil if there is nothing to show
	now  atomic.Pointer[trust]

	mu    sync.Mutex
	files [][]byte // as they were read last
	since time.Time

	rare rarely
}

// newKeeper reads what the configuration names. A file that cannot be used is a *ConfigError.
func newKeeper(cfg *Config, log *slog.Logger) (*keeper, error) {
	k := &keeper{cfg: cfg, log: log}
	if cfg.SecretFile != "" || cfg.TLSCert != "" || cfg.TLS != nil {
		k.root = &tls.Config{GetConfigForClient: k.choose}
	}
	files, err := k.read()
	if err != nil {
		return nil, err
	}
	return k, k.build(files)
}

// fields are the configuration's files, by name.
func (k *keeper) fields() [4][2]string {
	c := k.cfg
	return [4][2]string{{"SecretFile", c.SecretFile}, {"TLSCert", c.TLSCert}, {"TLSKey", c.TLSKey}, {"TLSCA", c.TLSCA}}
}

func (k *keeper) read() ([][]byte, error) {
	var files [][]byte
	for _, f := range k.fields() {
		var b []byte
		if f[1] != "" {
			var err error
			if b, err = os.ReadFile(f[1]); err != nil {
				return nil, wrong(f[0], err)
			}
		}
		files = append(files, b)
	}
	return files, nil
}

// build makes the trust that follows from files, with new certificates.
func (k *keeper) build(files [][]byte) (err error) {
	t, c := new(trust), k.cfg
	if c.SecretFile != "" {
		if t.secrets, err = ParseSecrets(files[0]); err != nil {
			return wrong("SecretFile", fmt.Errorf("%s: %w", c.SecretFile, err))
		}
	}
	now := c.Clock()
	for i := range t.secrets {
		a, err := newAuthority(&t.secrets[i])
		if err == nil {
			err = a.issue(c.Name, now)
		}
		if err != nil {
			return wrong("SecretFile", err)
		}
		t.authorities = append(t.authorities, a)
	}
	if c.TLSCert != "" {
		if t.public, err = tls.X509KeyPair(files[1], files[2]); err != nil {
			return wrong("TLSCert", fmt.Errorf("%s with %s: %w", c.TLSCert, c.TLSKey, err))
		}
	}
	if c.TLSCA != "" {
		t.roots = x509.NewCertPool()
		if !t.roots.AppendCertsFromPEM(files[3]) {
			return wrong("TLSCA", fmt.Errorf("%s has no certificate in PEM", c.TLSCA))
		}
	}
	if c.TLS != nil {
		t.roots = c.TLS.ClientCAs
	}
	if err := k.checkOwn(t); err != nil {
		return err
	}
	k.configure(t)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.files, k.since = files, now
	k.now.Store(t)
	return nil
}

// checkOwn finds out early that others would not take this node for who it is.
func (k *keeper) checkOwn(t *trust) error {
	if t.roots == nil || k.cfg.TLSCert == "" {
		return nil
	}
	name, err := nameIn(t.public.Leaf, true)
	if err == nil && name != k.cfg.Name {
		err = fmt.Errorf("it is for %s: as a node's, with a CA of one's own, it names the node, %s (its common name, or a URI %s:%s)", name, k.cfg.Name, nameScheme, k.cfg.Name)
	}
	if err != nil {
		return wrong("TLSCert", err)
	}
	return nil
}

// configure makes the TLS configurations of a trust.
func (k *keeper) configure(t *trust) {
	shown := func() *tls.Config {
		if k.cfg.TLS != nil {
			return k.cfg.TLS.Clone()
		}
		c := &tls.Config{MinVersion: tls.VersionTLS12}
		if k.cfg.TLSCert != "" {
			c.Certificates = []tls.Certificate{t.public}
		}
		return c
	}
	t.others = shown()
	t.others.NextProtos = []string{"http/1.1"} // WebSockets
	t.others.ClientAuth = tls.NoClientCert
	if k.cfg.TLS == nil && k.cfg.TLSCert == "" && len(t.authorities) > 0 {
		t.others.Certificates = []tls.Certificate{*t.authorities[0].leaf}
	}
	if !t.secured() {
		return
	}
	base := new(tls.Config)
	if t.roots != nil {
		base = shown()
		base.GetConfigForClient, base.VerifyPeerCertificate, base.NextProtos = nil, nil, nil
	}
	base.MinVersion = tls.VersionTLS13
	base.Time = k.cfg.Clock
	base.VerifyConnection = func(cs tls.ConnectionState) error {
		_, err := t.verify(cs.PeerCertificates, k.cfg.Clock())
		return err
	}
	t.server, t.client = base, base.Clone()
	var key [32]byte // of this trust alone: no handshake is made short by what another had said
	rand.Read(key[:])
	t.server.SetSessionTicketKeys([][32]byte{key})
	t.server.ClientAuth = tls.RequireAnyClientCert // verified above
	t.client.InsecureSkipVerify = true             // likewise
	t.client.ClientSessionCache = tls.NewLRUClientSessionCache(256)
	if t.roots != nil {
		t.server.ClientCAs = t.roots
		t.client.NextProtos = []string{alpnPKI}
		return
	}
	t.server.ClientCAs = x509.NewCertPool()
	for _, a := range t.authorities {
		t.server.ClientCAs.AddCert(a.cert)
		t.client.NextProtos = append(t.client.NextProtos, alpnPrefix+a.id)
	}
	t.server.GetCertificate = t.forDialler
	t.client.GetClientCertificate = t.forAcceptor
}

// forDialler picks the certificate by a secret that the dialler has; if it has
// none of them, the first, by which it learns what it lacks.
func (t *trust) forDialler(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	for _, a := range t.authorities {
		for _, p := range hello.SupportedProtos {
			if p == alpnPrefix+a.id {
				return a.leaf, nil
			}
		}
	}
	return t.authorities[0].leaf, nil
}

// forAcceptor picks the certificate by a secret that the acceptor has.
func (t *trust) forAcceptor(ask *tls.CertificateRequestInfo) (*tls.Certificate, error) {
	for _, a := range t.authorities {
		for _, subject := range ask.AcceptableCAs {
			if bytes.Equal(subject, a.cert.RawSubject) {
				return a.leaf, nil
			}
		}
	}
	return t.authorities[0].leaf, nil
}

// choose tells nodes from everybody else that dials.
func (k *keeper) choose(hello *tls.ClientHelloInfo) (*tls.Config, error) {
	t := k.now.Load()
	var theirs []string
	for _, p := range hello.SupportedProtos {
		if id, ok := strings.CutPrefix(p, alpnPrefix); ok {
			theirs = append(theirs, id)
		}
	}
	switch own := k.cfg.TLS; {
	case theirs != nil && t.secured():
	case own != nil && own.GetConfigForClient != nil:
		return own.GetConfigForClient(hello)
	default:
		return t.others, nil
	}
	known := t.roots != nil
	for _, a := range t.authorities {
		for _, id := range theirs {
			known = known || id == a.id
		}
	}
	if from := hello.Conn.RemoteAddr().String(); !known && k.rare.now("theirs", from) {
		k.log.Warn("a node that dialled has none of the ring's secrets", "from", from, "it has", fmt.Sprintf("%.99q", theirs), "this node has", t.ids())
	}
	return t.server, nil
}

// changed looks for new files, and for a certificate whose time it is. It returns
// whether there is a new trust; an error leaves things as they are.
func (k *keeper) changed(force bool) (bool, error) {
	files, err := k.read()
	if err != nil {
		return false, err
	}
	k.mu.Lock()
	same := true
	for i := range files {
		same = same && bytes.Equal(files[i], k.files[i])
	}
	age := k.cfg.Clock().Sub(k.since)
	k.mu.Unlock()
	if same && !force && age < leafLife/2 && age > -leafBefore/2 {
		return false, nil
	}
	return true, k.build(files)
}

// believes says whether who came by a secret would come by it now.
func (t *trust) believes(key string) bool {
	if key == "" {
		return true
	}
	for i := range t.secrets {
		if t.secrets[i].id == key {
			return true
		}
	}
	return false
}

// exposed warns of a secret file that others on this machine may read.
func (k *keeper) exposed() {
	if k.cfg.SecretFile == "" {
		return
	}
	if info, err := os.Stat(k.cfg.SecretFile); err == nil && info.Mode().Perm()&0o004 != 0 {
		k.log.Warn("every user of this machine may read the ring's secret: chmod 600 it", "file", k.cfg.SecretFile)
	}
}

// rarely holds back what strangers can cause at will: once a minute for each kind
// and address, and a thousand of them at most.
type rarely struct {
	mu   sync.Mutex
	last map[string]time.Time
}

func (r *rarely) now(kind, addr string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	if r.last == nil {
		r.last = make(map[string]time.Time)
	}
	if len(r.last) >= 1000 {
		for key, at := range r.last {
			if now.Sub(at) > time.Minute {
				delete(r.last, key)
			}
		}
	}
	key := kind + " " + hostname(addr)
	if now.Sub(r.last[key]) < time.Minute || len(r.last) >= 1000 {
		return false
	}
	r.last[key] = now
	return true
}

// handshakeError makes of a failed dial what a person can do something about; nil
// if it is not about trust.
func handshakeError(err error) *TrustError {
	var no *TrustError
	var alert tls.AlertError
	var record tls.RecordHeaderError
	switch {
	case errors.As(err, &no):
		return no
	case errors.As(err, &alert):
		return &TrustError{text: "it refuses this node's certificate, and its log says why", err: alert}
	case errors.As(err, &record), errors.Is(err, http.ErrSchemeMismatch): // by what it read
		return &TrustError{text: "it speaks no TLS: start it with the ring's secret, too"}
	}
	return nil
}

// pollEvery is how often files are looked at. They may be links that are changed as a
// whole, so it is what they have that is compared.
const pollEvery = time.Second

// keepTrust is a goroutine: it takes in changed files, and renews certificates.
func (n *Node) keepTrust() {
	ticker := time.NewTicker(pollEvery)
	defer ticker.Stop()
	said := ""
	for {
		select {
		case <-ticker.C:
		case <-n.halted:
			return
		}
		err := n.reload(false)
		if err == nil {
			said = ""
		} else if err.Error() != said {
			said = err.Error()
			n.log.Error("the secret and certificates stay as they were", "why", err)
		}
	}
}

// Reload reads the files of the secret and certificates again, now, although it is
// done every second anyway. An error leaves all as it was.
func (n *Node) Reload() error { return n.reload(true) }

func (n *Node) reload(force bool) error {
	before := n.keeper.now.Load()
	changed, err := n.keeper.changed(force)
	if err != nil || !changed {
		return err
	}
	now := n.keeper.now.Load()
	if was, is := strings.Join(before.ids(), ", "), strings.Join(now.ids(), ", "); was != is {
		n.log.Info("the ring's secrets changed", "were", was, "are", is)
	} else {
		n.log.Debug("the certificates were renewed")
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	for c := range n.conns {
		if !now.believes(c.key) {
			c.close(wire.CodeRotated, "the ring's secret has changed")
		}
	}
	return nil
}

// TLSConfig returns the configuration for a server of one's own that Handler is
// mounted in; nil without a secret or certificates.
func (n *Node) TLSConfig() *tls.Config { return n.keeper.root }
