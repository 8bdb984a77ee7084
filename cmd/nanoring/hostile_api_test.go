package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// hostileAPI answers all that a node is asked, and lies: its texts do things to terminals and shells, its
// numbers are as large as they can be, and what it leaves out is what no node leaves out.
type hostileAPI struct {
	kind string // texts, numbers, nothing

	server *httptest.Server
}

func newHostileAPI(t *testing.T, kind string) *hostileAPI {
	h := &hostileAPI{kind: kind}
	h.server = httptest.NewServer(http.HandlerFunc(h.answer))
	t.Cleanup(h.server.Close)
	return h
}

// fields are an object that has each key of which a command knows.
func (h *hostileAPI) fields() map[string]any {
	all := make(map[string]any)
	if h.kind == "nothing" {
		return all
	}
	text, number, many, at := hostileText, int64(1), []string{hostileText, hostileName}, time.Unix(1.8e9, 0)
	if h.kind == "numbers" {
		text, number, at = "x", -1<<63, time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)
	}
	node := map[string]any{
		"name": text, "state": "down" + text, "address": text, "via": text, "incarnation": number, "tags": map[string]string{text: text}, "since": at,
		"reason": "clock-skew", "ahead_micros": number, "cordoned": true,
	}
	for key, value := range node {
		all[key] = value
	}
	for _, key := range []string{"ring", "data", "engine", "version", "module", "last_trap", "by", "text", "code", "topic", "from", "page", "at_name"} {
		all[key] = text
	}
	for _, key := range []string{"members", "up", "connections", "step_median_micros", "step_p99_micros", "step_max_micros", "protocol", "traps", "memory", "more", "count", "guests", "answers"} {
		all[key] = number
	}
	link := map[string]any{"name": text, "guest": true, "trip_micros": number, "silent_millis": number}
	more := map[string]any{
		"nodes": []any{node, map[string]any{}, node}, "keys": many, "secrets": many, "started": at, "clock": at, "at": at, "micros": []int64{number, number, 1},
		"messages": map[string]any{"listeners": number, "unread": 1}, "clocks": []any{node}, "own_clock_since": at,
		"join":       map[string]any{"state": "joining", "sources": many, "let_in_by": text, "since": at, "tried": []any{map[string]any{"address": text, "source": text, "why": text}}},
		"conditions": []any{map[string]any{"code": text, "severity": text, "text": text, "do": text}}, "given": map[string]string{text: text, "x": text},
		"settings": map[string]int64{text: number}, "link": link, "links": []any{link}, "dialed": []any{map[string]any{"name": text, "micros": number, "error": text}},
		"evidence": []any{map[string]any{"at": at, "until": at, "text": text}}, "sums": many,
		"records": []any{map[string]any{"set": text, "name": text, "says": text, "stamp": at, "hash": text}},
	}
	for key, value := range more {
		all[key] = value
	}
	return all
}

func (h *hostileAPI) answer(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	fields := h.fields()
	line := func(w io.Writer, change map[string]any) {
		for key, value := range change {
			fields[key] = value
		}
		b, _ := json.Marshal(fields)
		w.Write(append(b, '\n'))
	}
	switch r.URL.Path {
	case pathQuestions:
		payload, _ := json.Marshal(fields)
		from := "dev1"
		if of := r.URL.Query().Get("name"); of != "" {
			from = of
		} else if h.kind == "texts" {
			from = hostileName
		}
		text := string(payload)
		if !strings.Contains(string(body), `"nanoring.`) {
			text = hostileText
		}
		for _, from := range []string{from, "dev2"} {
			line(w, map[string]any{"kind": "answer", "from": from, "text": text, "code": ""})
		}
		line(w, map[string]any{"kind": "answer", "from": hostileName, "text": "\x1b[31m{", "code": ""})
		line(w, map[string]any{"kind": "done", "silent": []string{hostileName}, "answers": 1})
	case pathEvents, pathMessages:
		for _, kind := range []string{"joined", "updated", "updated", "removed", "skew", "refused", "let-in", "has-joined", "message", "gap", hostileText, "lost"} {
			io.WriteString(w, "data: ")
			line(w, map[string]any{"kind": kind, "node": fields["nodes"]})
			if of, some := fields["nodes"].([]any); some {
				io.WriteString(w, "data: ")
				line(w, map[string]any{"kind": kind, "node": of[0]})
			}
		}
	case pathTags:
		if h.kind == "nothing" {
			fields["given"] = map[string]string{"a": "b"}
		}
		line(w, nil)
	case pathDrain:
		line(w, map[string]any{"drained": false})
		line(w, map[string]any{"drained": true})
	default:
		line(w, nil)
	}
}

// TestHostileAPI has all commands ask one that is no node, and lies: nothing of it does anything to a terminal,
// and no command breaks of it, or goes on for ever.
func TestHostileAPI(t *testing.T) {
	t.Parallel()
	dir, err := unwatched()
	must(t, err)
	shown := 0
	for _, kind := range []string{"texts", "numbers", "nothing"} {
		h := newHostileAPI(t, kind)
		for _, args := range [][]string{
			{"all"}, {"up"}, {"owner", "k"}, {"status"}, {"engine"}, {"engine", "swap", "native"}, {"tags"}, {"tags", "--set", "a=b"}, {"add", "dev9@127.0.0.1:9"},
			{"del", "dev9"}, {"cordon"}, {"uncordon", "dev9"}, {"why", "dev2"}, {"why", "dev2", "--all"}, {"reach"}, {"reach", "-o", "matrix"}, {"rtt", "dev1", "dev2"},
			{"diff", "dev1", "dev2"}, {"doctor"}, {"ask", "x"}, {"ask", "x", "--limit", "1"}, {"send", "x", "y"}, {"tell", "dev2", "x", "y"}, {"watch"}, {"listen"}, {"drain"},
			{"prune", "--down-for", "1h", "--yes"}, {"leave", "dev2"}, {"leave"}, {"open", "--print"}, {"open", "--end"}, {"backup", filepath.Join(t.TempDir(), "backup")},
			{"__complete", "del", ""}, {"__complete", "tags", "--delete", ""},
		} {
			for _, output := range outputs {
				if kind != "texts" && output != "table" {
					continue
				}
				run := args
				if args[len(args)-1] != "matrix" && args[0] != "__complete" {
					run = append(args[:len(args):len(args)], "-o", output)
				}
				ctx, cancel := context.WithTimeout(t.Context(), patience)
				cmd := exec.CommandContext(ctx, filepath.Join(dir, "nanoring"), append([]string{"--api", h.server.URL}, run...)...)
				b, _ := cmd.CombinedOutput()
				if ctx.Err() != nil {
					t.Errorf("%s: nanoring %q does not end", kind, run)
				}
				cancel()
				out := string(b)
				if strings.Contains(out, "FORGED") {
					shown++
				}
				if what := forbidden(out); what != "" {
					t.Errorf("%s: nanoring %q prints %s", kind, run, what)
				}
				if strings.Contains(out, "panic:") {
					t.Errorf("%s: nanoring %q breaks:\n%s", kind, run, out)
				}
			}
		}
	}
	if shown < 20 {
		t.Errorf("only %d outputs have what it said", shown)
	}
}
