package sim

import (
	"github.com/nanoring/nanoring/core/lww"
	"github.com/nanoring/nanoring/core/wire"
)

// How much of a range a node sends as it is: core/sync.go.
const (
	fewOfRange  = 32
	manyOfRange = 512
	sparseRange = 8
	answerBytes = 96 << 10
)

// answer answers a sync as a node does. A stand-in begins none itself: what differs
// those who are lived find.
func (s *standIn) answer(l *line, f *wire.Frame) {
	a := wire.Frame{Kind: wire.KindSynced, Seq: f.Seq}
	size := 0
	for i := range f.Items {
		if size >= answerBytes {
			break
		}
		a.Handled++
		if out, differs := s.answerItem(l, &f.Items[i]); differs {
			a.Items = append(a.Items, out)
			for j := range out.Records {
				size += out.Records[j].Size()
			}
			if out.Kind == wire.ItemChildren {
				size += wire.RangeChildren * 10
			}
		}
	}
	s.send(l, &a)
}

func (s *standIn) answerItem(l *line, item *wire.Item) (out wire.Item, differs bool) {
	rg := lww.Range{Prefix: item.Range.Prefix, Depth: item.Range.Depth}
	out.Range = item.Range
	switch item.Kind {
	case wire.ItemSome:
		s.takeAll(l, item.Records)
	case wire.ItemAll:
		theirs := make(map[string]bool)
		for i := range item.Records {
			w := &item.Records[i]
			s.take(l, w)
			theirs[w.Name] = true
		}
		for _, w := range s.r.recordsIn(s.i, item.Range.Set, rg) {
			if !theirs[w.Name] {
				out.Records = append(out.Records, w)
			}
		}
		out.Kind = wire.ItemSome
		if len(out.Records) > manyOfRange {
			return s.children(item.Range, rg), true
		}
		return out, len(out.Records) > 0
	case wire.ItemFingerprint:
		mine := s.r.fingerprintOf(s.i, item.Range.Set, rg)
		if mine == item.Fingerprint {
			return out, false
		}
		if mine.Count <= fewOfRange || mine.Count <= manyOfRange && item.Fingerprint.Count <= mine.Count/sparseRange {
			out.Kind, out.Records = wire.ItemAll, s.r.recordsIn(s.i, item.Range.Set, rg)
			return out, true
		}
		return s.children(item.Range, rg), true
	}
	return out, false
}

func (s *standIn) children(of wire.Range, rg lww.Range) wire.Item {
	out := wire.Item{Kind: wire.ItemChildren, Range: of}
	for i := range out.Children {
		out.Children[i] = s.r.fingerprintOf(s.i, of.Set, rg.Child(i))
	}
	return out
}
