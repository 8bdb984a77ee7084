package native

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
	"github.com/nanoring/nanoring/native/trust"
)

// secretOf parses a secret of a test.
func secretOf(t testing.TB, line string) *trust.Secret {
	t.Helper()
	s, err := trust.ParseSecrets([]byte(line))
	if err != nil {
		t.Fatal(err)
	}
	return &s[0]
}

// secretFile writes a file of secrets.
func secretFile(t testing.TB, secrets ...string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "ring.key")
	writeSecrets(t, file, secrets...)
	return file
}

// writeSecrets replaces a file, as a whole.
func writeSecrets(t testing.TB, file string, secrets ...string) {
	t.Helper()
	if err := os.WriteFile(file+".new", []byte(strings.Join(secrets, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		t.Fatal(err)
	}
}

func locked(file string) func(*Config) { return func(c *Config) { c.SecretFile = file } }

// dialTLS dials a node's WebSocket with a TLS configuration, and returns the HTTP
// status, or 0 if TLS did not let it come to that.
func dialTLS(t testing.TB, n *Node, config *tls.Config, header http.Header, protocols ...string) (*websocket.Conn, int, string) {
	t.Helper()
	ws, status, says := dialLoose(t, n, config, header, protocols...)
	if ws != nil {
		t.Cleanup(func() { ws.CloseNow() })
	}
	return ws, status, says
}

// dialLoose is dialTLS for who closes the connection itself.
func dialLoose(t testing.TB, n *Node, config *tls.Config, header http.Header, protocols ...string) (*websocket.Conn, int, string) {
	t.Helper()
	transport, scheme := &http.Transport{DisableKeepAlives: true}, "ws"
	if config != nil {
		scheme = "wss"
		config.InsecureSkipVerify = true
		transport.DialTLSContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
			return (&tls.Dialer{Config: config}).DialContext(ctx, network, addr)
		}
	}
	ws, resp, err := websocket.Dial(t.Context(), scheme+"://"+n.Addr()+"/ring", &websocket.DialOptions{
		HTTPClient: &http.Client{Transport: transport}, HTTPHeader: header, Subprotocols: append([]string{subprotocol}, protocols...),
	})
	if err == nil {
		ws.SetReadLimit(-1)
		return ws, http.StatusSwitchingProtocols, ""
	}
	if resp == nil {
		return nil, 0, err.Error()
	}
	var b bytes.Buffer
	b.ReadFrom(resp.Body)
	return nil, resp.StatusCode, b.String()
}

// asNode is the TLS configuration of a node with a secret. It believes anybody.
func asNode(t testing.TB, secret, name string, at time.Time) *tls.Config {
	t.Helper()
	k, err := trust.NewKeeper(trust.Config{Name: name, SecretFile: secretFile(t, secret), Clock: func() time.Time { return at }})
	if err != nil {
		t.Fatal(err)
	}
	c := k.Now().Client().Clone()
	c.VerifyConnection = nil
	return c
}

// TestLockedRing: nodes with one secret are a ring, whose connections are TLS 1.3;
// who has another secret, or none, is not in it, and is told what it lacks.
func TestLockedRing(t *testing.T) {
	secret, other := trust.NewSecret(), trust.NewSecret()
	file := secretFile(t, secret)
	one := real(t, "dev1", locked(file))
	var log logged
	two := real(t, "dev2", locked(file), join(one.Addr()))
	agree(t, "dev1 dev2", one, two)
	stranger := real(t, "dev3", locked(secretFile(t, other)), join(one.Addr()), func(c *Config) { c.Log = log.logger() })
	open := real(t, "dev4", join(one.Addr()), func(c *Config) { c.Log = log.logger() })
	lacks := "it goes by the secret " + secretOf(t, secret).ID() + ", which this node does not have: it has " + secretOf(t, other).ID()
	eventually(t, "an error that names the secret", func() bool { return log.count(lacks) > 0 })
	eventually(t, "an error that there is none", func() bool { return log.count("it wants the ring's secret") > 0 })
	if log.count(secret[20:40])+log.count(other[20:40]) > 0 {
		t.Error("a log has a secret")
	}
	_, err := one.Add(soon(t), "dev4", open.Addr())
	if no := new(CommandError); !asCommandError(err, &no) || no.Code != wire.CodeUntrusted {
		t.Errorf("adding a node without the secret: %v", err)
	}
	_, err = one.Add(soon(t), "", stranger.Addr())
	if no := new(CommandError); !asCommandError(err, &no) || no.Code != wire.CodeUntrusted {
		t.Errorf("adding a node with another secret: %v", err)
	}
	agree(t, "dev1 dev2", one, two)
}

func asCommandError(err error, to **CommandError) bool {
	no, ok := err.(*CommandError)
	if ok {
		*to = no
	}
	return ok
}

// TestBadCertificates: a certificate that is not a node's of this ring, now, opens
// nothing: nothing of it comes to the engine.
func TestBadCertificates(t *testing.T) {
	secret := trust.NewSecret()
	other, proto := trust.NewSecret(), []string{"nanoring/" + secretOf(t, secret).ID()}
	var log logged
	f := newFake(nil)
	cfg := config(t, "dev1")
	cfg.Engine, cfg.SecretFile, cfg.Log = f.engine, secretFile(t, secret), log.logger()
	n := start(t, cfg)
	now := time.Now()

	none := &tls.Config{NextProtos: proto}
	forged := asNode(t, other, "dev2", now)
	forged.NextProtos = proto // it says that it has the secret
	unnamed := selfSigned(t, "nanoring "+secretOf(t, secret).ID(), nil)
	unnamed.NextProtos = forged.NextProtos
	for name, c := range map[string]*tls.Config{
		"none": none, "of another secret": asNode(t, other, "dev2", now), "of another secret, under this one's id": forged,
		"expired":       asNode(t, secret, "dev2", now.Add(-48*time.Hour)),
		"not valid yet": asNode(t, secret, "dev2", now.Add(2*time.Hour)),
		"self-signed":   unnamed,
		"of no name":    asNode(t, secret, "", now),
		"of a bad name": asNode(t, secret, "a@b", now),
	} {
		if ws, status, _ := dialTLS(t, n, c, nil); ws != nil || status == http.StatusSwitchingProtocols {
			t.Errorf("a certificate %s opens a WebSocket", name)
		}
	}
	old := asNode(t, secret, "dev2", now)
	old.MinVersion, old.MaxVersion = tls.VersionTLS12, tls.VersionTLS12
	if ws, _, _ := dialTLS(t, n, old, nil); ws != nil {
		t.Error("TLS 1.2 opens a WebSocket")
	}
	for len(f.inputs) > 0 {
		if in := <-f.inputs; in.Kind == core.Opened {
			t.Errorf("the engine was told of a connection: %+v", in)
		}
	}
	if ws, status, says := dialTLS(t, n, asNode(t, secret, "dev2", now), nil); ws == nil {
		t.Fatalf("a good certificate: %d %s", status, says)
	}
	if in := f.next(t, core.Opened); in.Role != core.Peer || in.Name != "dev2" {
		t.Errorf("%+v", in)
	}
	for _, why := range []string{"its certificate is valid from", "none of the ring's secrets", "its certificate is not good"} {
		if log.count(why) == 0 {
			t.Errorf("the log does not say: %s", why)
		}
	}
}

// selfSigned makes a TLS configuration of a certificate by itself.
func selfSigned(t testing.TB, subject string, uris []*url.URL) *tls.Config {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: subject}, URIs: uris,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, public, private)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: private}}}
}

