package trust

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/nanoring/nanoring/core/wire"
)

// forger is who presents certificates: one of its own making by an authority's key, or any bytes.
type forger struct {
	by  map[byte]*x509.Certificate // issuers
	key map[byte]any               // their keys
	own ed25519.PrivateKey         // of what it presents
}

// issuers that a forger may have: the ring's CA is one that only a node has.
const (
	byRing = iota
	byOther
	byNamesake // is called as the ring's CA is
	byLeaf     // a node's certificate, by its key: a node that makes itself an authority
	bySelf
	issuers
)

func newForger(t testing.TB, ring *authority, now time.Time) *forger {
	t.Helper()
	other, err := newAuthority(secretOf(t, NewSecret()))
	if err != nil {
		t.Fatal(err)
	}
	namesake := *other.cert
	namesake.Subject, namesake.RawSubject = ring.cert.Subject, ring.cert.RawSubject
	namesake.SubjectKeyId = ring.cert.SubjectKeyId
	if err := ring.issue("dev1", now); err != nil {
		t.Fatal(err)
	}
	_, own, _ := ed25519.GenerateKey(rand.Reader)
	return &forger{
		by:  map[byte]*x509.Certificate{byRing: ring.cert, byOther: other.cert, byNamesake: &namesake, byLeaf: leafOf(t, ring)},
		key: map[byte]any{byRing: ring.key, byOther: other.key, byNamesake: other.key, byLeaf: ring.leaf.PrivateKey},
		own: own,
	}
}

// forged is what the fuzzer chooses of a certificate.
type forged struct {
	uri, commonName, dns string
	issuer               byte
	from, life           int32 // seconds from now
	ca, noUsage          bool
	critical             []byte // an extension of any value
}

func (g *forger) make(f *forged, now time.Time) []byte {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: f.commonName},
		NotBefore: now.Add(time.Duration(f.from) * time.Second), IsCA: f.ca, BasicConstraintsValid: f.ca,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}
	template.NotAfter = template.NotBefore.Add(time.Duration(f.life) * time.Second)
	if f.noUsage {
		template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning}
	}
	var names []asn1.RawValue // as they are: the library would refuse most
	for tag, name := range map[int]string{6: f.uri, 2: f.dns} {
		if name != "" {
			names = append(names, asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: tag, Bytes: []byte(name)})
		}
	}
	if len(names) > 0 {
		value, err := asn1.Marshal(names)
		if err != nil {
			return nil
		}
		template.ExtraExtensions = append(template.ExtraExtensions, pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 17}, Value: value})
	}
	if len(f.critical) > 0 {
		template.ExtraExtensions = append(template.ExtraExtensions, pkix.Extension{Id: asn1.ObjectIdentifier{1, 3, 9}, Critical: true, Value: f.critical})
	}
	issuer, key := g.by[f.issuer%issuers], g.key[f.issuer%issuers]
	if f.issuer%issuers == bySelf {
		issuer, key = template, g.own
	}
	der, err := x509.CreateCertificate(rand.Reader, template, issuer, g.own.Public(), key)
	if err != nil {
		return nil
	}
	return der
}

