package main

import (
	"context"
	"strings"
	"time"

	"github.com/nanoring/nanoring/native"
	"github.com/spf13/cobra"
)

// joining is how far a node is with joining, as the API has it.
type joining struct {
	State   string    `json:"state"`
	Since   time.Time `json:"since"`
	Sources []string  `json:"sources"`
	LetInBy string    `json:"let_in_by"`
	Tried   []struct {
		Address string `json:"address"`
		Source  string `json:"source"`
		Why     string `json:"why"`
	} `json:"tried"`
}

// rows says it for people; nothing of a node that is alone, or of a version before.
func (j *joining) rows() []string {
	switch {
	case j.State == "joined":
		return []string{"joined, " + j.Since.Local().Format(time.DateTime)}
	case j.State != "joining":
		return nil
	case j.LetInBy != "":
		return []string{"joining: " + j.LetInBy + " has let it in, but what it knows of the ring has not come through yet"}
	}
	all := []string{"joining: nobody has let it in yet"}
	for _, t := range j.Tried {
		all = append(all, native.Tried{Address: t.Address, Source: t.Source, Why: t.Why}.String())
	}
	return all
}

// sayRuns says of a node on stdout, and to its supervisor, that it runs; if it is to wait, once it has
// joined. It returns what waits until that is said, or the node has ended.
func sayRuns(cmd *cobra.Command, node *native.Node, c native.Config, wait bool, super *supervisor) (said func()) {
	runs := func() {
		super.tell("READY=1\nSTATUS=" + printable(c.Name) + " runs in ring " + printable(c.Ring) + " at " + node.Addr())
		say(func() {
			stdout(cmd).printf("%s runs in ring %s at %s, its data in %s (Ctrl-C stops it)\n", c.Name, c.Ring, node.Addr(), c.Data)
		})
	}
	if !wait {
		runs()
		return func() {}
	}
	done := make(chan struct{})
	if s := node.Status().Join; s.State == "joining" {
		super.tell("STATUS=" + printable(c.Name) + " waits until it has joined: see nanoring status")
		say(func() {
			stderr(cmd).printf("%s waits until it has joined, by %s\n", c.Name, strings.Join(s.Sources, ", "))
		})
	}
	go func() {
		defer close(done)
		if node.Joined(context.Background()) == nil {
			runs()
		}
	}()
	return func() { <-done }
}
