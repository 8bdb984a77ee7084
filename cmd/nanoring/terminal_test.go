package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// Text that sets a terminal's title, clears it, colours it by a C1 control, deletes, forges lines
// and cells, turns text around, and cannot be seen. A name has what names may have of it.
const (
	hostileName = "g\u202egpj\u2066\u2069\u200e\u061c\u200b\u2028FORGED\u2029\ufeff\u3164\ufe0f\U000e0041"
	hostileText = "\x1b]0;x\x07\x1b[2J\u009b31m\x7f\x00\r\nFORGED\tFORGED\v\b" + hostileName
)

// forbidden says what of an output a terminal must not be given.
func forbidden(out string) string {
	if !utf8.ValidString(out) {
		return "invalid UTF-8"
	}
	for at, r := range out {
		switch {
		case r == '\n' || r >= ' ' && r < 0x7f:
		case r < ' ', r >= 0x7f && r < 0xa0, strings.ContainsRune("\u2028\u2029\u061c\ufeff\u3164\ufe0f\U000e0041", r), r >= 0x200b && r <= 0x200f, r >= 0x202a && r <= 0x202e, r >= 0x2060 && r <= 0x2069:
			return fmt.Sprintf("%U at %q", r, out[max(0, at-20):min(len(out), at+20)])
		}
	}
	if strings.Contains("\n"+out, "\nFORGED") {
		return "a forged line"
	}
	return ""
}

