package main

import (
	"strconv"
	"testing"

	"github.com/nanoring/nanoring/core/wire"
)

// TestHeardBy: more patterns than a node hears are refused before any of them is in force.
func TestHeardBy(t *testing.T) {
	some := func(n int) (all []handler) {
		for i := range n {
			all = append(all, handler{"topic" + strconv.Itoa(i), "true"})
		}
		return all
	}
	for _, test := range []struct {
		messages, questions []handler
		ok                  bool
	}{
		{nil, nil, true},
		{some(wire.MaxTopics), nil, true},
		{some(wire.MaxTopics), some(1), false},
		{append(some(wire.MaxTopics), some(wire.MaxTopics)...), nil, true},
		{nil, some(wire.MaxTopics + 1), false},
	} {
		if err := heardBy(test.messages, test.questions); (err == nil) != test.ok {
			t.Errorf("%d and %d: %v", len(test.messages), len(test.questions), err)
		}
	}
}