// FuzzCertificate: whatever a peer presents in a handshake, it is taken for nobody but whom a
// certificate by the ring's CA names that is good now, and what is said of it is fit for a log.
func FuzzCertificate(f *testing.F) {
	now := time.Now().Truncate(time.Second)
	k, err := NewKeeper(Config{Name: "dev1", SecretFile: secretFile(f, NewSecret()), Clock: func() time.Time { return now }})
	if err != nil {
		f.Fatal(err)
	}
	trust := k.Now()
	ring := trust.authorities[0]
	g := newForger(f, ring, now)
	pki := &Trust{roots: x509.NewCertPool()} // where the certificates are anybody's CA's
	pki.roots.AddCert(ring.cert)

	for issuer := range byte(issuers) {
		for _, uri := range []string{"nanoring:dev2", "nanoring:", "nanoring:%2e%zz", "nanoring://dev2", "NANORING:a%00b", "https://x", ""} {
			f.Add(uri, "dev2", "", issuer, int32(-60), int32(3600), issuer == byLeaf, false, []byte(nil), []byte(nil))
		}
	}
	f.Add("nanoring:dev2", "nanoring "+ring.id, "dev3", byte(byRing), int32(-7200), int32(3600), false, false, []byte(nil), []byte(nil)) // over
	f.Add("nanoring:dev2", "", "a.b", byte(byRing), int32(60), int32(3600), false, false, []byte(nil), []byte(nil))                      // to come
	f.Add("nanoring:dev2", "\x1b[2J", "", byte(byRing), int32(-60), int32(3600), true, true, []byte(nil), []byte(nil))
	f.Add("", "a@b", "", byte(byRing), int32(-60), int32(3600), false, false, []byte(nil), []byte(nil)) // in a PKI a name, and none of a node
	f.Add("nanoring:dev2", "dev2", "", byte(byRing), int32(-60), int32(3600), false, false, []byte{5, 0}, []byte(nil))
	f.Add("nanoring:dev2", "dev2", "", byte(byLeaf), int32(-60), int32(3600), false, false, []byte(nil), ring.leaf.Certificate[0])
	f.Add("", "", "", byte(bySelf), int32(0), int32(0), false, false, []byte(nil), ring.cert.Raw)
	f.Add("", "", "", byte(0xff), int32(0), int32(0), false, false, []byte(nil), ring.leaf.Certificate[0])
	f.Fuzz(func(t *testing.T, uri, commonName, dns string, issuer byte, from, life int32, ca, noUsage bool, critical, other []byte) {
		what := &forged{uri, commonName, dns, issuer, from, life, ca, noUsage, critical}
		var chain [][]byte
		if der := g.make(what, now); der != nil && issuer != 0xff {
			chain = append(chain, der)
		}
		if len(other) > 0 {
			chain = append(chain, other)
		}
		if issuer%issuers == byLeaf {
			chain = append(chain, ring.leaf.Certificate[0])
		}
		if len(chain) == 0 {
			return
		}
		// By the handshake itself, which is where bytes of a stranger's are read first.
		who, err := present(t, k, chain, g.own)
		may := issuer != 0xff && issuer%issuers == byRing && !noUsage && len(critical) == 0 && from <= 0 && int64(from)+int64(life) >= 0
		if err == nil && (!may || wire.ValidName(who.Name) != nil || who.Key != ring.id || !strings.Contains(strings.ToLower(uri), nameScheme+":")) {
			t.Fatalf("%+v is taken for %+v", what, who)
		}
		fitForLog(t, err)

		var certs []*x509.Certificate
		for _, der := range chain {
			c, err := x509.ParseCertificate(der)
			if err != nil {
				return
			}
			certs = append(certs, c)
		}
		who, err = pki.Verify(certs, now)
		if err == nil && (certs[0].CheckSignatureFrom(ring.cert) != nil || wire.ValidName(who.Name) != nil || who.Key != "") {
			t.Fatalf("%+v is taken for %+v by a PKI", what, who)
		}
		fitForLog(t, err)
	})
}

// present has a peer show a chain of certificates in a handshake, and returns whom it is taken for.
func present(t *testing.T, k *Keeper, chain [][]byte, key any) (Identity, error) {
	t.Helper()
	ours, theirs := net.Pipe()
	defer ours.Close()
	deadline := time.Now().Add(patience)
	ours.SetDeadline(deadline)
	theirs.SetDeadline(deadline)
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer theirs.Close()
		c := tls.Client(theirs, &tls.Config{
			InsecureSkipVerify: true, NextProtos: k.Now().client.NextProtos,
			GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
				return &tls.Certificate{Certificate: chain, PrivateKey: key}, nil
			},
		})
		c.Read(make([]byte, 1)) // the end, or the alert
	}()
	hasty := &hasty{Conn: ours, out: make(chan []byte, 64)}
	over := make(chan struct{})
	defer close(over)
	go hasty.write(over)
	s := tls.Server(hasty, k.Server())
	err := s.Handshake()
	ours.Close()
	<-done
	if time.Now().After(deadline) {
		t.Fatal("the handshake does not end")
	}
	if err != nil {
		return Identity{}, err
	}
	return k.Now().Verify(s.ConnectionState().PeerCertificates, k.cfg.Clock())
}

// hasty is a connection whose writer need not wait for a reader, as those of a network are: who
// refuses what it reads does not have to read it to its end.
type hasty struct {
	net.Conn
	out chan []byte
}

func (h *hasty) Write(b []byte) (int, error) {
	h.out <- bytes.Clone(b)
	return len(b), nil
}

func (h *hasty) write(over <-chan struct{}) {
	for {
		select {
		case b := <-h.out:
			h.Conn.Write(b)
		case <-over:
			return
		}
	}
}

// fitForLog: an error of ours is short, and of characters.
func fitForLog(t *testing.T, err error) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		return
	}
	if text := e.Error(); len(text) > 1<<10 || !utf8.ValidString(text) || len(e.Lacks) > 8 {
		t.Fatalf("an error of %d bytes, by the lack of %q: %.2000q", len(text), e.Lacks, text)
	}
}