// TestTerminal has a guest, a node that is dialled and an API say what they can to every command,
// and to the log: nothing of it does anything to a terminal.
func TestTerminal(t *testing.T) {
	t.Parallel()
	ns := newNodes(t)
	dev1 := ns.mustStart(t, "dev1", "")
	dev2 := ns.mustStart(t, "dev2", "", "--join", dev1.addr, "--log-format", "json", "--log-level", "debug")
	hostileGuest(t, dev1.addr, core.Config{Ring: defaultRing, Name: "stranger", Seed: 1, Instance: wire.Instance{}}, "") // is one that all see
	guest := hostileGuest(t, dev1.addr, core.Config{Ring: defaultRing, Name: hostileName, Seed: 2,
		Tags: []wire.Tag{{Key: "k" + hostileText, Value: hostileText}, {Key: "role", Value: "web" + hostileText}}}, hostileText)
	for _, p := range []*process{dev1, dev2} {
		eventually(t, "all see the guest", func() bool { return p.isUp(t, "dev1", "dev2", hostileName, "stranger") })
	}
	guest.commands <- core.Command{ID: 1, Op: core.Hear, Hear: core.Subscription{Questions: []string{"*"}}}
	refuses := hostileNode(t, hostileText)

	data := filepath.Join(ns.dir, "dev1")
	looked, shown := 0, 0
	look := func(from string, args []string, out string) {
		t.Helper()
		looked++
		if strings.Contains(out, "FORGED") {
			shown++
		}
		if what := forbidden(out); what != "" {
			t.Errorf("%s: nanoring %q prints %s", from, args, what)
		}
	}
	run := func(args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "nanoring", append([]string{"--data", data}, args...)...)
		var out, errs strings.Builder
		cmd.Stdout, cmd.Stderr = &out, &errs
		cmd.Run() // some are refused
		look("stdout", args, out.String())
		look("stderr", args, errs.String())
		return out.String()
	}

	// What goes on while others are told of it.
	var follow []*exec.Cmd
	heard := make([]lockedBuffer, 4)
	for i, args := range [][]string{{"watch"}, {"watch", "-o", "json"}, {"listen"}, {"listen", "-o", "json"}} {
		cmd := exec.CommandContext(t.Context(), "nanoring", append([]string{"--data", data}, args...)...)
		cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = &heard[i], &heard[i], childAttr()
		must(t, cmd.Start())
		follow = append(follow, cmd)
		eventually(t, "it follows", func() bool {
			s := heard[i].String()
			return strings.Contains(s, "ready") || strings.Contains(s, "listening:") || strings.Contains(s, "these are all")
		})
	}
	guest.commands <- core.Command{ID: 2, Op: core.SendMessage, Topic: "chat.x", Payload: hostileText}
	guest.commands <- core.Command{ID: 3, Op: core.SendMessage, Topic: "chat.x", Payload: "\xff\xfe" + hostileText}
	eventually(t, "the messages are heard", func() bool {
		return strings.Count(heard[2].String(), "chat.x") == 2 && strings.Count(heard[3].String(), "chat.x") == 2
	})

	run("add", refuses)
	run("add", "dev9@"+refuses)
	eventually(t, "its refusal is an event", func() bool {
		return strings.Contains(heard[0].String(), "was turned away") && strings.Contains(heard[1].String(), `"refused"`)
	})
	for _, args := range [][]string{
		{"all"}, {"up"}, {"status"}, {"why", hostileName}, {"why", hostileName, "--all"}, {"reach"}, {"rtt", "dev1", hostileName},
		{"rtt", hostileName, "dev1"}, {"diff", "dev1", "dev2"}, {"diff", "dev1", hostileName}, {"doctor"}, {"engine"}, {"tags"}, {"owner", "k"},
		{"ask", "who", "--timeout", "2s"}, {"ask", "who", "--limit", "1"}, {"tell", hostileName, "chat.x"}, {"cordon", hostileName}, {"del", "--dry-run", hostileName},
		{"leave", hostileName}, {"prune", "--down-for", "1h", "--dry-run"}, {"why", "dev9"}, {"del", hostileText}, {"all", "-t", hostileText},
		{"backup", filepath.Join(ns.dir, "backup")},
	} {
		for _, output := range outputs {
			out := run(append(args, "-o", output)...)
			if output == "json" && args[0] == "all" && len(args) == 1 {
				var all struct{ Nodes []member }
				err := json.Unmarshal([]byte(out), &all)
				if !slices.ContainsFunc(all.Nodes, func(m member) bool { return m.Name == hostileName && m.Tags["role"] == "web"+hostileText }) {
					t.Errorf("-o json does not say the same: %v, %s", err, out)
				}
			}
		}
	}
	run("reach", "-o", "matrix")
	run("inspect", filepath.Join(data, "ring"))
	run("inspect", filepath.Join(ns.dir, "backup"))
	run("__complete", "del", "")
	run("__complete", "tags", "--delete", "")

	// An API that is none of a node's.
	problem, _ := json.Marshal(map[string]string{"code": "x" + hostileText, "detail": hostileText})
	bad := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == pathStatus { // of what a node says of itself everything is a lie
			fmt.Fprintf(w, `{"name":%[1]s,"ring":%[1]s,"address":%[1]s,"data":%[1]s,"keys":[%[1]s],"join":{"state":"joining","tried":[{"address":%[1]s,"why":%[1]s}]},"conditions":[{"code":"x","severity":"warning","text":%[1]s,"do":%[1]s}]}`, quotedJSON(hostileText))
			return
		}
		if r.URL.Path == pathEvents {
			fmt.Fprintf(w, "data: {\"kind\":%[1]s,\"text\":%[1]s}\n\ndata: \x1b[31m%[1]s\n\n", quotedJSON(hostileText))
			return
		}
		w.WriteHeader(http.StatusForbidden)
		w.Write(problem)
	}))
	defer bad.Close()
	for _, args := range [][]string{{"status"}, {"all"}, {"watch"}, {"listen"}, {"ask", "x"}, {"drain"}, {"open", "--print"}, {"engine"}} {
		run(append(args, "--api", bad.URL)...)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			http.ReadRequest(bufio.NewReader(conn))
			conn.Write([]byte("HTTP/1.1 500 \x1b[31m\u202e\u009bFORGED\r\nContent-Length: 0\r\n\r\n"))
			conn.Close()
		}
	}()
	run("status", "--api", "http://"+l.Addr().String())

	for i, cmd := range follow {
		must(t, cmd.Process.Signal(os.Interrupt))
		cmd.Wait()
		look("what follows", cmd.Args, heard[i].String())
	}
	look("log, text", nil, dev1.printed())
	look("log, JSON", nil, dev2.printed())
	if shown < 40 || looked < 150 {
		t.Errorf("of %d outputs %d have what others said", looked, shown)
	}
	if !strings.Contains(dev1.printed(), "turned away") {
		t.Error("the log says nothing of it")
	}
}

func quotedJSON(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}
