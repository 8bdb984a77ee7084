// Package core is the ring: one node's part in it as a deterministic state
// machine, without clock, goroutine, socket or file. The zero-trust rule of
// thumb: whatever comes from outside comes in through Step, and Step never panics.
//
// A program that runs a node is a runtime. It makes an [Engine] with [New], gives
// it inputs one at a time, and carries out the effects of each, in order, before
// the next:
//
//	Start                                 once, first
//	Dial(conn, addr)    → Opened(conn) when it is open, or Closed(conn, code)
//	someone connects    → Opened(conn, role, addr), with an odd ConnID of the runtime's
//	a frame arrives     → Received(conn, frame), in the order they were sent
//	Send(conn, frame)     queue the frame; a peer that does not read is closed (slow)
//	Close(conn, code)     send what is queued, then close; Closed need not follow
//	it broke or closed  → Closed(conn, code)
//	Wake(at)            → Tick at that time; each Wake replaces the one before
//	an operator asks    → Do(command), answered by an event with its ID
//	Dirty(seq)            write Snapshot(), or Changes() to it, to disk, when the last write is done
//	Emit(event)           for the view, the log and whoever watches
//	Halt(reason)          the node is done: end the process
//
// Effects and their bytes are the engine's: they are valid until the next Step.
//
// Every input carries two times in microseconds. Mono runs the timers: it has any
// origin and never goes back. Wall makes the stamps: it is Unix time and may
// jump. An Engine without a Tick for longer than it asked for takes it that its
// process slept, and blames nobody for it.
//
// A ConnID names one connection for ever: even ids come with Dial, odd ones are
// the runtime's, for what it accepted. The role of an accepted connection, [Peer]
// or [Guest], is what the runtime's authentication says, never what a frame says.
//
// A [View] that every event is applied to answers what all asks and up asks. A
// command has succeeded when its [EventResult] says so and a snapshot taken at or
// after the result's Seq is on disk. On HaltLeft and HaltRemoved the ring file
// has to go, and a marker to stay: this node does not join again unless it is told to.
//
// Another Engine can take over while the connections stay open: [Config].Takeover,
// and what it is told before Start, are for a runtime that replaces its engine, or
// whose engine broke.
//
// The same inputs give the same effects, byte for byte: a program that records
// them can replay any node. core/sim runs whole rings of Engines that way.
package core
