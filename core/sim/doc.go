// Package sim is the deterministic simulator: machines with clocks and disks,
// each running a node or not, on one virtual network, out of one seed. The same
// seed gives the same run, event for event.
//
// A World is a heap of events in virtual time, driven by one goroutine. The
// network does to connections what TCP over a bad line does: delay, stall and
// reset, never reorder or duplicate. What does not arrive, because of a cut or
// since a middlebox has forgotten the connection, is sent again after waits that
// double from 200 ms to two minutes: so it comes late when the network is whole
// again, and the connection breaks only after 15 minutes. docs/simulator.md lists
// what else goes wrong, and what real connections do then: the simulated ones are
// never kinder, and a test holds them against each other. Machines drive a
// core.Engine exactly as a runtime has to, and know as little of what is in a
// frame; only the trace and the invariants look inside.
package sim
