package main

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

// TestEndlessAnswers: who answers for ever, with one line or many, is no node; nothing of it fills
// the memory of who asked.
func TestEndlessAnswers(t *testing.T) {
	t.Parallel()
	const most = 1 << 20
	var sent atomic.Int64
	endless := func(w http.ResponseWriter, part []byte) {
		for {
			n, err := w.Write(part)
			if sent.Add(int64(n)); err != nil {
				return
			}
		}
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/line":
			endless(w, bytes.Repeat([]byte("x"), 64<<10))
		case pathQuestions:
			endless(w, bytes.Repeat([]byte(`{"kind":"answer","from":"dev2","text":"{}"}`+"\n"), 1000))
		default:
			io.WriteString(w, `{"nodes":[`)
			endless(w, bytes.Repeat([]byte(`{"name":"dev2","state":"up"},`), 1000))
		}
	}))
	defer s.Close()
	c := &client{base: s.URL, where: "there", most: most}
	for what, ask := range map[string]func() error{
		"a list":   func() error { _, err := c.members(t.Context(), pathNodes); return err },
		"a status": func() error { _, err := c.status(t.Context()); return err },
		"a backup": func() error { _, err := c.backup(t.Context()); return err },
		"events":   func() error { return c.watch(t.Context(), "/line", io.Discard, "json") },
		"messages": func() error { return c.listen(t.Context(), "/line", printer{io.Discard}, "json") },
		"answers": func() error {
			from, err := c.open(t.Context(), http.MethodGet, "/line", nil)
			must(t, err)
			defer from.Close()
			return c.answers(from, printer{io.Discard}, "table", "x", 0)
		},
		"many answers": func() error { _, err := inquire[about](t.Context(), c, "nanoring.node", "", ""); return err },
	} {
		sent.Store(0)
		err := ask()
		if failureOf(err).status != exitNoNode || !strings.Contains(err.Error(), "more than any node has to say") {
			t.Errorf("%s: %v", what, err)
		}
		if n := sent.Load(); n > 64*most { // what was taken, and what waits in sockets
			t.Errorf("%s: %d MiB were taken", what, n>>20)
		}
	}

	big := strings.Repeat("x", most/2)
	many := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for range 8 {
			io.WriteString(w, "data: "+big+"\n\n")
		}
	}))
	defer many.Close()
	lines := 0
	c = &client{base: many.URL, where: "there", most: most}
	if c.stream(t.Context(), "/", func(data string) error { lines++; return nil }); lines != 8 {
		t.Errorf("of 8 events that are long %d come", lines)
	}
}

// TestOneLongCell: what somebody says that is as long as no node's words does not make all rows of a table as long.
func TestOneLongCell(t *testing.T) {
	var out strings.Builder
	long := strings.Repeat("é", 5<<20)
	rows := printer{&out}.table("NAME", "TAGS")
	rows.row(long, long)
	for range 100 {
		rows.row("dev2", "")
	}
	must(t, rows.Flush())
	if most := len(long) + 100*mostCell; out.Len() > most || !strings.Contains(out.String(), "éé…  é") || !strings.HasSuffix(strings.TrimRight(out.String(), " \n"), "dev2") {
		t.Errorf("%d bytes of table", out.Len())
	}
}
