package main

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// policies are the README's: of a page with its own bundle, of one with a node's library, and Trusted Types.
func policies(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, found := range regexp.MustCompile("(?m)^Content-Security-Policy: (.*)$").FindAllStringSubmatch(webReadme(t), -1) {
		all = append(all, found[1])
	}
	if len(all) != 3 {
		t.Fatalf("the README has other policies: %q", all)
	}
	return all
}

func webReadme(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("../../web/README.md")
	must(t, err)
	return string(b)
}

// policed returns the URL of a page of another origin, that has the policies which the README says,
// and lets its own script in, and its node go on to others.
func (b *browser) policed(t *testing.T, from *process, others ...*process) string {
	t.Helper()
	all := policies(t)
	policy := strings.Join(append([]string{strings.ReplaceAll(all[1], "127.0.0.1:7001", from.addr)}, gateways(others...)...), " ") + ", " + all[2]
	return b.page(from, joinOptions{"gateways": gateways(from)}, "policy", strings.Replace(policy, "script-src", "script-src 'nonce-test'", 1))
}

// testPolicies: it has its Worker then, and the browser has nothing to complain of.
func testPolicies(t *testing.T, b *browser) {
	dev1 := unwatchedNodes(t).mustStart(t, "dev1", "")
	tab := b.open(t, b.policed(t, dev1))
	tab.becomes("joined")
	if log := eval[string](tab, "log.join()"); strings.Contains(log, "worker: ") {
		t.Error(log)
	}
}
