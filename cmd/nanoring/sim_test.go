package main

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// TestSimOnTheModule: what is printed does not depend on what runs the nodes.
func TestSimOnTheModule(t *testing.T) {
	t.Parallel()
	const plan = "--nodes 8 --guests 2 --latency 1ms-40ms --loss 2% --kill 1@3s --partition 30%@5s+5s --churn 1/s --skew 2s --seed 7 --for 15s"
	for _, c := range []struct{ output, wasm, says, without string }{
		{"table", "3", "3 of them run the WebAssembly module, the others the native core.\n", ""},
		{"json", "100%", "\"wasm\": 10,", "\"wasm\": 0,"},
	} {
		native, got := simOutput(t, c.output, plan), simOutput(t, c.output, plan+" --wasm "+c.wasm)
		if !strings.Contains(got, c.says) {
			t.Errorf("--wasm %s: it does not say %q:\n%s", c.wasm, c.says, got)
		}
		if got := strings.Replace(got, c.says, c.without, 1); got != native {
			t.Errorf("with --wasm %s:\n%s\nwithout:\n%s", c.wasm, got, native)
		}
	}
}

func simOutput(t *testing.T, output, args string) string {
	t.Helper()
	var s simulation
	cmd := &cobra.Command{Use: "sim"}
	s.flags(cmd)
	if err := cmd.ParseFlags(strings.Fields(args)); err != nil {
		t.Fatal(err)
	}
	if err := s.complete(new(options)); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := s.run(printer{&out}, printer{io.Discard}, output); err != nil {
		t.Fatal(err)
	}
	return out.String()
}
