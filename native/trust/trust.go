package trust

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Trust is whom a node believes, and how it shows who it is, at one time. It does
// not change: what follows of new files or the next certificate is another trust.
type Trust struct {
	secrets     []Secret
	authorities []*authority    // of the secrets, in their order
	roots       *x509.CertPool  // of a PKI, whose certificates nodes show instead; nil for none
	public      tls.Certificate // from files; for browsers, and as a node in a PKI
	server      *tls.Config     // for nodes that dial
	client      *tls.Config     // to dial nodes
	others      *tls.Config     // for everybody else that dials
}

// IDs names the secrets, the one that issues first.
func (t *Trust) IDs() []string { return ids(t.secrets) }

// Secured says whether nodes have to prove who they are.
func (t *Trust) Secured() bool { return t.roots != nil || len(t.secrets) > 0 }

// Client returns the configuration to dial nodes with; nil if nodes have nothing to prove.
func (t *Trust) Client() *tls.Config { return t.client }

// Believes says whether who came by a secret would come by it now.
func (t *Trust) Believes(key string) bool {
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

// Sign makes a JWT of a token, by the secret with an id; "" is the one that issues. It fails
// if there is none.
func (t *Trust) Sign(token Token, id string) (string, error) {
	for i := range t.secrets {
		if id == "" || t.secrets[i].id == id {
			return t.secrets[i].Sign(token)
		}
	}
	return "", errors.New("there is no secret to sign a token by")
}

// An Identity is who a certificate says that the other end is.
type Identity struct {
	Name string
	Key  string // the id of the secret that vouches for it; "" for a PKI
}

// Verify finds out who presents a certificate.
func (t *Trust) Verify(certs []*x509.Certificate, now time.Time) (Identity, error) {
	if len(certs) == 0 {
		return Identity{}, &Error{Text: "it has no certificate"}
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
			return Identity{}, t.unknown(leaf.Issuer.CommonName)
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
		return Identity{}, &Error{Text: fmt.Sprintf("its certificate is valid from %s to %s, but it is %s here: one of the clocks is wrong",
			leaf.NotBefore.Format(time.RFC3339), leaf.NotAfter.Format(time.RFC3339), now.UTC().Format(time.RFC3339))}
	case err != nil:
		return Identity{}, &Error{Text: "its certificate is not good", Err: err}
	}
	return t.Identify(leaf)
}

// Identify says who a certificate is of, and by which secret, if it is good.
func (t *Trust) Identify(leaf *x509.Certificate) (Identity, error) {
	name, err := nameIn(leaf, t.roots != nil)
	if err != nil {
		return Identity{}, &Error{Text: "its certificate is not good", Err: err}
	}
	if t.roots != nil {
		return Identity{Name: name}, nil
	}
	return Identity{name, strings.TrimPrefix(leaf.Issuer.CommonName, caSubject)}, nil
}

// unknown says that a certificate is by a secret, or somebody, not known here.
func (t *Trust) unknown(issuer string) error {
	id, ok := strings.CutPrefix(issuer, caSubject)
	if !ok || len(id) > 8 {
		return &Error{Text: "its certificate is not by the ring's secret"}
	}
	have := strings.Join(t.IDs(), ", ")
	return &Error{Lacks: id, Text: "it goes by the secret " + id + ", which this node does not have: it has " + have +
		". If the ring's secret was changed, put the present one into this node's secret file"}
}
