package native

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/nanoring/nanoring/core/wire"
)

// AnswerJSON is an answer in the HTTP API.
type AnswerJSON struct {
	Kind string `json:"kind"` // answer
	From string `json:"from"`
	PayloadJSON
	Code string `json:"code,omitempty"` // why it has none
	Text string `json:"text,omitempty"` // likewise, for people
}

// DoneJSON ends the answers.
type DoneJSON struct {
	Kind    string   `json:"kind"`              // done
	Answers int      `json:"answers"`           // how many there were
	Silent  []string `json:"silent"`            // who was asked and has not answered
	Problem *Problem `json:"problem,omitempty"` // why it is over before its time
}

// postQuestion asks, and streams the answers, a line of JSON each. Who does not wait for the
// end calls the question off.
func (n *Node) postQuestion(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Topic         string `json:"topic"`
		Limit         int    `json:"limit"`
		TimeoutMillis *int64 `json:"timeout_millis"`
		PayloadJSON
	}
	q, ok := queryOf(w, r)
	if !ok || !readBody(w, r, &body) {
		return
	}
	payload, ok := body.bytes(w)
	if !ok {
		return
	}
	options := append(q.among(), Limit(body.Limit))
	if body.TimeoutMillis != nil {
		if *body.TimeoutMillis < 1 || *body.TimeoutMillis > wire.MaxWait {
			problem(w, http.StatusBadRequest, "invalid", fmt.Sprintf("timeout_millis is 1 to %d", wire.MaxWait))
			return
		}
		options = append(options, Within(time.Duration(*body.TimeoutMillis)*time.Millisecond))
	}
	rc := http.NewResponseController(w)
	_ = rc.SetReadDeadline(time.Time{}) // the server's is for the request
	answers, err := n.Ask(r.Context(), body.Topic, payload, options...)
	if err != nil {
		notSaid(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Accel-Buffering", "no")
	write := func(line any) bool {
		_ = rc.SetWriteDeadline(time.Now().Add(eventTimeout))
		return json.NewEncoder(w).Encode(line) == nil && rc.Flush() == nil
	}
	_ = rc.SetWriteDeadline(time.Now().Add(eventTimeout))
	_ = rc.Flush()
	count := 0
	for a := range answers.All() {
		line := AnswerJSON{Kind: "answer", From: a.From}
		var no *CommandError
		switch {
		case a.Err == nil:
			line.PayloadJSON = payloadJSON(a.Payload)
			count++
		case errors.As(a.Err, &no):
			line.Code, line.Text = no.Code.String(), no.Text
		}
		if !write(line) {
			answers.CallOff()
			return
		}
	}
	done := DoneJSON{Kind: "done", Answers: count, Silent: answers.Silent()}
	if err := answers.Err(); err != nil {
		p := problemOf(err)
		done.Problem = &p
	}
	if done.Silent == nil {
		done.Silent = []string{}
	}
	write(done)
}
