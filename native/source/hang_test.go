package source

import (
	"context"
	"sync/atomic"
	"testing"
)

// TestHangingFile: a file whose disk hangs is waited for no longer than there is time, is read once
// meanwhile, and is of use when the disk answers.
func TestHangingFile(t *testing.T) {
	gate := make(chan struct{})
	var reads atomic.Int32
	f := &file{text: "file:x", path: "x", read: func(string) ([]byte, error) {
		reads.Add(1)
		<-gate
		return []byte("a:1\n"), nil
	}}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	for range 3 {
		got, err := f.Addresses(over)
		expect(t, "it hangs", got, err, nil, "x is not read yet: its disk does not answer")
	}
	close(gate)
	got, err := f.Addresses(t.Context())
	expect(t, "it answers", got, err, []string{"a:1"}, "")
	if reads.Load() != 1 {
		t.Errorf("it was read %d times", reads.Load())
	}
}
