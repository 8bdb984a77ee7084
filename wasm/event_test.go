package main

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

func TestEvent(t *testing.T) {
	tests := map[string]struct {
		event core.Event
		json  string
	}{
		"a node with all it can have": {
			core.Event{Kind: core.EventNode, Node: core.Node{
				Name: "tab \"1\"", State: core.Suspect, Ephemeral: true, Address: "127.0.0.1:7001", Via: "dev1",
				Incarnation: -5, Instance: wire.Instance{Start: 1763931600000000, Nonce: 0x9f3c2a1b00d4e5f6}, Version: 1,
				Tags: []wire.Tag{{Key: "a", Value: ""}, {Key: "zone", Value: "ü\n"}},
			}},
			`{"kind":"node","node":{"name":"tab \"1\"","state":"suspect","ephemeral":true,"address":"127.0.0.1:7001","via":"dev1","incarnation":-5,"instance":"1763931600000000-9f3c2a1b00d4e5f6","version":1,"tags":{"a":"","zone":"ü\u000a"}}}`,
		},
		"a node of whom nothing is known": {
			core.Event{Kind: core.EventNode, Node: core.Node{Name: "x"}},
			`{"kind":"node","node":{"name":"x","state":"unknown"}}`,
		},
		"a command that succeeded": {
			core.Event{Kind: core.EventResult, ID: 1<<64 - 1, Seq: 7, Name: "dev2"},
			`{"kind":"result","id":18446744073709551615,"seq":7,"name":"dev2"}`,
		},
		"a connection refused": {
			core.Event{Kind: core.EventRefused, Name: "dev2", Addr: "10.0.0.1:1", Code: wire.CodeRing, Text: "another ring"},
			`{"kind":"refused","name":"dev2","address":"10.0.0.1:1","code":4004,"text":"another ring"}`,
		},
		"a clock":  {core.Event{Kind: core.EventSkew, Name: "dev2", Skew: -61_000_000}, `{"kind":"skew","name":"dev2","ahead_micros":-61000000}`},
		"a moment": {core.Event{Kind: core.EventStale}, `{"kind":"stale"}`},
	}
	for what, test := range tests {
		t.Run(what, func(t *testing.T) {
			if got := string(appendEvent(nil, &test.event)); got != test.json {
				t.Errorf("%s\nnot %s", got, test.json)
			}
		})
	}
}

func TestConfigError(t *testing.T) {
	_, err := core.New(core.Config{Ring: "ring", Name: "a@b"})
	if got, want := string(appendConfigError(nil, err)), `{"field":"Name","text":`; !strings.HasPrefix(got, want) || !json.Valid([]byte(got)) {
		t.Errorf("%s, not %s…", got, want)
	}
	if got, want := string(appendConfigError(nil, errors.New("no"))), `{"text":"no"}`; got != want {
		t.Errorf("%s, not %s", got, want)
	}
}

// TestStrings: whatever the bytes are, JSON comes of them, and text unharmed.
func TestStrings(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.OneOf(rapid.String(), rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) })).Draw(t, "s")
		var got string
		o := object{[]byte{'"'}}
		o.text(s)
		o.raw(`"`)
		if err := json.Unmarshal(o.b, &got); err != nil {
			t.Fatal(err)
		}
		want := string([]rune(s)) // what is no UTF-8 is U+FFFD, byte for byte
		if utf8.ValidString(s) && got != s || !reflect.DeepEqual(got, want) {
			t.Fatalf("%q, not %q", got, want)
		}
	})
}

// TestPlain: of each byte it is known whether it stands for itself, wherever in a string it is.
func TestPlain(t *testing.T) {
	for c := range 256 {
		want := c >= ' ' && c != '"' && c != '\\' && c < utf8.RuneSelf
		for size := 1; size < 20; size++ {
			for at := range size {
				s := []byte(strings.Repeat("~", size))
				s[at] = byte(c)
				if got := isPlain(string(s)); got != want {
					t.Fatalf("%q: %v, not %v", s, got, want)
				}
			}
		}
	}
}
