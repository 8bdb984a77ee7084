package disk

import (
	"encoding/hex"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/nanoring/nanoring/core/wire"
)

// TestDocumented: the ring file that docs/protocol.md shows is one, without its change and with it.
func TestDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/protocol.md")
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?m)^(4e616e6f[0-9a-f ]+)\n([0-9a-f ]+)\n```").FindSubmatch(page)
	if block == nil {
		t.Fatal("it shows none")
	}
	var file []byte
	for i, wall := range []int64{0, 2} {
		b, err := hex.DecodeString(strings.ReplaceAll(string(block[i+1]), " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		file = append(file, b...)
		var s wire.Snapshot
		if b, err := DecodeRingFile(file); err != nil || s.Decode(b) != nil || s.Wall != wall {
			t.Errorf("%d lines of it: %v, %+v", i+1, err, s)
		}
	}
}
