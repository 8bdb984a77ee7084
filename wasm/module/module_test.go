package module

import (
	"bytes"
	"io"
	"testing"

	"github.com/andybalholm/brotli"
)

// TestBrotli: what browsers are served is the module.
func TestBrotli(t *testing.T) {
	plain, err := io.ReadAll(brotli.NewReader(bytes.NewReader(Brotli)))
	if err != nil || !bytes.Equal(plain, Wasm) {
		t.Errorf("nanoring.wasm.br is not nanoring.wasm: run make module (%v)", err)
	}
}
