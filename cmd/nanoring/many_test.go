package main

import (
	"context"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// TestOneOfManyIsGone: one that another operator has removed meanwhile keeps nobody from the rest.
func TestOneOfManyIsGone(t *testing.T) {
	var out, said strings.Builder
	cmd := &cobra.Command{}
	cmd.SetContext(t.Context())
	cmd.SetOut(&out)
	cmd.SetErr(&said)
	s := several{o: &options{output: "names"}}
	err := s.each(cmd, []member{{Name: "dev1"}, {Name: "dev2"}, {Name: "dev3"}}, func(_ context.Context, m *member) (bool, error) {
		if m.Name == "dev2" {
			return false, &failure{exitRefused, &refusal{"unknown-node", "there is no dev2"}, ""}
		}
		return true, nil
	})
	if err != nil || out.String() != "dev1\ndev3\n" || said.String() != "dev2 belongs to the ring no more\n" {
		t.Errorf("%v: %q, %q", err, &out, &said)
	}
	err = s.each(cmd, []member{{Name: "dev1"}, {Name: "dev2"}}, func(context.Context, *member) (bool, error) {
		return false, &failure{exitRefused, &refusal{"busy", "not now"}, ""}
	})
	if err == nil || err.Error() != "not now (0 of 2 were done before)" {
		t.Error(err)
	}
}