// TestLongWordsOfStrangers: who says much, in a certificate or a path, has a line of the log as others.
func TestLongWordsOfStrangers(t *testing.T) {
	secret := trust.NewSecret()
	var log logged
	n := real(t, "dev1", locked(secretFile(t, secret)), func(c *Config) { c.Log = log.logger() })
	public, private, err := ed25519.GenerateKey(rand.Reader)
	must(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: strings.Repeat("n", 40<<10)}, NotAfter: time.Now().Add(time.Hour),
		URIs: []*url.URL{{Scheme: "nanoring", Opaque: "\t" + strings.Repeat("v", 60<<10)}}} // which no parser takes, and some quote
	der, err := x509.CreateCertificate(rand.Reader, template, template, public, private)
	must(t, err)
	config := asNode(t, secret, "dev2", time.Now())
	config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: private}, nil
	}
	if ws, _, _ := dialTLS(t, n.Node, config, nil); ws != nil {
		t.Fatal("it is let in")
	}
	ask(t, httpClient(t), "GET", "http://"+n.Addr()+"/v1/nodes/"+strings.Repeat("p", 12<<10), "")
	eventually(t, "the log says so", func() bool { return log.count("no TLS handshake") > 0 && log.count("ppppp") > 0 })
	log.mu.Lock()
	defer log.mu.Unlock()
	for line := range strings.Lines(log.b.String()) {
		if len(line) > 3*maxValue {
			t.Errorf("a line of %d bytes: %.200s", len(line), line)
		}
	}
}

