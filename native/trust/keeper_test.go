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
	leaf := func() *x509.Certificate { return k.Now().authorities[0].leaf.Leaf }
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
