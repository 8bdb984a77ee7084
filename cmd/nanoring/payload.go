package main

import (
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/nanoring/nanoring/core/wire"
	"github.com/spf13/cobra"
)

// payloadHelp is how payloads are told of in the help of each command that takes one.
const payloadHelp = `PAYLOAD is up to 8 KiB of anything, nothing if it is left out, and the standard
input if it is -. A TOPIC is 1 to 64 characters of a-z A-Z 0-9 . _ -`

// payload is that of a message in the API: a text, or, if it is none, in base64.
type payload struct {
	Text   *string `json:"payload,omitempty"`
	Base64 []byte  `json:"payload_base64,omitempty"`
}

// payloadOf returns what the argument at a place says, if it is there.
func payloadOf(cmd *cobra.Command, args []string, at int) (p payload, err error) {
	text := ""
	if len(args) > at {
		text = args[at]
	}
	if text == "-" {
		b, err := io.ReadAll(io.LimitReader(cmd.InOrStdin(), wire.MaxPayload+1))
		if err != nil {
			return p, fmt.Errorf("the payload cannot be read: %w", err)
		}
		text = string(b)
	}
	switch {
	case len(text) > wire.MaxPayload:
		return p, fmt.Errorf("the payload has more than %d bytes", wire.MaxPayload)
	case utf8.ValidString(text):
		p.Text = &text
	default:
		p.Base64 = []byte(text)
	}
	return p, nil
}

// bytes returns it as it was sent.
func (p *payload) bytes() string {
	if p.Text != nil {
		return *p.Text
	}
	return string(p.Base64)
}

// arguments is for commands that take some that are called so, and may have a PAYLOAD.
func arguments(what ...string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		switch {
		case len(args) < len(what):
			return fmt.Errorf("%s is missing", what[len(args)])
		case len(args) > len(what)+1:
			return errors.New("there are too many arguments: quote a PAYLOAD that has spaces")
		}
		return nil
	}
}

// topic refuses what is none.
func topic(cmd *cobra.Command, s string) error {
	if err := wire.ValidTopic(s); err != nil {
		return usage(cmd, err)
	}
	return nil
}
