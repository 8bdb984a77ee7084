package trust

import (
	"bytes"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
)

// A node that dials says by ALPN which of the ring's secrets it has: that
// tells it from a browser, and lets both go by one that they share.
const (
	alpnPrefix = "nanoring/"
	alpnPKI    = alpnPrefix + "pki"
)

// configure makes the TLS configurations.
func (t *Trust) configure(c *Config) {
	shown := func() *tls.Config {
		if c.TLS != nil {
			return c.TLS.Clone()
		}
		own := &tls.Config{MinVersion: tls.VersionTLS12}
		if c.TLSCert != "" {
			own.Certificates = []tls.Certificate{t.public}
		}
		return own
	}
	t.others = shown()
	t.others.NextProtos = []string{"http/1.1"} // WebSockets
	t.others.ClientAuth = tls.NoClientCert
	if c.TLS == nil && c.TLSCert == "" && len(t.authorities) > 0 {
		t.others.Certificates = []tls.Certificate{*t.authorities[0].leaf}
	}
	if !t.Secured() {
		return
	}
	base := new(tls.Config)
	if t.roots != nil {
		base = shown()
		base.GetConfigForClient, base.VerifyPeerCertificate, base.NextProtos = nil, nil, nil
	}
	base.MinVersion = tls.VersionTLS13
	base.Time = c.Clock
	base.VerifyConnection = func(cs tls.ConnectionState) error {
		_, err := t.Verify(cs.PeerCertificates, c.Clock())
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
func (t *Trust) forDialler(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
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
func (t *Trust) forAcceptor(ask *tls.CertificateRequestInfo) (*tls.Certificate, error) {
	for _, a := range t.authorities {
		for _, subject := range ask.AcceptableCAs {
			if bytes.Equal(subject, a.cert.RawSubject) {
				return a.leaf, nil
			}
		}
	}
	return t.authorities[0].leaf, nil
}
