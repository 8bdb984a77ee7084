package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// flags are those of a node to which the CA has given a certificate.
func (c *ca) flags(t *testing.T, name string) []string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(3), Subject: pkix.Name{CommonName: name}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotBefore: c.cert.NotBefore, NotAfter: c.cert.NotAfter,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}, c.cert, key.Public(), c.key)
	must(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	must(t, err)
	base := filepath.Join(t.TempDir(), name)
	must(t, os.WriteFile(base+".pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	must(t, os.WriteFile(base+".key", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600))
	return []string{"--tls-cert", base + ".pem", "--tls-key", base + ".key", "--tls-ca", c.file}
}

// TestLeaveByCertificates: nodes that know each other by certificates alone take no token over the
// network, so that another one cannot be asked to leave, which is said before anything is done; it can
// where it runs, or be deleted.
func TestLeaveByCertificates(t *testing.T) {
	t.Parallel()
	own := newCA(t, "own", "01")
	ns := nodes{dir: t.TempDir(), byName: make(map[string]*process)}
	dev1, err := ns.start("dev1", "", own.flags(t, "dev1")...)
	must(t, err)
	defer dev1.kill()
	dev2, err := ns.start("dev2", "", append(own.flags(t, "dev2"), "--join", dev1.addr)...)
	must(t, err)
	defer dev2.kill()
	for until := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		if s, err := dev1.client.status(t.Context()); err == nil && s.Up == 2 {
			break
		} else if time.Now().After(until) {
			t.Fatalf("%+v, %v", s, err)
		}
	}
	run := func(status int, says string, args ...string) {
		t.Helper()
		cmd := exec.Command("nanoring", args...)
		out, _ := cmd.CombinedOutput()
		if got := cmd.ProcessState.ExitCode(); got != status || !strings.Contains(string(out), says) {
			t.Errorf("%v: %d, %s", args, got, out)
		}
	}
	data := func(name string) string { return filepath.Join(ns.dir, name) }
	run(1, "no tokens by which another one could be asked over the network: nothing was done\nHave it leave where it runs", "--data", data("dev1"), "leave", "dev2")
	run(1, "nanoring del dev2", "--data", data("dev1"), "--api-ca", own.file, "leave", "dev1", "dev2")
	run(1, "no secret, so there are no tokens", "--api", "https://"+dev2.addr, "--api-ca", own.file, "leave")
	run(0, "dev2 has left its ring", "--data", data("dev2"), "leave", "dev2")
	run(0, "dev1", "--data", data("dev1"), "all", "-o", "names")
	if status, err := dev2.wait(); status != 0 || err != nil {
		t.Error(status, err)
	}
}
