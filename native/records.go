package native

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nanoring/nanoring/core/wire"
)

// heaps is among how many heaps records are put, by their names, so that two nodes compare
// their sums first, and then the records of those that differ.
const heaps = 256

// RecordsJSON is what a node holds: the sums of its heaps, or the records of one.
type RecordsJSON struct {
	Name    string       `json:"name"`
	Count   int          `json:"count"` // of all records
	Sums    []string     `json:"sums,omitempty"`
	Records []RecordJSON `json:"records,omitempty"`
	More    int          `json:"more,omitempty"` // that did not fit
}

// RecordJSON is a record.
type RecordJSON struct {
	Set   string    `json:"set"` // nodes or up
	Name  string    `json:"name"`
	Says  string    `json:"says"` // what its rank stands for
	Stamp time.Time `json:"stamp"`
	Hash  string    `json:"hash"` // of all of it
}

var ranks = [...][]string{wire.Nodes: {"added", "reaped", "deleted"}, wire.Up: {"up", "suspect", "down", "left"}}

// answerRecords answers with the sums, or, if the payload is the number of a heap, with its
// records.
func (n *Node) answerRecords(ctx context.Context, heap string) (any, error) {
	which := -1
	if heap != "" {
		var err error
		if which, err = strconv.Atoi(heap); err != nil || which < 0 || which >= heaps {
			return nil, fmt.Errorf("there is no heap %.20q: there are 0 to %d", heap, heaps-1)
		}
	}
	all, err := n.records(ctx)
	if err != nil {
		return nil, err
	}
	j := RecordsJSON{Name: n.cfg.Name, Count: len(all)}
	var sums [heaps]uint64
	var some []RecordJSON
	for i := range all {
		w := &all[i]
		hash, in := hashesOf(w)
		sums[in] += hash
		if int(in) == which {
			says := strconv.Itoa(int(w.Rank))
			if int(w.Set) < len(ranks) && int(w.Rank) < len(ranks[w.Set]) {
				says = ranks[w.Set][w.Rank]
			}
			set := map[wire.SetID]string{wire.Nodes: "nodes", wire.Up: "up"}[w.Set]
			some = append(some, RecordJSON{set, w.Name, says, microTime(w.Stamp), fmt.Sprintf("%016x", hash)})
		}
	}
	if which < 0 {
		for _, s := range sums {
			j.Sums = append(j.Sums, fmt.Sprintf("%016x", s))
		}
		return j, nil
	}
	slices.SortFunc(some, func(a, b RecordJSON) int { return strings.Compare(a.Name+"\n"+a.Set, b.Name+"\n"+b.Set) })
	fit := fitting(some, lengthOf(j)+40)
	j.Records, j.More = some[:fit], len(some)-fit
	return j, nil
}

// hashesOf returns the hash of a record, and the heap that it is in. They are for comparing
// the answers of nodes alone, so the functions may be any that all have.
func hashesOf(w *wire.Record) (hash uint64, heap uint32) {
	name, all := fnv.New32a(), fnv.New64a()
	name.Write([]byte(w.Name))
	all.Write(binary.BigEndian.AppendUint64([]byte{byte(w.Set), w.Rank}, uint64(w.Stamp)))
	all.Write([]byte(w.Name + "\x00" + w.Value))
	return all.Sum64(), name.Sum32() % heaps
}

// records are all that the engine holds, guests' too.
func (n *Node) records(ctx context.Context) ([]wire.Record, error) {
	var b []byte
	if err := n.aside(ctx, func(l *loop) {
		if l.goesOn() {
			b = slices.Clone(l.handover())
		}
	}); err != nil {
		return nil, err
	}
	if b == nil {
		return nil, errors.New("the engine broke of being asked")
	}
	var s wire.Snapshot
	if err := s.Decode(b); err != nil {
		return nil, fmt.Errorf("what the engine holds is not understood: %w", err)
	}
	return s.Records, nil
}