// TestLeafOfAnotherName: a node may go by the name in its certificate, and no other.
func TestLeafOfAnotherName(t *testing.T) {
	secret := trust.NewSecret()
	one := real(t, "dev1", locked(secretFile(t, secret)))
	for _, name := range []string{"dev1", "dev3"} { // as itself, it would make dev1 halt
		ws, status, says := dialTLS(t, one.Node, asNode(t, secret, "dev2", time.Now()), nil)
		if ws == nil {
			t.Fatal(status, says)
		}
		hello := wire.Frame{Kind: wire.KindHello, Hello: wire.Hello{
			Name: name, Ring: testRing, Address: "127.0.0.1:1", Instance: wire.Instance{Start: 1, Nonce: 1},
			Members: 1, Min: 1, Max: 1, Wall: time.Now().UnixMicro(),
		}}
		write(t, ws, websocket.MessageBinary, hello.Append(nil))
		if e := closeOf(t, ws); wire.Code(e.Code) != wire.CodeForbidden {
			t.Errorf("dev2 as %s: %+v", name, e)
		}
	}
	agree(t, "dev1", one)
}

// TestPKI: with a CA of one's own nodes go by its certificates; a browser is shown
// the same. The files may change.
func TestPKI(t *testing.T) {
	ca := newCA(t)
	one := real(t, "dev1", ca.config(t, "dev1"))
	two := real(t, "dev2", ca.config(t, "dev2"), join(one.Addr()))
	agree(t, "dev1 dev2", one, two)
	foreign := real(t, "dev3", newCA(t).config(t, "dev3"), join(one.Addr()))
	if _, err := one.Add(soon(t), "", foreign.Addr()); err == nil {
		t.Error("a node of another CA is added")
	}
	roots := x509.NewCertPool()
	roots.AddCert(ca.cert)
	seen := func() string {
		c, err := tls.Dial("tcp", one.Addr(), &tls.Config{RootCAs: roots, ServerName: "www.example.org"})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		return fmt.Sprint(c.ConnectionState().PeerCertificates[0].SerialNumber)
	}
	before := seen()
	ca.write(t, filepath.Dir(one.cfg.TLSCert), "dev1")
	eventually(t, "the new certificate", func() bool { return seen() != before })
	if err := os.WriteFile(one.cfg.TLSCert, []byte("nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := one.Reload(); err == nil {
		t.Error("a damaged certificate is taken")
	}
	seen() // it has the one before

	cfg := config(t, "dev4")
	ca.config(t, "dev5")(&cfg)
	if n, err := Start(t.Context(), cfg); err == nil {
		n.Close()
		t.Error("a node starts with the certificate of another")
	}
}

type testCA struct {
	cert *x509.Certificate
	key  ed25519.PrivateKey
}

func newCA(t *testing.T) testCA {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "A CA of one's own"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, public, private)
	if err != nil {
		t.Fatal(err)
	}
	cert, _ := x509.ParseCertificate(der)
	return testCA{cert, private}
}

