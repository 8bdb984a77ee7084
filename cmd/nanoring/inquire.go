package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"
)

// inquireTime is how long nodes may take for what they answer by themselves: some dial all others.
const inquireTime = 20 * time.Second

// found is what nodes answer to a question of a reserved topic, in the order of their names.
type found[T any] struct {
	answers []said[T]
	failed  map[string]string // who could not, and why
	silent  []string          // who is up, and has not answered
}

// said is what one of them answered.
type said[T any] struct {
	from string
	at   time.Time // by the clock of this host, when it came
	what T
	raw  json.RawMessage
}

// inquire asks all nodes that are up, or one, a reserved topic.
func inquire[T any](ctx context.Context, c *client, topic, text, of string) (all found[T], err error) {
	path := pathQuestions
	if of != "" {
		path += "?" + url.Values{"name": {of}}.Encode()
	}
	ctx, cancel := context.WithTimeout(ctx, inquireTime+5*time.Second)
	defer cancel()
	lines, err := c.open(ctx, http.MethodPost, path, struct {
		Topic  string `json:"topic"`
		Millis int64  `json:"timeout_millis"`
		payload
	}{topic, inquireTime.Milliseconds(), payload{Text: &text}})
	if err != nil {
		return all, err
	}
	defer lines.Close()
	all.failed = make(map[string]string)
	for r := bufio.NewReader(c.bound(lines)); ; {
		line, err := r.ReadBytes('\n')
		if err != nil {
			return all, c.ended(err)
		}
		var a answer
		if err := decode(line, &a); err != nil {
			return all, err
		}
		switch {
		case a.Problem != nil:
			return all, errors.New(a.Problem.Detail)
		case a.Kind == "done":
			all.silent = a.Silent
			slices.SortFunc(all.answers, func(x, y said[T]) int { return compareNames(x.from, y.from) })
			return all, nil
		case of != "" && a.From != of: // a pattern may pick more
		case a.Code != "":
			all.failed[a.From] = a.Text
		default:
			s := said[T]{from: a.From, at: time.Now(), raw: json.RawMessage(a.bytes())}
			if err := decode([]byte(a.bytes()), &s.what); err != nil {
				all.failed[a.From] = err.Error()
				break
			}
			all.answers = append(all.answers, s)
		}
	}
}

// one is the answer of the one that was asked.
func (f *found[T]) one(of string) (T, error) {
	var none T
	switch text, no := f.failed[of]; {
	case no:
		return none, errors.New(of + ": " + text)
	case len(f.answers) == 0 && slices.Contains(f.silent, of):
		return none, fmt.Errorf("%s has not answered: is it stopped, or cut off? See 'nanoring why %s'", of, quoted(of))
	case len(f.answers) == 0:
		return none, fmt.Errorf("%s is not up, or no node of this version: see 'nanoring all'", of)
	}
	return f.answers[0].what, nil
}

func compareNames(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}
