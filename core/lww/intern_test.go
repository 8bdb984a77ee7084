package lww

import "testing"

func TestInterner(t *testing.T) {
	var in Interner
	if in.Get("a", 1, 0, "v") != nil {
		t.Error("an empty interner remembers something")
	}
	a := New("a", 1, 0, "v")
	if in.Add(a) != a || in.Get("a", 1, 0, "v") != a {
		t.Error("what was added is not remembered")
	}
	if in.Add(New("a", 1, 0, "v")) != a {
		t.Error("the same operation is not the same record")
	}
	for _, other := range []*Record{New("b", 1, 0, "v"), New("a", 2, 0, "v"), New("a", 1, 1, "v"), New("a", 1, 0, "w")} {
		if in.Get(other.Name, other.Stamp, other.Rank, other.Value) != nil {
			t.Errorf("%+v was never added", other)
		}
	}
	for stamp := int64(2); stamp < 2+remembered; stamp++ {
		in.Add(New("a", stamp, 0, "v"))
	}
	if in.Get("a", 1, 0, "v") != nil {
		t.Error("operations are remembered without bound")
	}
	if r := in.Get("a", 2, 0, "v"); r == nil || r.Stamp != 2 {
		t.Error("one of the last operations is not remembered")
	}
}
