// Package web has what a node serves to browsers: nanoring.js, with which a
// page is a node (its exported API is documented there), and the demo page.
// nanoring.wasm, which both need, is in wasm/module.
package web

import "embed"

// Files are the page, index.html, and all that it loads but for nanoring.wasm.
//
//go:embed *.html *.css *.js
var Files embed.FS
