// Command mutant breaks the core on purpose, and tells what notices.
//
//	go run ./core/mutant -n 150       mutants: a condition negated, a call dropped, a constant changed
//	go run ./core/mutant -faults      faults that there once were, put back one at a time
//
// Nothing in the tree changes: what is broken is an overlay of the go command.
// Run it where go.mod is.
package main
