package host

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

func readEvent(text string) (core.Event, error) {
	var e core.Event
	var r reader
	r.reset([]byte(text))
	err := r.event(&e)
	return e, err
}

func TestEvents(t *testing.T) {
	for text, want := range map[string]core.Event{
		`{"kind":"fresh"}`: {Kind: core.EventFresh},
		`{"kind":"result","id":18446744073709551615,"seq":1,"name":"a","code":5,"text":"no"}`: {
			Kind: core.EventResult, ID: 1<<64 - 1, Seq: 1, Name: "a", Code: wire.CodeInvalid, Text: "no"},
		`{"kind":"skew","name":"a","ahead_micros":-9223372036854775808}`: {Kind: core.EventSkew, Name: "a", Skew: -1 << 63},
		"\n{ \"kind\" : \"refused\" ,\t\"address\": \"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83d\\ude00é\" }\r": {
			Kind: core.EventRefused, Addr: "\"\\/\b\f\n\r\té😀é"},
		`{"kind":"node","node":{"name":"a","state":"suspect","ephemeral":true,"via":"b","incarnation":7,
			"instance":"12-00000000000000fF","version":255,"tags":{"z":"1","a":"\"","z":""}}}`: {
			Kind: core.EventNode, Node: core.Node{Name: "a", State: core.Suspect, Ephemeral: true, Via: "b", Incarnation: 7,
				Instance: wire.Instance{Start: 12, Nonce: 255}, Version: 255, Tags: []wire.Tag{{Key: "z", Value: "1"}, {Key: "a", Value: `"`}, {Key: "z"}}}},
		`{"kind":"heard","name":"a","topic":"t","payload":"AP8=","wait_micros":5000000,"question":3}`: {
			Kind: core.EventHeard, Name: "a", Topic: "t", Payload: "\x00\xff", Wait: 5 * core.Second, Question: 3},
		// What is of a later version is passed over.
		`{"kind":"eclipse","node":{"state":"up"}}`:                                     {Node: core.Node{State: core.Alive}},
		`{"kind":"stays","more":[1,-2.5e3,{"a":[]},[[true,false,null]],"]"],"and":{}}`: {Kind: core.EventStays},
	} {
		got, err := readEvent(text)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\ngot  %+v, %v\nwant %+v", text, got, err, want)
		}
	}
}

func TestEventsThatAreNone(t *testing.T) {
	node := func(fields string) string { return `{"kind":"node","node":{` + fields + `}}` }
	for _, text := range []string{
		``, ` `, `{`, `{}`, `null`, `[]`, `"kind"`, `{"kind"}`, `{"kind":}`, `{"kind":"node"`, `{"kind":"node",}`, `{"kind":"node"}{}`,
		`{"kind":"node"} 1`, "{\"kind\":\"node\"}\x00", `{kind:"node"}`, `{"kind":1}`, `{"kind":"node" "id":1}`, `{,"kind":"node"}`,
		"{\"kind\":\"a\nb\"}", "{\"kind\":\"\xff\"}", "{\"kind\":\"\\n\xff\"}", `{"kind":"\x"}`, `{"kind":"\u12"}`, `{"kind":"\ud800"}`, `{"kind":"\ud800\u0041"}`, `{"kind":"\udc00"}`, `{"kind":"\`,
		`{"kind":"result","id":-1}`, `{"kind":"result","id":01}`, `{"kind":"result","id":1.0}`, `{"kind":"result","id":1e3}`, `{"kind":"result","id":""}`, `{"kind":"result","id":}`,
		`{"kind":"result","id":18446744073709551616}`, `{"kind":"result","code":65536}`, `{"kind":"skew","ahead_micros":9223372036854775808}`, `{"kind":"skew","ahead_micros":-9223372036854775809}`,
		node(`"state":"upp"`), node(`"state":""`), node(`"ephemeral":1`), node(`"ephemeral":tru`), node(`"version":256`), node(`"tags":["a"]`), node(`"tags":{"a":1}`),
		node(`"instance":""`), node(`"instance":"-0000000000000000"`), node(`"instance":"1-000000000000000"`), node(`"instance":"1-000000000000000g"`), node(`"instance":"x-0000000000000000"`), node(`"instance":"1 2-0000000000000000"`),
		`{"kind":"node","more":`, `{"kind":"node","more":x}`, `{"kind":"node","more":1-2}`, `{"kind":"node","more":-}`, `{"kind":"node","more":[}`, `{"kind":"node","more":` + strings.Repeat("[", 1000),
	} {
		if e, err := readEvent(text); err == nil {
			t.Errorf("%s is read as %+v", text, e)
		}
	}
}

// FuzzEvent: what is read as an event is JSON, and nothing makes the reader panic.
func FuzzEvent(f *testing.F) {
	f.Add(`{"kind":"node","node":{"name":"a","state":"up","instance":"12-00000000000000ff","tags":{"z":"\u00e9"}}}`)
	f.Add(`{"kind":"result","id":1,"seq":2,"more":[{"a":-1.5}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		e, err := readEvent(text)
		if err != nil {
			return
		}
		if !json.Valid([]byte(text)) {
			t.Errorf("%q is read as %+v", text, e)
		}
	})
}
