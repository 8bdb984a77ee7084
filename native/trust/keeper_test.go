package trust

import (
	"crypto/x509"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// secretFile writes a file of secrets.
func secretFile(t testing.TB, secrets ...string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "ring.key")
	if err := os.WriteFile(file, []byte(strings.Join(secrets, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestRenewal: a node gets a new certificate while it runs.
func TestRenewal(t *testing.T) {
	clock := make(chan time.Duration, 1)
	clock <- 0
	cfg := Config{Name: "dev1", SecretFile: secretFile(t, NewSecret())}
	cfg.Clock = func() time.Time {
		ahead := <-clock
		clock <- ahead
		return time.Now().Add(ahead)
	}
	k, err := NewKeeper(cfg)
	if err != nil {
		t.Fatal(err)
	}
	leaf := func() *x509.Certificate { return leafOf(t, k.Now().authorities[0]) }
	first := leaf()
	if changed, err := k.Refresh(false); changed || err != nil {
		t.Fatal(changed, err)
	}
	<-clock
	clock <- leafLife/2 + time.Minute
	if changed, err := k.Refresh(false); !changed || err != nil {
		t.Fatal(changed, err)
	}
	if second := leaf(); first.Equal(second) || second.NotAfter.Before(first.NotAfter) {
		t.Error("it has the certificate it had")
	}
}

// leafOf is an authority's certificate for this node.
func leafOf(t testing.TB, a *authority) *x509.Certificate {
	t.Helper()
	leaf, err := x509.ParseCertificate(a.leaf.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	return leaf
}

// TestKeeperKeeps: what it cannot use it says, by its field, and has what it had.
func TestKeeperKeeps(t *testing.T) {
	a, b := NewSecret(), NewSecret()
	file := secretFile(t, a)
	k, err := NewKeeper(Config{Name: "dev1", SecretFile: file})
	if err != nil {
		t.Fatal(err)
	}
	first, was := k.Now(), secretOf(t, a).ID()
	refuses := func(err, want error) {
		t.Helper()
		var bad *ConfigError
		if !errors.As(err, &bad) || bad.Field != "SecretFile" || want != nil && !errors.Is(err, want) {
			t.Errorf("%v", err)
		}
		if k.Now() != first {
			t.Error("it has another trust")
		}
	}
	if err := os.WriteFile(file, []byte("oops"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = k.Refresh(false)
	refuses(err, nil)
	os.Remove(file)
	_, err = k.Refresh(false)
	refuses(err, fs.ErrNotExist)
	if err := os.WriteFile(file, []byte(b), 0o644); err != nil {
		t.Fatal(err)
	}
	if changed, err := k.Refresh(false); !changed || err != nil {
		t.Fatal(changed, err)
	}
	if t1 := k.Now(); t1.Believes(was) || !t1.Believes(secretOf(t, b).ID()) || !exposed(k) || first.Believes(secretOf(t, b).ID()) {
		t.Error("it does not go by the new file")
	}
	first = k.Now()
	_, err = NewKeeper(Config{Name: "dev1", SecretFile: file + "x"})
	refuses(err, fs.ErrNotExist)
}

func exposed(k *Keeper) bool {
	toRead, _ := k.Exposed()
	return toRead
}

// TestUnchangedFiles: what has not changed is not read at each look, but whatever changes is found:
// what was written at once, in the same tick of a coarse clock, and what was given its old time.
func TestUnchangedFiles(t *testing.T) {
	secret, other := NewSecret(), NewSecret()
	file, old := secretFile(t, secret), time.Now().Add(-time.Hour)
	if err := os.Chtimes(file, old, old); err != nil {
		t.Fatal(err)
	}
	k, err := NewKeeper(Config{Name: "dev1", SecretFile: file})
	if err != nil {
		t.Fatal(err)
	}
	looks := func(most int) (reads int, changed bool) {
		for range most {
			before := k.files[0].at
			if changed, err = k.Refresh(false); err != nil {
				t.Fatal(err)
			}
			if k.files[0].at != before {
				reads++
			}
			if changed {
				return reads, true
			}
		}
		return reads, false
	}
	write := func(secret string, at time.Time) {
		t.Helper()
		if err := errors.Join(os.WriteFile(file, []byte(secret+"\n"), 0o600), os.Chtimes(file, at, at)); err != nil {
			t.Fatal(err)
		}
	}
	if reads, changed := looks(10 * readAnyway); reads != 10 || changed {
		t.Errorf("an old file is read %d times in %d looks; changed: %t", reads, 10*readAnyway, changed)
	}
	write(other, old)
	if _, changed := looks(readAnyway); !changed {
		t.Error("another secret that has the time of the old one is not found")
	}
	now := time.Now()
	write(other, now)
	if _, changed := looks(1); changed {
		t.Error("the same secret is taken for another")
	}
	write(secret, now)
	if _, changed := looks(1); !changed || !k.Now().Believes(secretOf(t, secret).ID()) {
		t.Error("a secret that was written at the same time as the one before is not found")
	}
}