// write writes a node's certificate, its key and the CA's into a folder.
func (ca testCA) write(t *testing.T, dir, name string) {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, DNSNames: []string{"www.example.org"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}, ca.cert, public, ca.key)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{
		"key.pem": {Type: "PRIVATE KEY", Bytes: pkcs8}, "cert.pem": {Type: "CERTIFICATE", Bytes: der}, "ca.pem": {Type: "CERTIFICATE", Bytes: ca.cert.Raw},
	} {
		if err := os.WriteFile(filepath.Join(dir, file), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func (ca testCA) config(t *testing.T, name string) func(*Config) {
	dir := t.TempDir()
	ca.write(t, dir, name)
	return func(c *Config) {
		c.TLSCert, c.TLSKey, c.TLSCA = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"), filepath.Join(dir, "ca.pem")
	}
}

// TestEmbeddersTLS: a program that has a TLS configuration of its own passes it.
func TestEmbeddersTLS(t *testing.T) {
	ca := newCA(t)
	with := func(name string) func(*Config) {
		dir := t.TempDir()
		ca.write(t, dir, name)
		cert, err := tls.LoadX509KeyPair(filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"))
		if err != nil {
			t.Fatal(err)
		}
		roots := x509.NewCertPool()
		roots.AddCert(ca.cert)
		return func(c *Config) { c.TLS = &tls.Config{Certificates: []tls.Certificate{cert}, ClientCAs: roots} }
	}
	one := real(t, "dev1", with("dev1"))
	two := real(t, "dev2", with("dev2"), join(one.Addr()))
	agree(t, "dev1 dev2", one, two)
}

func clientTLS(t testing.TB, secrets string) *tls.Config {
	t.Helper()
	list, err := trust.ParseSecrets([]byte(secrets))
	if err != nil {
		t.Fatal(err)
	}
	c, err := trust.ClientTLS("127.0.0.1", list)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestLockedHandler: a node that is mounted in a TLS server of somebody's own is in
// its ring as all others are.
func TestLockedHandler(t *testing.T) {
	file := secretFile(t, trust.NewSecret())
	one := real(t, "dev1", locked(file))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	two := real(t, "dev2", locked(file), func(c *Config) { c.Listen, c.Advertise = "", l.Addr().String() })
	server := &http.Server{Handler: two.Handler(), ReadHeaderTimeout: patience}
	done := make(chan struct{})
	go func() {
		defer close(done)
		server.Serve(tls.NewListener(l, two.TLSConfig()))
	}()
	t.Cleanup(func() {
		two.Close()
		server.Close()
		<-done
	})
	if _, err := one.Add(soon(t), "", two.Addr()); err != nil {
		t.Fatal(err)
	}
	agree(t, "dev1 dev2", one, two)
}

// TestHandlerOnUnixSocket: on a Unix socket of a program's own, whose mode is its own affair,
// a locked node takes tokens, and holds nobody for the operator.
func TestHandlerOnUnixSocket(t *testing.T) {
	secret := trust.NewSecret()
	n := real(t, "dev1", locked(secretFile(t, secret)))
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: n.Handler(), ReadHeaderTimeout: patience}
	done := make(chan struct{})
	go func() {
		defer close(done)
		server.Serve(l)
	}()
	t.Cleanup(func() {
		server.Close()
		<-done
	})
	c := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", path)
	}}}
	s := secretOf(t, secret)
	reader := "Bearer " + token(t, s, trust.Token{Role: trust.RoleReader})
	operator := "Bearer " + token(t, s, trust.Token{Role: trust.RoleOperator})
	for _, test := range []struct {
		method, path, body, token string
		want                      int
	}{
		{"GET", "/v1/nodes", "", "", 401},
		{"GET", "/v1/nodes", "", reader, 200}, // from this machine: it needs no TLS
		{"POST", "/v1/nodes", `{"address":"127.0.0.1:1"}`, "", 401},
		{"POST", "/v1/leave", "", "", 401},
		{"POST", "/v1/leave", "", reader, 403},
		{"POST", "/v1/links", "", "", 401},
		{"POST", "/v1/links", "", operator, 201},
		{"DELETE", "/v1/links", "", "", 401},
		{"POST", "/v1/engine", `{"engine":"builtin"}`, "", 401},
		{"POST", "/v1/engine", `{"engine":"builtin"}`, operator, 403},
	} {
		if got := ask(t, c, test.method, "http://localhost"+test.path, test.body, "Authorization", test.token, "Content-Type", "application/json"); got.status != test.want {
			t.Errorf("%s %s: %d %s, want %d", test.method, test.path, got.status, got.body, test.want)
		}
	}
	if got := ask(t, socketClient(t, n.Node), "GET", "http://localhost/v1/nodes", ""); got.status != 200 {
		t.Errorf("by the node's own socket: %d %s", got.status, got.body)
	}
}
