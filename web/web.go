// Package web has what a node serves to browsers: nanoring.js, with which a
// page is a node (its exported API is documented there), and the demo page.
// nanoring.wasm, which both need, is in wasm/module.
package web

import "embed"

// Files are the library, in lib, and the page, in page: index.html, and all that it loads.
// But for nanoring.wasm, which is of lib and is not here.
//
//go:embed lib/*.js page/*.html page/*.css page/*.js
var Files embed.FS
