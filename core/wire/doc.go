// Package wire reads and writes NanoRing's frames, ring snapshots and record
// values: canonical msgpack, by append functions, for just the formats that the
// protocol uses. docs/protocol.md is the normative text; testdata holds vectors
// that any language can run.
//
// Decoding is made for hostile input. It never panics, never allocates by a
// length that the input merely claims, and accepts one encoding for one value:
// whatever decodes encodes to the same bytes again, but for the keys of a hello,
// a Member or a Presence that are not known here (the value of a record is kept
// with all its keys). The strings of a decoded frame share one copy of its
// bytes; clone what outlives the frame.
package wire
