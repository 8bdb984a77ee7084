// Package native runs a node of a ring as a process: it gives core's engine its
// connections (WebSockets), its clock and its ring file, and shows the ring over
// HTTP. Start is the way to embed a node in a program of your own.
//
// One goroutine owns the engine (loop.go). Everything else hands it inputs
// through one bounded queue and carries out its effects: connections have a
// reader and a writer of their own, so that a slow peer holds up nobody. What
// people ask for is answered from a view built of the engine's events, never by
// asking the engine.
//
// What programs here send, tell, ask and answer goes through the engine, too; what
// they hear comes by a hearing (hearing.go), which knows who wants what, keeps the
// last of it for who comes back, and waits for nobody.
//
// Two rooms are beside it, and know nothing of it: native/disk is the data folder,
// native/trust who may come in.
package native
