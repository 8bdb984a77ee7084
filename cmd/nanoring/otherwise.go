package main

import (
	"errors"
	"fmt"
	"regexp"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// saidElsewhere are what serf, Consul and the original call a command, by ours: who types
// one of these is told which it is here.
var saidElsewhere = map[string][]string{
	"add": {"join", "add_node"}, "all": {"members"}, "up": {"members"}, "ask": {"query", "exec"}, "config": {"validate"},
	"cordon": {"maint"}, "del": {"force-leave", "del_node", "delete", "remove"}, "demo": {"multi_start"}, "doctor": {"debug"},
	"listen": {"monitor"}, "node": {"agent"}, "owner": {"lock"}, "backup": {"snapshot"}, "reach": {"reachability"},
	"send": {"event"}, "status": {"info"}, "keygen": {"keys", "keyring"}, "token": {"acl", "login"}, "watch": {"monitor"},
}

// noArgs expects no arguments.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("%s takes no arguments: %q is one", cmd.Name(), args[0])
	}
	return nil
}

// oneDash finds the long flag that was meant by one dash, as other programs have them.
var oneDash = regexp.MustCompile(`^-([a-z][a-z-]+)(=|$)`)

// badFlag says what is wrong with a flag.
func badFlag(cmd *cobra.Command, err error) error {
	var bad *pflag.InvalidValueError
	if errors.As(err, &bad) {
		return invalid(bad.GetValue(), "--"+bad.GetFlag().Name, bad.GetFlag(), bad.Unwrap())
	}
	var none *pflag.NotExistError
	if errors.As(err, &none) {
		if meant := oneDash.FindStringSubmatch("-" + none.GetSpecifiedShortnames()); meant != nil && cmd.Flag(meant[1]) != nil {
			return fmt.Errorf("%w: did you mean --%s?", err, meant[1])
		}
	}
	return err
}
