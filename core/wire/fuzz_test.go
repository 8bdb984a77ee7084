package wire_test

import (
	"reflect"
	"testing"

	"github.com/nanoring/nanoring/core/wire"
)

func sameJSON(a, b any) bool { return reflect.DeepEqual(a, b) }

// seed gives a fuzz target the vectors of a kind, the bad ones too.
func seed(f *testing.F, of string) {
	for _, v := range loadVectors(f) {
		if b := v.bytes(f); v.Of == of && len(b) < 4<<10 {
			f.Add(b)
		}
	}
}

func FuzzFrame(f *testing.F) {
	seed(f, "frame")
	var fr wire.Frame // reused, as nodes do
	f.Fuzz(func(t *testing.T, b []byte) {
		if checkFrame(t, &fr, b) {
			framePeerCheck(t, &fr, b)
		}
	})
}

func FuzzSnapshot(f *testing.F) { fuzzOther(f, "snapshot") }
func FuzzChange(f *testing.F)   { fuzzOther(f, "change") }
func FuzzMember(f *testing.F)   { fuzzOther(f, "member") }
func FuzzPresence(f *testing.F) { fuzzOther(f, "presence") }

func fuzzOther(f *testing.F, of string) {
	seed(f, of)
	f.Fuzz(func(t *testing.T, b []byte) {
		checkOther(t, of, b)
		if _, _, err := decode(of, b); err == nil {
			peerCheck(t, b)
		}
	})
}
