package lww_test

import (
	"fmt"

	"github.com/nanoring/nanoring/core/lww"
)

const (
	add = 0 // rank 0 is the add
	del = 1 // any higher rank is a removal
)

// Two replicas hear of the same operations, in different orders and one of them
// twice, and come to the same set.
func Example() {
	operations := []*lww.Record{
		lww.New("dev1", 100, add, "127.0.0.1:7001"),
		lww.New("dev2", 110, add, "127.0.0.1:7002"),
		lww.New("dev2", 120, del, ""), // dev2 is removed ...
		lww.New("dev3", 130, add, "127.0.0.1:7003"),
		lww.New("dev3", 130, del, ""), // ... and dev3 in the instant in which it is added
		lww.New("dev1", 140, add, "127.0.0.1:8001"),
	}
	var a, b lww.Set // the zero Set is empty
	for _, r := range operations {
		a.Merge(r)
	}
	for i := len(operations) - 1; i >= 0; i-- {
		b.Merge(operations[i])
	}
	b.Merge(operations[0]) // old news changes nothing

	for _, name := range []string{"dev1", "dev2", "dev3", "dev4"} {
		switch r := a.Get(name); {
		case r == nil:
			fmt.Println(name, "was never heard of")
		case r.Rank == add:
			fmt.Println(name, "is in, at", r.Value)
		default:
			fmt.Println(name, "was removed at", r.Stamp)
		}
	}
	fmt.Println("records:", a.Len(), "for", len(operations), "operations")
	fmt.Println("same:", a.Fingerprint() == b.Fingerprint())
	// Output:
	// dev1 is in, at 127.0.0.1:8001
	// dev2 was removed at 120
	// dev3 was removed at 130
	// dev4 was never heard of
	// records: 3 for 6 operations
	// same: true
}

// Two replicas of a thousand records find the one in which they differ: where
// the fingerprints of a range differ, they compare those of its 16 children.
func ExampleSet_Children() {
	var a, b lww.Set
	for i := range 1000 {
		r := lww.New(fmt.Sprintf("node-%d", i), 100, add, "")
		a.Merge(r)
		b.Merge(r)
	}
	a.Merge(lww.New("node-77", 200, del, "")) // b has not heard of it

	var find func(lww.Range)
	find = func(rg lww.Range) {
		if a.FingerprintOf(rg).Count <= 4 { // few enough to send
			for r := range a.In(rg) {
				if b.Merge(r) {
					fmt.Println("b learns of", r.Name, "at depth", rg.Depth)
				}
			}
			return
		}
		ours, theirs := a.Children(rg), b.Children(rg)
		for i := range ours {
			if ours[i] != theirs[i] {
				fmt.Println("child", i, "of depth", rg.Depth, "differs:", ours[i].Count, "records")
				find(rg.Child(i))
			}
		}
	}
	find(lww.Range{}) // the zero Range is all
	fmt.Println("same:", a.Fingerprint() == b.Fingerprint())
	// Output:
	// child 1 of depth 0 differs: 57 records
	// child 4 of depth 1 differs: 5 records
	// child 2 of depth 2 differs: 3 records
	// b learns of node-77 at depth 3
	// same: true
}
