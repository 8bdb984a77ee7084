package trust

import (
	"bytes"
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"net/netip"
	"strings"
	"time"
)

const pemCertificate = "CERTIFICATE"

// AuthorityPEM returns the certificates of the authorities that follow from secrets, in
// PEM. They are no secret: by them a program knows the ring's nodes, and can be none.
func AuthorityPEM(secrets []Secret) ([]byte, error) {
	t, err := authoritiesOf(secrets)
	if err != nil {
		return nil, err
	}
	var text []byte
	for _, a := range t.authorities {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: pemCertificate, Bytes: a.cert.Raw})...)
	}
	return text, nil
}

// ClientTLS returns the configuration with which a program that is no node dials one at a
// host, which is a name or an IP address. It believes a node's certificate by one of the
// ring's secrets, which there may be none of, whatever the host, since nodes have
// names of their own. Else it has to be a certificate for that host by an authority that
// the system knows.
func ClientTLS(host string, secrets []Secret) (*tls.Config, error) {
	t, err := authoritiesOf(secrets)
	if err != nil {
		return nil, err
	}
	return t.verifying(host, nil), nil
}

// ClientTLSByCA is ClientTLS for a program that has certificates of authorities, in PEM:
// rings' own, as AuthorityPEM returns them, and others. What the system knows does not count.
func ClientTLSByCA(host string, certificates []byte) (*tls.Config, error) {
	t, others, found := new(Trust), x509.NewCertPool(), false
	for rest := certificates; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type != pemCertificate {
			continue
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		found = true
		if id, ring := ringOf(cert); ring {
			t.authorities = append(t.authorities, &authority{id: id, cert: cert})
		} else {
			others.AddCert(cert)
		}
	}
	if !found {
		return nil, errors.New("it has no certificate in PEM")
	}
	return t.verifying(host, others), nil
}

// authoritiesOf is the trust in nodes that have one of the secrets.
func authoritiesOf(secrets []Secret) (*Trust, error) {
	t := &Trust{secrets: secrets}
	for i := range secrets {
		a, err := newAuthority(&secrets[i])
		if err != nil {
			return nil, err
		}
		t.authorities = append(t.authorities, a)
	}
	return t, nil
}

// ringOf returns the id of the secret whose authority has this certificate, if it is one's.
func ringOf(cert *x509.Certificate) (id string, ok bool) {
	id, ok = strings.CutPrefix(cert.Subject.CommonName, caSubject)
	key, err := hex.DecodeString(id)
	return id, ok && err == nil && cert.IsCA && bytes.Equal(key, cert.SubjectKeyId)
}

// verifying returns a configuration that believes nodes by t, and others by roots, of
// which nil are the system's, for a host.
func (t *Trust) verifying(host string, roots *x509.CertPool) *tls.Config {
	if ip, err := netip.ParseAddr(host); err == nil {
		host = ip.WithZone("").String()
	}
	return &tls.Config{
		InsecureSkipVerify: true, // it is verified here
		VerifyConnection: func(cs tls.ConnectionState) error {
			// Of an IP address there is no server name: without the host, none would be verified.
			return t.verifyHost(cs.PeerCertificates, cmp.Or(cs.ServerName, host), roots)
		},
	}
}

func (t *Trust) verifyHost(certs []*x509.Certificate, host string, roots *x509.CertPool) error {
	leaf := certs[0]
	for _, a := range t.authorities {
		if a.cert.Subject.CommonName == leaf.Issuer.CommonName {
			_, err := t.Verify(certs, time.Now())
			return err
		}
	}
	middle := x509.NewCertPool()
	for _, cert := range certs[1:] {
		middle.AddCert(cert)
	}
	_, err := leaf.Verify(x509.VerifyOptions{Roots: roots, Intermediates: middle})
	if err == nil {
		err = leaf.VerifyHostname(host) // last: a node's certificate has no host, and that is not what is wrong with it
	}
	if err == nil {
		return nil
	}
	id, ring := strings.CutPrefix(leaf.Issuer.CommonName, caSubject)
	if key, no := hex.DecodeString(id); ring && no == nil && len(key) == 4 && len(t.authorities) > 0 {
		return &Error{Lacks: id, Text: "it goes by the secret " + id + ", and not by " + t.known()}
	}
	return &tls.CertificateVerificationError{UnverifiedCertificates: certs, Err: err}
}

// known names the secrets of the authorities.
func (t *Trust) known() string {
	list := make([]string, len(t.authorities))
	for i, a := range t.authorities {
		list[i] = a.id
	}
	return strings.Join(list, " or ")
}
