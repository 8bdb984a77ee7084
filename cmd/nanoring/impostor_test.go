package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nanoring/nanoring/native/trust"
)

// ca is a certificate authority of a test.
type ca struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	file string
}

func newCA(t *testing.T, name, id string) *ca {
	t.Helper()
	keyID, err := hex.DecodeString(id)
	if err != nil {
		t.Fatal(err)
	}
	c := &ca{file: filepath.Join(t.TempDir(), "ca.pem")}
	c.cert = &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, SubjectKeyId: keyID, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	c.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, c.cert, c.cert, c.key.Public(), c.key)
	if err != nil {
		t.Fatal(err)
	}
	must(t, os.WriteFile(c.file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	return c
}

// impostor is a server that says that it is a node, and remembers whether it was given a token.
type impostor struct {
	server *httptest.Server
	given  atomic.Bool
}

// newImpostor starts one whose certificate the CA has made for hosts and a node's URI, or
// if there is no CA, one without TLS. It sends everybody to elsewhere, if there is one.
func newImpostor(t *testing.T, by *ca, elsewhere string, hosts ...string) *impostor {
	t.Helper()
	i := new(impostor)
	i.server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			i.given.Store(true)
		}
		if elsewhere != "" {
			http.Redirect(w, r, elsewhere+r.URL.Path, http.StatusTemporaryRedirect)
			return
		}
		w.Write([]byte(`{"nodes":[]}`))
	}))
	i.server.Config.ErrorLog = log.New(io.Discard, "", 0)
	t.Cleanup(i.server.Close)
	if by == nil {
		i.server.Start()
		return i
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), URIs: []*url.URL{{Scheme: "nanoring", Opaque: "dev1"}}, NotBefore: by.cert.NotBefore, NotAfter: by.cert.NotAfter,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil {
			leaf.IPAddresses = append(leaf.IPAddresses, ip)
		} else {
			leaf.DNSNames = append(leaf.DNSNames, host)
		}
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, leaf, by.cert, key.Public(), by.key)
	if err != nil {
		t.Fatal(err)
	}
	i.server.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	i.server.StartTLS()
	return i
}

// TestImpostors: a server that is no node of the ring, or not the host that was dialled, is
// given no token, whatever certificate a CA that everybody believes has made for it. One
// with a right certificate is.
func TestImpostors(t *testing.T) {
	t.Parallel()
	secret := trust.NewSecret()
	secrets, err := trust.ParseSecrets([]byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	ringPEM, err := trust.AuthorityPEM(secrets)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	key, ringCA := filepath.Join(dir, "ring.key"), filepath.Join(dir, "ring-ca.pem")
	must(t, os.WriteFile(key, []byte(secret), 0o600))
	must(t, os.WriteFile(ringCA, ringPEM, 0o600))
	public, private := newCA(t, "Public CA", ""), newCA(t, "Private CA", "")
	forged := newCA(t, "nanoring "+secrets[0].ID(), secrets[0].ID()) // like the ring's, with another key

	evil := newImpostor(t, public, "", "evil.example", "127.0.0.2")
	right := newImpostor(t, public, "", "localhost", "127.0.0.1")
	inside := newImpostor(t, private, "", "127.0.0.1")
	insideElsewhere := newImpostor(t, private, "", "dev2.example")
	likeRing := newImpostor(t, forged, "", "127.0.0.1")
	plain := newImpostor(t, nil, "")
	sends := newImpostor(t, public, plain.server.URL, "127.0.0.1")
	byToken, bySecret := []string{"--token", "x"}, []string{"--secret-file", key}
	byRingCA, byPrivate := []string{"--token", "x", "--api-ca", ringCA}, []string{"--token", "x", "--api-ca", private.file}

	nanoring, err := unwatched()
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		what  string
		by    []string
		to    *impostor
		host  string
		given bool
		said  string
	}{
		{"an address, a token", byToken, evil, "127.0.0.1", false, "not for this host"},
		{"an address, the secret", bySecret, evil, "127.0.0.1", false, "not for this host"},
		{"a name, a token", byToken, evil, "localhost", false, "not for this host"},
		{"a name, the secret", bySecret, evil, "localhost", false, "not for this host"},
		{"the right address, a token", byToken, right, "127.0.0.1", true, ""},
		{"the right name, a token", byToken, right, "localhost", true, ""},
		{"the right address, the secret", bySecret, right, "127.0.0.1", true, ""},
		{"a public CA, the ring's CA", byRingCA, right, "127.0.0.1", false, "has signed it"},
		{"an unknown CA, a token", byToken, inside, "127.0.0.1", false, "--api-ca ring-ca.pem"},
		{"an unknown CA, the secret", bySecret, inside, "127.0.0.1", false, "--api-ca ring-ca.pem"},
		{"a CA that was named", byPrivate, inside, "127.0.0.1", true, ""},
		{"a CA that was named, another host", byPrivate, insideElsewhere, "127.0.0.1", false, "not for this host"},
		{"a forged CA, the ring's CA", byRingCA, likeRing, "127.0.0.1", false, "not to be trusted"},
		{"a forged CA, the secret", bySecret, likeRing, "127.0.0.1", false, "not to be trusted"},
		{"a forged CA, a token", byToken, likeRing, "127.0.0.1", false, "--api-ca ring-ca.pem"},
		{"without TLS, on this machine", byToken, plain, "127.0.0.1", true, ""},
		{"without TLS, beyond it", byToken, plain, "nanoring.invalid", false, "this machine only"},
		{"without TLS, beyond it, the secret", bySecret, plain, "192.0.2.1", false, "this machine only"},
		{"sent elsewhere", byToken, sends, "127.0.0.1", true, "that is no node"},
	} {
		test.to.given.Store(false)
		plain.given.Store(false)
		u, err := url.Parse(test.to.server.URL)
		if err != nil {
			t.Fatal(err)
		}
		u.Host = net.JoinHostPort(test.host, u.Port())
		cmd := exec.Command(filepath.Join(nanoring, "nanoring"), append([]string{"--api", u.String(), "up", "-o", "names"}, test.by...)...)
		cmd.Env = append(os.Environ(), "SSL_CERT_FILE="+public.file, "SSL_CERT_DIR="+t.TempDir())
		out, err := cmd.CombinedOutput()
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			t.Fatal(err)
		}
		if got := test.to.given.Load(); got != test.given || (err == nil) != (test.said == "") || !strings.Contains(string(out), test.said) {
			t.Errorf("%s: it was given the token (%t), %v: %s", test.what, got, err, out)
		}
		if test.to != plain && plain.given.Load() {
			t.Errorf("%s: the token went on, over http", test.what)
		}
	}
}
