package native

import (
	"fmt"
	"net/http"
	"unicode/utf8"

	"github.com/nanoring/nanoring/core/wire"
)

// PayloadJSON is a payload in the HTTP API: a text, or, if it is none, in base64.
type PayloadJSON struct {
	Text   *string `json:"payload,omitempty"`
	Base64 []byte  `json:"payload_base64,omitempty"`
}

func payloadJSON(b []byte) (p PayloadJSON) {
	if text := string(b); utf8.ValidString(text) {
		p.Text = &text
	} else {
		p.Base64 = b
	}
	return p
}

// bytes returns the payload of a request. It says false if it has answered instead.
func (p *PayloadJSON) bytes(w http.ResponseWriter) ([]byte, bool) {
	b := p.Base64
	if p.Text != nil {
		if p.Base64 != nil {
			problem(w, http.StatusBadRequest, "bad-request", "there are two payloads: say payload, or payload_base64")
			return nil, false
		}
		b = []byte(*p.Text)
	}
	if len(b) > wire.MaxPayload {
		problem(w, http.StatusRequestEntityTooLarge, "too-large", fmt.Sprintf("the payload has %d bytes, and may have %d", len(b), wire.MaxPayload))
		return nil, false
	}
	return b, true
}
