package trust

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Config is what a node's trust is made of. All but Name may be left out.
type Config struct {
	Name string // of the node, which its certificates are for

	// SecretFile has the ring's secrets: see ParseSecrets.
	SecretFile string
	// TLSCert and TLSKey are files in PEM: the certificate for all who dial the node
	// and are no nodes. With TLSCA, a file too, nodes show it to each other, and trust
	// that CA instead of the secret's: it has to name the node.
	TLSCert, TLSKey, TLSCA string
	// TLS takes the place of the three files; its ClientCAs, if any, that of TLSCA.
	TLS *tls.Config

	Clock func() time.Time // nil is time.Now
	// Stranger is told of a node that dials from an address and has none of the
	// secrets, but theirs, by their ids. Anybody can cause that, as often as they like.
	Stranger func(from string, theirs []string)
}

// A Keeper keeps a node's trust up to date, for whoever asks, from anywhere.
type Keeper struct {
	cfg    Config
	server *tls.Config
	now    atomic.Pointer[Trust]

	mu    sync.Mutex
	files []file // as they were read last
	since time.Time
}

// file is what a file had when it was read.
type file struct {
	has   []byte
	of    fs.FileInfo // nil if there is none
	at    time.Time
	looks int // at it since
}

// A file whose time and size are those of before has what it had, unless it was written just
// before it was read, by the clock of whatever file system. Where somebody gave it its old time
// again, one look in so many reads it all the same.
const (
	coarseTime = 3 * time.Second
	readAnyway = 32
)

// isAs says whether a file need not be read again.
func (f *file) isAs(is fs.FileInfo) bool {
	f.looks++
	return f.looks%readAnyway != 0 && f.of != nil && os.SameFile(f.of, is) && f.of.Size() == is.Size() && f.of.Mode() == is.Mode() &&
		f.of.ModTime().Equal(is.ModTime()) && f.at.Sub(is.ModTime()) > coarseTime
}

// NewKeeper reads what the configuration names. What cannot be used is a *ConfigError.
func NewKeeper(cfg Config) (*Keeper, error) {
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	k := &Keeper{cfg: cfg}
	if cfg.SecretFile != "" || cfg.TLSCert != "" || cfg.TLS != nil {
		k.server = &tls.Config{GetConfigForClient: k.choose}
	}
	files, err := k.read(true)
	if err != nil {
		return nil, err
	}
	return k, k.build(files)
}

// Check says why what the files have now cannot be used.
func (k *Keeper) Check() error {
	files, err := k.read(true)
	if err == nil {
		_, err = k.trustOf(files, k.cfg.Clock())
	}
	return err
}

// Now returns the present trust.
func (k *Keeper) Now() *Trust { return k.now.Load() }

// Server returns the configuration for all that dial, nodes and others, of the
// trust at each time; nil if there is nothing to show.
func (k *Keeper) Server() *tls.Config { return k.server }

// fields are the configuration's files, by name.
func (k *Keeper) fields() [4][2]string {
	c := &k.cfg
	return [4][2]string{{"SecretFile", c.SecretFile}, {"TLSCert", c.TLSCert}, {"TLSKey", c.TLSKey}, {"TLSCA", c.TLSCA}}
}

// read reads the files, but not again what can be read only once, and would keep its reader
// waiting for ever: a pipe, as of a shell's <(COMMAND). Nor does it read what has not changed
// since it was read, unless all is to be read.
func (k *Keeper) read(all bool) ([]file, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	files := make([]file, len(k.fields()))
	for i, f := range k.fields() {
		if f[1] == "" {
			continue
		}
		now := &files[i]
		if k.files != nil {
			*now = k.files[i]
		}
		info, err := os.Stat(f[1])
		if err == nil && now.of != nil && (info.Mode()&(os.ModeNamedPipe|os.ModeCharDevice) != 0 || !all && now.isAs(info)) {
			continue
		}
		at := time.Now()
		b, err := os.ReadFile(f[1])
		if errors.Is(err, fs.ErrPermission) {
			return nil, wrong(f[0], fmt.Errorf("%w: give the file to the user that this runs as, or run it as one who may read it", err))
		} else if err != nil {
			return nil, wrong(f[0], err)
		}
		*now = file{has: b, of: info, at: at}
	}
	return files, nil
}

