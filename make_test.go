package nanoring

import (
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// unshown are targets that are steps of others.
var unshown = []string{"wasm", "browser", "firefox", "network", "test-one", "test-many", "keep-texts"}

// targets are those of the Makefile.
func targets(t *testing.T) (all []string) {
	for _, m := range regexp.MustCompile(`(?m)^([a-z_%-]+):(?: .*)?$`).FindAllStringSubmatch(text(t, "Makefile"), -1) {
		all = append(all, m[1])
	}
	return all
}

// TestMakeHelp: make help shows each target, and make alone is make help.
func TestMakeHelp(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "make", "-s").CombinedOutput()
	if err != nil {
		t.Fatalf("make: %v\n%s", err, out)
	}
	shown := make(map[string]bool)
	for line := range strings.Lines(string(out)) {
		if name, what, _ := strings.Cut(strings.TrimSpace(line), " "); strings.HasPrefix(line, "  ") && strings.TrimSpace(what) != "" {
			shown[name] = true
		}
	}
	all := targets(t)
	for _, target := range all {
		if name := strings.ReplaceAll(target, "%", "1..4"); shown[name] == slices.Contains(unshown, target) {
			t.Errorf("make help shows %s (%t)", target, shown[name])
		}
	}
	phony := 0
	for _, m := range regexp.MustCompile(`(?m)^\.PHONY: (.*)$`).FindAllStringSubmatch(text(t, "Makefile"), -1) {
		phony += len(strings.Fields(m[1]))
	}
	if len(all) < 20 || phony != len(all) {
		t.Errorf("%d targets were found, of which %d are .PHONY", len(all), phony)
	}
}
