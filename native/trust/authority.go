package trust

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"net/url"
	"time"

	"github.com/nanoring/nanoring/core/wire"
)

const (
	leafLife   = 24 * time.Hour // renewed after half of it
	leafBefore = time.Hour      // valid so long before it was issued: clocks differ
	nameScheme = "nanoring"     // of the URI in a leaf that names its node
	caSubject  = "nanoring "    // and its key's id: the name of a ring's authority
)

// authority is what a ring's secret makes of itself: a certificate authority,
// the same on every node, and this node's certificate by it.
type authority struct {
	id     string
	cert   *x509.Certificate
	key    ed25519.PrivateKey
	leaf   *tls.Certificate // without its Leaf
	issued time.Time
}

// newAuthority derives the authority of a secret: the same bytes everywhere.
func newAuthority(s *Secret) (*authority, error) {
	key := ed25519.NewKeyFromSeed(s.derive("certificate authority", ed25519.SeedSize))
	id, err := hex.DecodeString(s.id)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: caSubject + s.id},
		SubjectKeyId:          id,
		NotBefore:             time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC),
		NotAfter:              time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC),
		IsCA:                  true,
		BasicConstraintsValid: true,
		MaxPathLenZero:        true,
		KeyUsage:              x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der)
	return &authority{id: s.id, cert: cert, key: key}, err
}

// issue makes a certificate for a node's name, with a key of its own.
func (a *authority) issue(name string, now time.Time) error {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		Subject:     pkix.Name{CommonName: "a node"},
		URIs:        []*url.URL{{Scheme: nameScheme, Opaque: url.PathEscape(name)}},
		NotBefore:   now.Add(-leafBefore),
		NotAfter:    now.Add(leafLife),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}, a.cert, public, a.key)
	if err != nil {
		return err
	}
	a.leaf = &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: private} // unparsed: nothing here looks into it, and that would take 2 KiB
	a.issued = now
	return nil
}

// nameIn returns the name of the node that a certificate is for: its nanoring URI,
// or in a PKI's, which may have none, its common name or first DNS name.
func nameIn(leaf *x509.Certificate, pki bool) (string, error) {
	for _, u := range leaf.URIs {
		if u.Scheme == nameScheme {
			name, err := url.PathUnescape(u.Opaque)
			if err == nil {
				err = wire.ValidName(name)
			}
			if err != nil { // without a name it would be good for any
				return "", fmt.Errorf("its URI %.99q names no node: %w", u, err)
			}
			return name, nil
		}
	}
	name := ""
	switch {
	case pki && leaf.Subject.CommonName != "":
		name = leaf.Subject.CommonName
	case pki && len(leaf.DNSNames) > 0:
		name = leaf.DNSNames[0]
	}
	if name == "" {
		return "", errors.New("it names no node")
	}
	if err := wire.ValidName(name); err != nil {
		return "", fmt.Errorf("its name %.99q is no node's: %w", name, err)
	}
	return name, nil
}
