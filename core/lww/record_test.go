package lww

import (
	"testing"

	"pgregory.net/rapid"
)

// anyRecord draws from few of everything, so that ties are common.
func anyRecord(names ...string) *rapid.Generator[*Record] {
	return rapid.Custom(func(t *rapid.T) *Record {
		return New(
			rapid.SampledFrom(names).Draw(t, "name"),
			rapid.Int64Range(0, 3).Draw(t, "stamp"),
			rapid.Uint8Range(0, 3).Draw(t, "rank"),
			rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "value"))
	})
}

func TestCompareIsATotalOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := anyRecord("n")
		a, b, c := g.Draw(t, "a"), g.Draw(t, "b"), g.Draw(t, "c")
		if a.Compare(b) != -b.Compare(a) {
			t.Fatal("not antisymmetric")
		}
		if (a.Compare(b) == 0) != (*a == *b) {
			t.Fatal("different records are a tie, or equal ones are none")
		}
		if a.Compare(b) <= 0 && b.Compare(c) <= 0 && a.Compare(c) > 0 {
			t.Fatal("not transitive")
		}
	})
}

func TestCompareOrdersStampThenRankThenValue(t *testing.T) {
	ascending := []*Record{
		New("n", -5, 3, "z"),
		New("n", 1, 0, "\xff"), // bytes, not runes: anything goes
		New("n", 1, 1, ""),
		New("n", 1, 1, "a"),
		New("n", 1, 1, "aa"),
		New("n", 1, 2, ""),
		New("n", 2, 0, ""),
	}
	for i, a := range ascending {
		for j, b := range ascending {
			if got := a.Compare(b); (got < 0) != (i < j) || (got == 0) != (i == j) {
				t.Errorf("Compare(%d, %d) = %d", i, j, got)
			}
		}
	}
}

// Hashes and sums are part of the protocol: another implementation has to
// come to the same numbers, and so has this one next year.
func TestHashAndPrintAreFixed(t *testing.T) {
	// Published values of xxHash64 with seed 0.
	for name, want := range map[string]uint64{"": 0xef46db3751d8e999, "a": 0xd24ec4f1a98c6e5b} {
		if got := HashName(name); got != want {
			t.Errorf("HashName(%q) = %#x, want %#x", name, got, want)
		}
	}
	if r := New("a", 1, 2, "b"); r.Hash() != HashName("a") {
		t.Errorf("Hash() = %#x, want the name's", r.Hash())
	}
	// A sum is a hash of bytes that are written down here one by one.
	r := New("dev1", 0x0102030405060708, 9, "\x80")
	if want := HashName("\x01\x02\x03\x04\x05\x06\x07\x08" + "\x09" + "\x00\x00\x00\x04" + "dev1" + "\x80"); r.Sum() != want {
		t.Errorf("Sum() = %#x, want %#x", r.Sum(), want)
	}
}

func TestPrintTellsRecordsApart(t *testing.T) {
	long := string(make([]byte, 300)) // longer than the buffer on the stack
	seen := make(map[uint64]*Record)
	for _, r := range []*Record{
		New("", 0, 0, ""), New("a", 0, 0, ""), New("", 0, 0, "a"),
		New("ab", 0, 0, "c"), New("a", 0, 0, "bc"), New("", 0, 0, "abc"), New("abc", 0, 0, ""),
		New("a", 1, 0, ""), New("a", 256, 0, ""), New("a", -1, 0, ""), New("a", 0, 1, ""),
		New(long, 0, 0, ""), New("", 0, 0, long), New(long, 0, 0, long),
	} {
		if o := seen[r.Sum()]; o != nil {
			t.Errorf("%+v and %+v have the same sum", *o, *r)
		}
		seen[r.Sum()] = r
	}
}

// TestNext: the next operation is the record that New would make.
func TestNext(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name, value := rapid.String().Draw(t, "name"), rapid.String().Draw(t, "value")
		stamp, rank := rapid.Int64().Draw(t, "stamp"), rapid.Uint8().Draw(t, "rank")
		r := New(name, 1, 0, value)
		r.Parsed = 5
		next, want := r.Next(stamp, rank), New(name, stamp, rank, value)
		want.Parsed = 5
		if *next != *want || r.Stamp != 1 {
			t.Fatalf("%+v, not %+v", next, want)
		}
	})
}
