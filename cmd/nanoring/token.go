package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/nanoring/nanoring/native"
	"github.com/nanoring/nanoring/native/trust"
	"github.com/spf13/cobra"
)

func tokenCommand(o *options) *cobra.Command {
	var token trust.Token
	var tags []string
	var ttl time.Duration
	var jwk, ca, anyName bool
	var to string
	cmd := &cobra.Command{
		Use:   "token",
		Short: "Sign a token that lets somebody in",
		Long: `Token prints a token (a JWT) that is good for a time, for a ring with a secret:

  guest     lets a browser's tab be a node, under the name that --name allows:
            'tab-7', or 'tab-*' for all that begin so. With --tag it has to have
            these tags, and no others but those whose keys --own allows. It sends
            and hears messages on the topics of --send and --hear alone
  reader    reads the HTTP API of a node, and listens to messages
  operator  reads it, changes the ring (add, del, leave), and sends messages

With --jwk it prints the key that signs tokens of the role instead, as a JWK, for
a program that signs them itself. The key for guests lets in guests only.
docs/security.md shows how in Node.js, Python and Go.

With --ca it prints the certificate of the ring's authority, which is no secret: who
has a token gives it to --api-ca, and so sends the token to the ring's nodes only.`,
		Example: `  nanoring token --secret-file ring.key --name 'tab-*' --ttl 1h
  nanoring token --secret-file ring.key --name alice --tag user=alice --own status --ttl 12h --out alice.token
  nanoring token --secret-file ring.key --name 'tab-*' --send 'chat.*' --hear 'chat.*' --hear news
  nanoring token --secret-file ring.key --role reader --ttl 720h
  nanoring token --secret-file ring.key --jwk --out guests.jwk
  nanoring token --secret-file ring.key --ca --out ring-ca.pem`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			for what, name := range map[string]string{"the name that it allows (--name)": token.Name, "its ring (--ring)": o.ring} {
				if err := native.CheckName(name); name != "" && err != nil {
					return usage(cmd, fmt.Errorf("%s: %w", what, err))
				}
			}
			secrets, err := o.secrets()
			if err != nil {
				return usage(cmd, err)
			}
			if secrets == nil {
				return usage(cmd, errors.New("no secret: say where the ring's is with --secret-file"))
			}
			if jwk && ca {
				return usage(cmd, errors.New("--jwk and --ca: it prints one of them"))
			}
			if ca {
				text, err := trust.AuthorityPEM(secrets)
				if err == nil {
					err = give(cmd, to, text)
				}
				return err
			}
			if jwk {
				text, err := json.MarshalIndent(secrets[0].TokenJWK(token.Role), "", "  ")
				if err != nil {
					return err
				}
				return give(cmd, to, append(text, '\n'))
			}
			if anyName && token.Name == "" {
				token.Name = "*"
			}
			if token.Role == trust.RoleGuest && token.Name == "*" && !anyName {
				return &failure{exitUsage, errors.New("--name '*': who has this token can be called like any node, also like one of yours that is down, or is yet to come, and take its place"),
					"Say how the names begin, as --name 'tab-*'; if you mean all names, --any-name."}
			}
			if ttl <= 0 {
				return usage(cmd, fmt.Errorf("--ttl %s: a token is good for some time", ttl))
			}
			parsed, err := parseTags(tags)
			if err != nil {
				return usage(cmd, err)
			}
			for _, t := range parsed {
				if token.Tags == nil {
					token.Tags = make(map[string]string)
				}
				token.Tags[t.Key] = t.Value
			}
			token.Ring, token.Expires = o.ring, time.Now().Add(ttl)
			signed, err := secrets[0].Sign(token)
			if err != nil {
				return usage(cmd, fmt.Errorf("nobody would take this token: %w", err))
			}
			return give(cmd, to, []byte(signed+"\n"))
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&token.Role, "role", trust.RoleGuest, "what it is for: guest, reader, operator")
	flags.StringVar(&token.Name, "name", "", "name that a guest may have, or how it begins and *")
	flags.BoolVar(&anyName, "any-name", false, "let a guest have any name, also one of a node that is down")
	flags.DurationVar(&ttl, "ttl", time.Hour, "how long it is good")
	flags.StringArrayVar(&tags, "tag", nil, "KEY=VALUE that a guest has to have; may be repeated")
	flags.StringArrayVar(&token.Own, "own", nil, "`KEY` of a tag that a guest may set and change, '*' in it for any characters; may be repeated")
	flags.StringArrayVar(&token.Send, "send", nil, "`TOPIC` of messages that a guest may send, '*' in it for any characters; may be repeated")
	flags.StringArrayVar(&token.Hear, "hear", nil, "`TOPIC` that it may hear, likewise")
	outFlag(cmd, &to)
	flags.BoolVar(&jwk, "jwk", false, "print the key that signs tokens of the role instead")
	flags.BoolVar(&ca, "ca", false, "print the certificate of the ring's authority (PEM) instead, for --api-ca")
	for _, name := range []string{"name", "ttl", "tag", "own", "send", "hear"} {
		_ = cmd.RegisterFlagCompletionFunc(name, cobra.NoFileCompletions)
	}
	cmd.RegisterFlagCompletionFunc("role", cobra.FixedCompletions([]string{trust.RoleGuest, trust.RoleReader, trust.RoleOperator}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// secrets reads the file of the ring's secrets; nil if none is named.
func (o *options) secrets() ([]trust.Secret, error) {
	if o.secretFile == "" {
		return nil, nil
	}
	b, err := os.ReadFile(o.secretFile)
	if err != nil {
		return nil, fmt.Errorf("cannot use --secret-file: %w", err)
	}
	secrets, err := trust.ParseSecrets(b)
	if err != nil {
		return nil, fmt.Errorf("cannot use --secret-file: %s: %w", o.secretFile, err)
	}
	return secrets, nil
}

// givenToken is the one that the command was given; "" is none.
func (o *options) givenToken() (string, error) {
	switch {
	case o.tokenFile == "" || o.token != "" && o.sources["token"].rank > o.sources["token-file"].rank:
		return o.token, nil
	case o.token != "" && o.sources["token"].rank == o.sources["token-file"].rank:
		return "", fmt.Errorf("%s and %s: say one of them", o.where("token"), o.where("token-file"))
	}
	f, err := os.Open(o.tokenFile)
	if err != nil {
		return "", fmt.Errorf("cannot use %s: %w", o.where("token-file"), err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, 64<<10))
	token := strings.TrimSpace(string(b))
	if err == nil && (token == "" || strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' })) {
		err = fmt.Errorf("%s has no token", o.tokenFile)
	}
	if err != nil {
		return "", fmt.Errorf("cannot use %s: %w", o.where("token-file"), err)
	}
	return token, nil
}
