package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// watch prints the events of a path until ctx or the node ends.
func (c *client) watch(ctx context.Context, path string, out io.Writer, output string) error {
	w := watching{client: c, out: printer{out}, output: output, path: func(string) (string, error) { return path, nil }}
	return w.run(ctx, printer{io.Discard})
}

// TestSilence: a node that takes the connection and says nothing, from the first byte on or
// after some, does not answer: status 3. One that says something now and then does.
func TestSilence(t *testing.T) {
	t.Parallel()
	says, ended := make(chan string), make(chan bool, 2)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for {
			select {
			case text := <-says:
				io.WriteString(w, text)
				http.NewResponseController(w).Flush()
			case <-r.Context().Done():
				ended <- true
				return
			}
		}
	}))
	defer s.Close()
	c := &client{base: s.URL, where: s.URL, tick: 20 * time.Millisecond}
	told := 0
	stream := func() error { return c.stream(t.Context(), "/", func(string) error { told++; return nil }) }
	silent := func(err error) {
		t.Helper()
		if failureOf(err).status != exitNoNode || !strings.Contains(err.Error(), "has said nothing for 19 s") {
			t.Errorf("%v", err)
		}
	}
	silent(stream())
	<-ended
	go func() {
		for range 3 * mostSilence { // longer than it may be silent
			says <- "data: {}\n"
			time.Sleep(c.tick)
		}
	}()
	silent(stream())
	if told != 3*mostSilence {
		t.Errorf("%d events", told)
	}
}

// TestWatchRetry: watching goes on where it was, whatever becomes of its node, but not against
// its will.
func TestWatchRetry(t *testing.T) {
	t.Parallel()
	var asked []string
	answers := []string{
		"",
		"data: {\"kind\":\"ready\",\"id\":\"p/7\"}\n\ndata: {\"kind\":\"left\",\"id\":\"p/8\",\"node\":{\"name\":\"dev2\"}}\n\n",
		"data: {\"kind\":\"lost\"}\n\n",
		"data: {\"kind\":\"gap\"}\n\ndata: {\"kind\":\"ready\",\"id\":\"q/1\"}\n\n",
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := len(asked)
		asked = append(asked, r.URL.Query().Get("since"))
		if n >= len(answers) {
			w.WriteHeader(http.StatusUnauthorized)
			io.WriteString(w, `{"code":"unauthorized","detail":"no token"}`)
			return
		}
		io.WriteString(w, answers[n])
	}))
	defer s.Close()
	var out, notices strings.Builder
	w := watching{client: &client{base: s.URL, where: "there", tick: time.Millisecond}, out: printer{&out}, output: "json", retry: true,
		path: func(since string) (string, error) { return "/?since=" + since, nil }}
	err := w.run(t.Context(), printer{&notices})
	if err == nil || failureOf(err).status != exitRefused || !strings.Contains(err.Error(), "no token") {
		t.Errorf("%v", err)
	}
	if got := fmt.Sprint(asked); got != "[  p/8 p/8 q/1]" {
		t.Errorf("asked for what came after %s", got)
	}
	if strings.Count(out.String(), "\n") != 5 || !strings.Contains(out.String(), `{"kind":"gap"}`) {
		t.Errorf("%s", out.String())
	}
	want := strings.Repeat("nanoring: the node at there has ended; trying again\nnanoring: the node at there answers again\n", 2) + "nanoring: the node at there has ended; trying again\n"
	if notices.String() != want {
		t.Errorf("%s", notices.String())
	}
	w.retry = false
	if err := w.run(t.Context(), printer{&notices}); err == nil || errors.Is(err, errEventsLost) {
		t.Errorf("%v", err)
	}
}

// TestSaysWhatIsNew: what is new of a node is said, and that alone.
func TestSaysWhatIsNew(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	w := watching{out: printer{&out}, known: make(map[string]*member)}
	tell := func(kind, node string) {
		t.Helper()
		if err := w.tell(`{"kind":"` + kind + `","node":{"name":"dev2","state":"up",` + node + `}}`); err != nil {
			t.Fatal(err)
		}
	}
	const was, at, via = `"address":"h:1"`, `"address":"h:2"`, `"via":"dev1"`
	tell("updated", was+`,"tags":{"a":"b"}`) // somebody who came back by --since
	tell("updated", was+`,"tags":{"a":"c","x":"y"}`)
	tell("updated", was)
	tell("updated", at+`,"tags":{"a":"c"},"cordoned":true`)
	tell("updated", at+`,"tags":{"a":"c"}`)
	tell("updated", via+`,"tags":{"a":"c"}`)
	tell("updated", via+`,"tags":{"a":"c"}`)
	const want = `dev2 is up (h:1), and something is new of it: its tags are a=b
dev2 has other tags: a=c x=y
dev2 has no tags any more
dev2 is cordoned: up, but given nothing new; is at another address: h:2, and not h:1; has other tags: a=c
dev2 is cordoned no more
dev2 is at another address: via dev1, and not h:2
dev2 is up (via dev1)
`
	if got := strings.ReplaceAll(out.String(), (&event{}).when()+"  ", ""); got != want {
		t.Errorf("%s", got)
	}
}
