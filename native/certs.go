package native

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
	"strings"
	"time"
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
	leaf   *tls.Certificate
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
	leaf, err := x509.ParseCertificate(der)
	a.leaf = &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: private, Leaf: leaf}
	a.issued = now
	return err
}

// identity is who a certificate says that the other end is.
type identity struct {
	name string
	key  string // the id of the secret that vouches for it; "" for a PKI
}

// A TrustError says why the other end of a connection is not believed to be a node
// of the ring. It names ids of secrets, never secrets.
type TrustError struct {
	lacks string // the id of the secret that this node lacks, if that is why
	text  string
	err   error
}

func (e *TrustError) Error() string {
	if e.err != nil {
		return e.text + ": " + e.err.Error()
	}
	return e.text
}

func (e *TrustError) Unwrap() error { return e.err }

// verify finds out who presents a certificate.
func (t *trust) verify(certs []*x509.Certificate, now time.Time) (identity, error) {
	if len(certs) == 0 {
		return identity{}, &TrustError{text: "it has no certificate"}
	}
	leaf := certs[0]
	roots := t.roots
	if roots == nil {
		var ours *authority
		for _, a := range t.authorities {
			if a.cert.Subject.CommonName == leaf.Issuer.CommonName {
				ours = a
			}
		}
		if ours == nil {
			return identity{}, t.unknown(leaf.Issuer.CommonName)
		}
		roots = x509.NewCertPool()
		roots.AddCert(ours.cert)
	}
	middle := x509.NewCertPool()
	for _, c := range certs[1:] {
		middle.AddCert(c)
	}
	_, err := leaf.Verify(x509.VerifyOptions{
		Roots: roots, Intermediates: middle, CurrentTime: now,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	})
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return identity{}, &TrustError{text: fmt.Sprintf("its certificate is valid from %s to %s, but it is %s here: one of the clocks is wrong",
			leaf.NotBefore.Format(time.RFC3339), leaf.NotAfter.Format(time.RFC3339), now.UTC().Format(time.RFC3339))}
	case err != nil:
		return identity{}, &TrustError{text: "its certificate is not good", err: err}
	}
	return t.identify(leaf)
}

// identify says who a certificate is of, and by which secret, if it is good.
func (t *trust) identify(leaf *x509.Certificate) (identity, error) {
	name, err := nameIn(leaf, t.roots != nil)
	if err != nil {
		return identity{}, &TrustError{text: "its certificate is not good", err: err}
	}
	if t.roots != nil {
		return identity{name: name}, nil
	}
	return identity{name, strings.TrimPrefix(leaf.Issuer.CommonName, caSubject)}, nil
}

// unknown says that a certificate is by a secret, or somebody, not known here.
func (t *trust) unknown(issuer string) error {
	id, ok := strings.CutPrefix(issuer, caSubject)
	if !ok || len(id) > 8 {
		return &TrustError{text: "its certificate is not by the ring's secret"}
	}
	have := strings.Join(t.ids(), ", ")
	return &TrustError{lacks: id, text: "it goes by the secret " + id + ", which this node does not have: it has " + have +
		". If the ring's secret was changed, put the present one into this node's secret file"}
}

// nameIn returns the name of the node that a certificate is for: its nanoring URI,
// or in a PKI's, which may have none, its common name or first DNS name.
func nameIn(leaf *x509.Certificate, pki bool) (string, error) {
	for _, u := range leaf.URIs {
		if u.Scheme == nameScheme {
			return url.PathUnescape(u.Opaque)
		}
	}
	switch {
	case pki && leaf.Subject.CommonName != "":
		return leaf.Subject.CommonName, nil
	case pki && len(leaf.DNSNames) > 0:
		return leaf.DNSNames[0], nil
	}
	return "", errors.New("it names no node")
}
