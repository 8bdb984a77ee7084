// Package host runs NanoRing's WebAssembly module, or another that has the same
// ABI (docs/abi.md), in a sandbox: an [Engine] is a [core.Engine] like
// [core.Ring], and gives the same effects for the same inputs, byte for byte.
// What runs in it can reach nothing but what its host carries out for it.
//
// A program makes an Engine with [New], gives it inputs one at a time, and
// carries out the effects of each; package core's documentation says what they
// mean. The shortest such program:
//
//	e, err := host.New(ctx, host.Config{Node: core.Config{Ring: "dev", Name: "dev1", Address: "10.0.0.1:7946"}})
//	...
//	effects, err := e.Step(core.Input{Kind: core.Start, Mono: mono, Wall: wall})
//
// The example joins two rings so, in memory. A node with sockets and a ring
// file takes one line: native.Config.Engine makes its engine.
//
// Compiling the module takes a second or two. The Engines of one process share
// it; in a folder, [Config].Cache, it also lasts until the next.
//
// # The sandbox
//
// The module is given its inputs and nothing else: no files, no arguments, no
// environment, no clock but its inputs' times, no randomness but of its node's
// seed. A module that wants to import more is refused before it runs, with a
// [ModuleError]. Its memory is bounded, so are what it says in one step and how
// long it takes for it, and every pointer and length that it gives is looked at. A
// module that traps, exits, does not come to an end or breaks the rules is thrown
// away: Step returns a [TrapError], and the Engine is of no use any more. The
// program goes on; it may make a new Engine of the last Handover, which takes over
// with the connections that are open: core.Config.Takeover.
package host