// build has the trust be the one that follows from files.
func (k *Keeper) build(files []file) error {
	now := k.cfg.Clock()
	t, err := k.trustOf(files, now)
	if err != nil {
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.files, k.since = files, now
	k.now.Store(t)
	return nil
}

// trustOf makes the trust that follows from files, with new certificates.
func (k *Keeper) trustOf(files []file, now time.Time) (t *Trust, err error) {
	t = new(Trust)
	c := &k.cfg
	if c.SecretFile != "" {
		if t.secrets, err = ParseSecrets(files[0].has); err != nil {
			return nil, wrong("SecretFile", fmt.Errorf("%s: %w", c.SecretFile, err))
		}
	}
	for i := range t.secrets {
		a, err := newAuthority(&t.secrets[i])
		if err == nil {
			err = a.issue(c.Name, now)
		}
		if err != nil {
			return nil, wrong("SecretFile", err)
		}
		t.authorities = append(t.authorities, a)
	}
	if c.TLSCert != "" {
		if t.public, err = tls.X509KeyPair(files[1].has, files[2].has); err != nil {
			return nil, wrong("TLSCert", fmt.Errorf("%s with %s: %w", c.TLSCert, c.TLSKey, err))
		}
	}
	if c.TLSCA != "" {
		t.roots = x509.NewCertPool()
		if !t.roots.AppendCertsFromPEM(files[3].has) {
			return nil, wrong("TLSCA", fmt.Errorf("%s has no certificate in PEM", c.TLSCA))
		}
	}
	if c.TLS != nil {
		t.roots = c.TLS.ClientCAs
	}
	if err := k.checkOwn(t); err != nil {
		return nil, err
	}
	t.configure(c)
	return t, nil
}

// checkOwn finds out early that others would not take this node for who it is.
func (k *Keeper) checkOwn(t *Trust) error {
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

// choose tells nodes from everybody else that dials.
func (k *Keeper) choose(hello *tls.ClientHelloInfo) (*tls.Config, error) {
	t := k.now.Load()
	var theirs []string
	for _, p := range hello.SupportedProtos {
		if id, ok := strings.CutPrefix(p, alpnPrefix); ok {
			theirs = append(theirs, id)
		}
	}
	switch own := k.cfg.TLS; {
	case theirs != nil && t.Secured():
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
	if !known && k.cfg.Stranger != nil {
		k.cfg.Stranger(hello.Conn.RemoteAddr().String(), theirs)
	}
	return t.server, nil
}

// Refresh looks for new files, and for a certificate whose time it is. It returns
// whether there is a new trust; an error leaves things as they are.
func (k *Keeper) Refresh(force bool) (bool, error) {
	files, err := k.read(force)
	if err != nil {
		return false, err
	}
	k.mu.Lock()
	same := true
	for i := range files {
		same = same && bytes.Equal(files[i].has, k.files[i].has)
	}
	age := k.cfg.Clock().Sub(k.since)
	same = same && !force && age < leafLife/2 && age > -leafBefore/2
	if same {
		k.files = files
	}
	k.mu.Unlock()
	if same {
		return false, nil
	}
	return true, k.build(files)
}

// Exposed says whether every user of this machine may read the secret file, or put another secret
// into it, or in its place.
func (k *Keeper) Exposed() (toRead, toChange bool) {
	if k.cfg.SecretFile == "" || runtime.GOOS == "windows" { // where a mode says nothing of who may
		return false, false
	}
	if info, err := os.Stat(k.cfg.SecretFile); err == nil {
		toRead, toChange = info.Mode().Perm()&0o004 != 0, info.Mode().Perm()&0o002 != 0
	}
	folder, err := os.Stat(filepath.Dir(k.cfg.SecretFile))
	return toRead, toChange || err == nil && folder.Mode()&(0o002|os.ModeSticky) == 0o002
}
