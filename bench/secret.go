package main

import (
	"crypto/sha256"
	"os"
	"path/filepath"

	"github.com/hashicorp/memberlist"

	"github.com/nanoring/nanoring/native/trust"
)

// secretEnv has the secret of all rings, for the processes of nodes: with it those
// of NanoRing speak TLS, and those of the others encrypt by a keyring.
const secretEnv = "NANORING_BENCH_SECRET"

func lock() { os.Setenv(secretEnv, trust.NewSecret()) }

// secretFile writes the file that a node of NanoRing reads its secret from; "" if
// there is none.
func secretFile(dir string) (string, error) {
	secret := os.Getenv(secretEnv)
	if secret == "" {
		return "", nil
	}
	file := dir + ".key"
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return "", err
	}
	return file, os.WriteFile(file, []byte(secret), 0o600)
}

// keyring is memberlist's; nil if there is no secret.
func keyring() (*memberlist.Keyring, error) {
	secret := os.Getenv(secretEnv)
	if secret == "" {
		return nil, nil
	}
	key := sha256.Sum256([]byte(secret)) // AES-256
	return memberlist.NewKeyring(nil, key[:])
}
