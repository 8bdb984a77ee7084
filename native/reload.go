package native

import (
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/nanoring/nanoring/native/trust"
)

// pollEvery is how often files are looked at. They may be links that are changed as a
// whole, so it is what they have that is compared, where their time or size is another.
const pollEvery = time.Second

// keepTrust takes in changed files, renews certificates, and looks at the clock for sessions, from
// now on; said is what was said of it last. It is a timer's: a goroutine that waits would keep the
// stack that a look takes.
func (n *Node) keepTrust(said string) {
	time.AfterFunc(pollEvery, func() {
		n.mu.Lock()
		if n.ended {
			n.mu.Unlock()
			return
		}
		n.wg.Add(1)
		n.mu.Unlock()
		defer n.wg.Done()
		n.sessions.tick()
		err := n.reload(false)
		n.showOut()
		why := ""
		if err != nil {
			why = err.Error()
		}
		if why != said && why != "" {
			n.log.Error("the secret and certificates stay as they were", "why", err)
		}
		n.keepTrust(why)
	})
}

// Reload reads the files of the secret and certificates again, now, although it is
// done every second anyway. An error leaves all as it was.
func (n *Node) Reload() error { return n.reload(true) }

func (n *Node) reload(force bool) error {
	before := n.keeper.Now()
	changed, err := n.keeper.Refresh(force)
	if err != nil || !changed {
		return fieldError(err)
	}
	now := n.keeper.Now()
	if was, is := strings.Join(before.IDs(), ", "), strings.Join(now.IDs(), ", "); was != is {
		n.log.Info("the ring's secrets changed", "were", was, "are", is)
	} else {
		n.log.Debug("the certificates were renewed")
	}
	n.showOut()
	return nil
}

// newKeeper reads the files of the secret and certificates.
func newKeeper(c *Config, stranger func(from string, theirs []string)) (*trust.Keeper, error) {
	k, err := trust.NewKeeper(trust.Config{
		Name: c.Name, SecretFile: c.SecretFile, TLSCert: c.TLSCert, TLSKey: c.TLSKey, TLSCA: c.TLSCA, TLS: c.TLS,
		Clock: c.Clock, Stranger: stranger,
	})
	return k, fieldError(err)
}

// fieldError makes of an error of the trust's configuration one of the node's.
func fieldError(err error) error {
	var bad *trust.ConfigError
	if errors.As(err, &bad) {
		return wrong(bad.Field, bad.Err)
	}
	return err
}

// strangers logs that a node dialled that has none of the secrets.
func (n *Node) strangers(from string, theirs []string) {
	if n.rare.now("theirs", from) {
		n.log.Warn("a node that dialled has none of the ring's secrets", "from", from, "theirs", fmt.Sprintf("%.99q", theirs), "ours", n.keeper.Now().IDs())
	}
}

// warnOfOthers says what every user of this machine may do to the node.
func (n *Node) warnOfOthers() {
	toRead, toChange := n.keeper.Exposed()
	if toRead {
		n.log.Warn("every user of this machine may read the ring's secret: chmod 600 it", "file", n.cfg.SecretFile)
	}
	if toChange {
		n.log.Warn("every user of this machine may put another secret into this file, or in its place: chmod 600 it, and chmod o-w its folder", "file", n.cfg.SecretFile)
	}
	if info, err := os.Stat(n.folder.Dir()); err == nil && runtime.GOOS != "windows" && info.Mode().Perm()&0o002 != 0 {
		n.log.Warn("every user of this machine may put files into the node's data folder, a socket and a ring file among them: chmod 700 it", "folder", n.folder.Dir())
	}
}

// TLSConfig returns the configuration for a server of one's own that Handler is
// mounted in; nil without a secret or certificates.
func (n *Node) TLSConfig() *tls.Config { return n.keeper.Server() }
