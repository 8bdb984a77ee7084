package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestCurlLines: what docs/api.md says of curl and tokens is so, and gives nobody else the token.
func TestCurlLines(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "api.md"))
	must(t, err)
	_, text2, _ := strings.Cut(string(text), "\n## Tokens\n")
	section, _, _ := strings.Cut(text2, "\n## ")
	var lines []string
	for _, m := range regexp.MustCompile(`(?m)^\$ (.*)$`).FindAllStringSubmatch(section, -1) {
		lines = append(lines, m[1])
	}
	if len(lines) != 3 {
		t.Fatalf("it says %q", lines)
	}
	if insecure := regexp.MustCompile(`curl [^|\x60]*(-\w*k\b|--insecure)`).Find(text); insecure != nil {
		t.Errorf("it says %q", insecure)
	}
	authority := newCA(t, "ours", "01")
	ns := newNodes(t)
	key := filepath.Join(ns.dir, "ring.key")
	must(t, exec.Command("nanoring", "keygen", "--out", key).Run())
	dev1 := ns.mustStart(t, "dev1", "", append(authority.flags(t, "dev1")[:4], "--secret-file", key)...)
	pem, err := os.ReadFile(authority.file)
	must(t, err)
	must(t, os.WriteFile(filepath.Join(ns.dir, "ca.pem"), pem, 0o600))
	run := func(line, address string) (string, error) {
		line = strings.NewReplacer("127.0.0.1:7001", address, "10.0.0.5:7946", address).Replace(line)
		cmd := exec.CommandContext(t.Context(), "sh", "-c", line)
		cmd.Dir = ns.dir
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	for i, line := range lines {
		if out, err := run(line, dev1.addr); err != nil || i > 0 && !strings.Contains(out, `"name":"dev1"`) {
			t.Errorf("%s: %v\n%s", line, err, out)
		}
	}
	other := newImpostor(t, newCA(t, "theirs", "02"), "", "127.0.0.1")
	if out, err := run(lines[2], other.server.Listener.Addr().String()); err == nil || other.given.Load() {
		t.Errorf("somebody else is given the token: %s", out)
	}
}
