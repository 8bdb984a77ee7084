package native

import (
	"errors"
	"strings"
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// TestCheckName: names that people would confuse are refused, with what was meant.
func TestCheckName(t *testing.T) {
	for name, says := range map[string]string{
		"dev1": "", "it's me": "", "rôle": "", "узел": "", "节点-1": "", "a.b:c/d=e": "",
		"":             "it is empty",
		" ":            `" " is blank`,
		"\u200b\u2800": `"\u200b\u2800" is blank`,
		" dev1":        `" dev1" has spaces around it: did you mean "dev1"?`,
		"dev1\n":       `"dev1\n" has spaces around it: did you mean "dev1"?`,
		"dev1\u00a0":   `"dev1\u00a0" has spaces around it: did you mean "dev1"?`,
		"de\u200bv1":   `"de\u200bv1" has characters that nobody sees: did you mean "dev1"?`,
		"\ufeffdev1":   `"\ufeffdev1" has characters that nobody sees: did you mean "dev1"?`,
		"dev\u202e1":   `"dev\u202e1" has characters that nobody sees: did you mean "dev1"?`,
		"dev\u31641":   `"dev\u31641" has characters that nobody sees: did you mean "dev1"?`,
		"a\u00a0b":     `"a\u00a0b" has characters that nobody sees: did you mean "a b"?`,
		"dev\x1b1":     `"dev\x1b1" has characters that nobody sees: did you mean "dev1"?`,
		"dev\xff1":     `"dev\xff1" has characters that nobody sees: did you mean "dev1"?`,
		" a@b":         `" a@b" has spaces around it`,
		"a@b":          `name "a@b": contains '@': a name has no address in it, did you mean "a"?`,
	} {
		err := CheckName(name)
		if (err == nil) != (says == "") || err != nil && err.Error() != says {
			t.Errorf("%+q: %v", name, err)
		}
	}
}

// TestNamesAreChecked: wherever a name is given.
func TestNamesAreChecked(t *testing.T) {
	for field, change := range map[string]func(*Config){
		"Name": func(c *Config) { c.Name = "dev1 " },
		"Ring": func(c *Config) { c.Ring = "\tred" },
		"Tags": func(c *Config) { c.Tags = []wire.Tag{{Key: "zone\u200b", Value: " anything\u200b "}} },
	} {
		cfg := config(t, "dev1")
		change(&cfg)
		_, err := Start(t.Context(), cfg)
		var wrong *ConfigError
		if !errors.As(err, &wrong) || wrong.Field != field || !strings.Contains(err.Error(), "did you mean") {
			t.Errorf("%s: %v", field, err)
		}
	}
	n := startFake(t, newFake(func(in core.Input) []core.Effect {
		if in.Kind == core.Do && in.Command.Op != core.Stop {
			return []core.Effect{emit(core.Event{Kind: core.EventResult, ID: in.Command.ID})}
		}
		return nil
	}))
	for what, err := range map[string]error{
		"add":  func() error { _, err := n.Add(t.Context(), " dev2", "127.0.0.1:1"); return err }(),
		"tags": n.SetTags(t.Context(), map[string]string{"zone ": "a"}),
	} {
		var no *CommandError
		if !errors.As(err, &no) || no.Code != wire.CodeInvalid || !strings.Contains(err.Error(), "did you mean") {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := n.SetTags(t.Context(), nil, "zone "); err != nil { // it may be there since before
		t.Error(err)
	}
	if err := n.Del(t.Context(), " dev2"); err != nil {
		t.Error(err)
	}
}
