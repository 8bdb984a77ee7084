package main

import (
	"os/exec"
	"strconv"
	"testing"
)

// TestDemoKilled: the nodes of a demo that is killed end too.
func TestDemoKilled(t *testing.T) {
	t.Parallel()
	first, err := freePorts(3)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("nanoring", "demo", "--nodes", "3", "--port", strconv.Itoa(first), "--data", t.TempDir())
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	for _, addr := range localhost(first, 3) {
		eventually(t, addr+" is taken", func() bool { return busy(addr) })
	}
	cmd.Process.Kill()
	for _, addr := range localhost(first, 3) {
		eventually(t, addr+" is free", func() bool { return !busy(addr) })
	}
}
