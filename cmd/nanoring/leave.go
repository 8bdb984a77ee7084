package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"github.com/spf13/cobra"
)

func leaveCommand(o *options) *cobra.Command {
	s := several{o: o, does: "have leave", done: sayLeft}
	cmd := &cobra.Command{
		Use:   "leave [NAME]...",
		Short: "Make nodes leave their ring for good",
		Long: `Leave makes the node that is asked leave its ring for good: it is removed from
the ring, deletes its ring file, and ends. Leave returns when another node knows it.
Started again with --join it refuses to, with status 4, as after del. To stop a node
only for a while, end its process: it says bye, and stays a member.

With NAMEs, or a filter, it is these that leave, one after another, each asked at
its address; in a ring with a secret that takes --secret-file, and with certificates
alone (--tls-ca) it cannot be: delete them (del), which ends the same. They have to
be up: delete those that are not. Several are shown first, and you are asked on a
terminal; elsewhere those that a filter picks take --yes.
` + filterHelp,
		Example: "  nanoring --data data/dev4 leave\n  nanoring --data data/dev1 leave dev3 dev4\n  nanoring --data data/dev1 leave -t zone=b --yes",
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			return completeMore(cmd, o, args)
		},
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if s.client, err = o.client(cmd); err != nil {
				return err
			}
			if len(args) == 0 && !s.filtered() {
				if s.dryRun {
					return usage(cmd, errors.New("--dry-run is for NAMEs, or a filter"))
				}
				return leaveOne(cmd, o, s.client)
			}
			picked, own, err := s.pick(cmd, args)
			if err != nil {
				return err
			}
			for i := range picked {
				if m := &picked[i]; !m.up() || m.Address == "" && m.Name != own.Name {
					return &failure{exitRefused, fmt.Errorf("%s is %s, and cannot be asked to leave (address: %s): nothing was done", m.Name, m.State, m.where()), "Delete it instead: nanoring del " + quoted(m.Name)}
				}
			}
			if other := slices.IndexFunc(picked, func(m member) bool { return m.Name != own.Name }); other >= 0 && own.Secured {
				if len(own.Keys) == 0 {
					return byCertificates(picked[other].Name)
				}
				if o.secretFile == "" && o.token == "" && o.tokenFile == "" {
					return usage(cmd, errors.New("the ring has a secret: say where it is, or give an operator's token, for the other nodes to be asked (--secret-file, --token-file)"))
				}
			}
			if ok, err := s.agreed(cmd, picked, own.Members, len(args) > 0); !ok {
				return err
			}
			return s.each(cmd, picked, func(ctx context.Context, m *member) (bool, error) {
				c := s.client
				if m.Name != own.Name {
					if c, err = o.clientOf(cmd, m, &own); err != nil {
						return false, err
					}
				}
				_, err := c.call(ctx, http.MethodPost, pathLeave, nil)
				return true, err
			})
		},
	}
	s.addTo(cmd)
	return cmd
}

// byCertificates says that another node cannot be asked in a ring whose nodes have certificates and no secret.
func byCertificates(name string) error {
	return &failure{exitRefused, errors.New("the nodes of this ring have certificates (--tls-ca), and no secret: so there are no tokens by which another one could be asked over the network: nothing was done"),
		fmt.Sprintf("Have it leave where it runs: nanoring --data DATA leave. Or delete it, which ends the same: nanoring del %s", quoted(name))}
}

// clientOf returns a client of another node, at its address, if that is who answers there.
func (o *options) clientOf(cmd *cobra.Command, m *member, own *status) (*client, error) {
	u := &url.URL{Scheme: "http", Host: m.Address}
	if own.Secured {
		u.Scheme = "https"
	}
	c := &client{base: u.String(), where: m.Address}
	if err := o.authenticate(cmd, c, u); err != nil {
		return nil, err
	}
	s, err := c.status(cmd.Context())
	if err == nil && (s.Name != m.Name || s.Ring != own.Ring) {
		err = fmt.Errorf("at %s it is %s of ring %s that answers, not %s", m.Address, s.Name, s.Ring, m.Name)
	}
	return c, err
}

// leaveOne has the node leave that is asked.
func leaveOne(cmd *cobra.Command, o *options, c *client) error {
	s, err := c.status(cmd.Context())
	if err != nil {
		return err
	}
	if _, err := c.call(cmd.Context(), http.MethodPost, pathLeave, nil); err != nil {
		return err
	}
	switch out := stdout(cmd); o.output {
	case "json":
		return out.value(map[string]string{"name": s.Name, "state": "removed"})
	case "names":
		out.line(s.Name)
	default:
		sayLeft(out, s.Name)
	}
	return nil
}

func sayLeft(out printer, name string) { out.printf("%s has left its ring\n", name) }
