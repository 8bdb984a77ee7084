// Package nanoring says the version, and has the tests that keep the house in
// order (house_test.go). The rooms are beside it:
//
//   - core is the ring: a pure, deterministic state machine;
//   - native runs it as a process: native.Start is the way to embed a node;
//   - cmd/nanoring is the command line.
package nanoring
