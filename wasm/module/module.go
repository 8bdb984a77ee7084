// Package module has the core as a WebAssembly module, built from wasm by "make
// module". docs/abi.md says how to drive it; package host does, with wazero.
package module

import _ "embed" // for Wasm

// Wasm is nanoring.wasm.
//
//go:embed nanoring.wasm
var Wasm []byte

// Brotli is Wasm compressed for browsers, as nobody could each time: it takes a quarter of a
// minute, and a quarter less than gzip.
//
//go:embed nanoring.wasm.br
var Brotli []byte
