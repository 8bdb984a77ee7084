package lww

import (
	"fmt"
	"runtime"
	"testing"
)

const many = 10_000

func BenchmarkNew(b *testing.B) {
	b.ReportAllocs()
	value := string(make([]byte, 60)) // about a presence's
	for b.Loop() {
		New("node-1234", 1, 0, value)
	}
}

// BenchmarkMerge merges into 10,000 records.
func BenchmarkMerge(b *testing.B) {
	names := make([]string, many)
	for i := range names {
		names[i] = fmt.Sprintf("node-%d", i)
	}
	b.Run("older", func(b *testing.B) {
		b.ReportAllocs()
		s := setOfN(many)
		old := make([]*Record, many)
		for i, name := range names {
			old[i] = New(name, 0, 0, "")
		}
		for i := 0; b.Loop(); i++ {
			s.Merge(old[i%many])
		}
	})
	b.Run("newer", func(b *testing.B) { // with the New of it
		b.ReportAllocs()
		s := setOfN(many)
		for i := 0; b.Loop(); i++ {
			s.Merge(New(names[i%many], int64(i+2), 0, ""))
		}
	})
	b.Run("unknown", func(b *testing.B) { // with the Remove of it
		b.ReportAllocs()
		s := setOfN(many)
		fresh := make([]*Record, many)
		for i := range fresh {
			fresh[i] = New(fmt.Sprintf("tab-%d", i), 1, 0, "")
		}
		for i := 0; b.Loop(); i++ {
			s.Merge(fresh[i%many])
			s.Remove(fresh[i%many].Name)
		}
	})
}

func BenchmarkGet(b *testing.B) {
	s := setOfN(many)
	for b.Loop() {
		s.Get("node-77")
	}
}

func BenchmarkFingerprintOf(b *testing.B) {
	s := setOfN(many)
	for depth := range uint8(5) {
		b.Run(fmt.Sprintf("depth=%d", depth), func(b *testing.B) {
			for b.Loop() {
				s.FingerprintOf(Range{HashName("node-77"), depth})
			}
		})
	}
}

func BenchmarkChildren(b *testing.B) {
	s := setOfN(many)
	for depth := range uint8(4) {
		b.Run(fmt.Sprintf("depth=%d", depth), func(b *testing.B) {
			for b.Loop() {
				s.Children(Range{HashName("node-77"), depth})
			}
		})
	}
}

func BenchmarkAll(b *testing.B) {
	s := setOfN(many)
	for b.Loop() {
		for range s.All() {
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/many, "ns/record")
}

// BenchmarkBuild fills a set with 10,000 shared records, as each node of the
// simulator does, and reports what the set holds on the heap beside them.
func BenchmarkBuild(b *testing.B) {
	var records []*Record
	for r := range setOfN(many).All() {
		records = append(records, r)
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	var sets []*Set
	for b.Loop() {
		sets = append(sets, setOf(records...))
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(int64(after.HeapAlloc-before.HeapAlloc))/float64(len(sets))/many, "B/record")
	runtime.KeepAlive(sets)
	runtime.KeepAlive(records)
}
