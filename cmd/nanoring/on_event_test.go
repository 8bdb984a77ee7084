package main

import (
	"slices"
	"strings"
	"testing"
)

// TestEventHandlers: a list of events may stand before a command, which may have a = itself.
func TestEventHandlers(t *testing.T) {
	for text, want := range map[string]handler{
		"./all":                      {"*", "./all"},
		"down=./page":                {"down", "./page"},
		"down,left=./page a=b":       {"down,left", "./page a=b"},
		" down , re*=./page":         {"down,re*", "./page"},
		"let-in,has-joined=./page":   {"let-in,has-joined", "./page"},
		"*=x=y":                      {"*", "x=y"},
		"PATH=/x:$PATH ./all":        {"*", "PATH=/x:$PATH ./all"},
		"./all --name=x":             {"*", "./all --name=x"},
		"echo a=b":                   {"*", "echo a=b"},
		"curl -d @- http://x/?a=b,c": {"*", "curl -d @- http://x/?a=b,c"},
	} {
		if got, err := parseEventHandlers([]string{text}); err != nil || !slices.Equal(got, []handler{want}) {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
	for text, says := range map[string]string{
		"dead=true":      "--on-event dead: there is no such event: there are joined, up, restarted, suspect, down, left, removed, updated, refused",
		"down,dead=true": "--on-event dead:",
		"down,=true":     `--on-event "": there is no such event`,
		"=true":          `--on-event "": there is no such event`,
		"x*=true":        "write *=x*=true",
		"debug=1 ./hook": "if it belongs to the command, write *=debug=1 ./hook",
		"":               "has no COMMAND",
		"down= ":         "has no COMMAND",
	} {
		if got, err := parseEventHandlers([]string{text}); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
	for kind, is := range map[string]bool{"down": true, "restarted": true, "up": false, "removed": true, "": false} {
		if isLike("down,re*", kind) != is {
			t.Errorf("%q", kind)
		}
	}
}
