package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

// TestSettingsAreDocumented: the table in docs/operations.md has each setting, with its default
// and whether it is live, and no others.
func TestSettingsAreDocumented(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "operations.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, table, ok := strings.Cut(string(text), "| setting | default | live | |\n| --- | --- | --- | --- |\n")
	table, _, _ = strings.Cut(table, "\n\n")
	if !ok {
		t.Fatal("there is no table")
	}
	type row struct{ value, live string }
	rows := make(map[string]row)
	for line := range strings.Lines(table) {
		cells := strings.Split(line, "|")
		for name := range strings.SplitSeq(cells[1], ",") {
			rows[strings.Trim(name, " `")] = row{strings.TrimSpace(cells[2]), strings.TrimSpace(cells[3])}
		}
	}
	flags, _, _ := newNodeFlags()
	flags.VisitAll(func(f *pflag.Flag) {
		r, documented := rows[f.Name]
		delete(rows, f.Name)
		if documented != isSetting(f.Name) {
			t.Errorf("%s is a setting (%t), and in the table (%t)", f.Name, isSetting(f.Name), documented)
			return
		}
		if value, exact := strings.CutPrefix(r.value, "`"); exact && f.Name != "data" && strings.TrimSuffix(value, "`") != f.DefValue {
			t.Errorf("the default of %s is %s, and in the table %s", f.Name, f.DefValue, r.value)
		}
		if live := slices.Contains(liveNames, f.Name); documented && live != (r.live == "yes") {
			t.Errorf("%s is live (%t), and in the table %q", f.Name, live, r.live)
		}
	})
	for name := range rows {
		t.Errorf("there is no setting %q", name)
	}
}

// TestExampleOfSettings: the file in docs/operations.md can be used, but for the secret that it names.
func TestExampleOfSettings(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "operations.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, example, _ := strings.Cut(string(text), "```toml\n")
	example, _, _ = strings.Cut(example, "```")
	key := settingsFile(t, "")
	keygen, _ := newRoot()
	var secret strings.Builder
	keygen.SetOut(&secret)
	keygen.SetArgs([]string{"keygen"})
	if err := keygen.Execute(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(key, []byte(secret.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	n, err := checkConfig(settingsFile(t, strings.ReplaceAll(example, "/etc/nanoring.key", key)))
	if err != nil || n != 10 { // as the text says
		t.Errorf("it sets %d: %v", n, err)
	}
}

// TestNodeHelp: each flag of a node is in one group of its help.
func TestNodeHelp(t *testing.T) {
	times := map[string]int{"help": 1}
	flags, _, _ := newNodeFlags()
	flags.VisitAll(func(f *pflag.Flag) { times[f.Name] = 0 })
	for _, g := range nodeHelp {
		for _, name := range strings.Fields(g.flags) {
			if _, ok := times[name]; !ok {
				t.Errorf("there is no flag %s", name)
			}
			times[name]++
		}
	}
	times["help"]--
	for _, other := range []string{"api", "api-ca", "token", "token-file", "output"} { // which a node does nothing with
		times[other]++
	}
	for name, n := range times {
		if n != 1 {
			t.Errorf("--%s is %d times in the help of a node", name, n)
		}
	}
}
