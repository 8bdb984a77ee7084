package native

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// messageStream reads what GET /v1/messages streams.
type messageStream struct {
	t    *testing.T
	r    *bufio.Reader
	last string // id
	stop func()
}

func messagesOf(t *testing.T, n *Node, query, last string) *messageStream {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	req, _ := http.NewRequestWithContext(ctx, "GET", "http://"+n.Addr()+"/v1/messages"+query, nil)
	if last != "" {
		req.Header.Set("Last-Event-ID", last)
	}
	resp, err := httpClient(t).Do(req)
	must(t, err)
	if typ := resp.Header.Get("Content-Type"); resp.StatusCode != 200 || typ != "text/event-stream" {
		t.Fatal(resp.Status, typ)
	}
	return &messageStream{t: t, r: bufio.NewReader(resp.Body), stop: func() { cancel(); resp.Body.Close() }}
}

// next returns the next event in words; the id of each is as it says.
func (s *messageStream) next() string {
	s.t.Helper()
	id := ""
	for {
		line, err := s.r.ReadString('\n')
		if err != nil {
			return err.Error()
		}
		if v, ok := strings.CutPrefix(line, "id: "); ok {
			id = strings.TrimSpace(v)
		}
		v, ok := strings.CutPrefix(line, "data: ")
		if !ok {
			continue
		}
		var m MessageJSON
		must(s.t, json.Unmarshal([]byte(v), &m))
		if m.ID != id || (id == "") != (m.Seq == 0) && m.Kind != "ready" {
			s.t.Fatalf("id %q of %s", id, v)
		}
		if id != "" {
			s.last = id
		}
		text := m.Kind
		if m.From != "" {
			text += " " + m.From
		}
		if m.Topic != "" {
			text += " " + m.Topic
		}
		if m.Text != nil {
			text += fmt.Sprintf(" %q", *m.Text)
		}
		if m.Base64 != nil {
			text += fmt.Sprintf(" %x", m.Base64)
		}
		if m.Told {
			text += " told"
		}
		if m.Until.After(m.At) {
			text += " asked"
		}
		return text
	}
}

func (s *messageStream) expect(want ...string) {
	s.t.Helper()
	for _, text := range want {
		if got := s.next(); got != text {
			s.t.Fatalf("%s, not %s", got, text)
		}
	}
}

func TestMessagesOverHTTP(t *testing.T) {
	all := three(t, func(c *Config) { c.Tags = []wire.Tag{{Key: "is", Value: c.Name}} })
	c, base := httpClient(t), "http://"+all[0].Addr()
	s := messagesOf(t, all[1].Node, "?topic=chat.*&topic=deploy", "")
	s.expect("ready")
	first := s.last
	post := func(query, body string, status int, code string) {
		t.Helper()
		got := ask(t, c, "POST", base+"/v1/messages"+query, body)
		var p Problem
		if got.status >= 400 {
			must(t, json.Unmarshal([]byte(got.body), &p))
		}
		if got.status != status || p.Code != code || got.status < 300 && got.body != "" {
			t.Fatalf("%s: %+v", body, got)
		}
	}
	post("", `{"topic":"chat.room","payload":"hé\nllo"}`, 202, "")
	s.expect(`message dev1 chat.room "hé\nllo"`)
	post("", `{"topic":"chat.room","payload_base64":"AP8="}`, 202, "")
	s.expect("message dev1 chat.room 00ff")
	post("?tag=is!%3Ddev2", `{"topic":"deploy"}`, 202, "")
	post("?name=dev2", `{"topic":"deploy"}`, 202, "")
	s.expect(`message dev1 deploy ""`)
	post("", `{"topic":"deploy","to":"dev2","payload":"now"}`, 204, "")
	s.expect(`message dev1 deploy "now" told`)

	big := strings.Repeat("x", wire.MaxPayload)
	post("", `{"topic":"chat.big","payload":"`+big+`"}`, 202, "")
	s.expect(fmt.Sprintf("message dev1 chat.big %q", big))
	post("", `{"topic":"chat.big","payload":"`+big+`x"}`, 413, "too-large")
	post("", `{"topic":"chat big"}`, 400, "invalid")
	post("", `{"topic":"x","payload":"a","payload_base64":"YQ=="}`, 400, "bad-request")
	post("", `{"topic":"x","other":1}`, 400, "bad-request")
	post("?tag=%3D", `{"topic":"x"}`, 400, "bad-request")
	post("?tag=a", `{"topic":"x","to":"dev2"}`, 400, "bad-request")
	post("", `{"topic":"x","to":"dev9"}`, 404, "unknown-node")
	post("", `{"topic":"x","to":"dev2"}`, 409, "nobody")

	// Who comes back is told what it missed; with an id of another process that this is not known.
	s.stop()
	post("", `{"topic":"chat.room","payload":"missed"}`, 202, "")
	post("", `{"topic":"deploy","to":"dev2","payload":"told"}`, 204, "") // it is heard meanwhile
	s = messagesOf(t, all[1].Node, "?topic=chat.*", s.last)
	s.expect(`message dev1 chat.room "missed"`, "ready")
	s.stop()
	s = messagesOf(t, all[1].Node, "?topic=deploy&since="+first, "")
	s.expect(`message dev1 deploy ""`, `message dev1 deploy "now" told`, `message dev1 deploy "told" told`, "ready")
	s.stop()
	s = messagesOf(t, all[1].Node, "?topic=deploy", "1-00000000000000ff/3")
	s.expect("gap", `message dev1 deploy ""`, `message dev1 deploy "now" told`, `message dev1 deploy "told" told`, "ready")
	s.stop()
	s = messagesOf(t, all[1].Node, "?topic=new", first)
	s.expect("gap", "ready") // nobody heard it then
	for _, bad := range []string{"?topic=a%20b", "?topics=a", "?" + strings.Repeat("topic=a&", 65)} {
		if got := ask(t, c, "GET", base+"/v1/messages"+bad, ""); got.status != 400 {
			t.Errorf("%.20s: %+v", bad, got)
		}
	}
	all[1].Close()
	s.expect("EOF")
}

// TestMessagesFlood: beyond the rate it is busy, and told when to come again.
func TestMessagesFlood(t *testing.T) {
	n := real(t, "dev1")
	c := socketClient(t, n.Node)
	var got answer
	for range 100_000 {
		if got = ask(t, c, "POST", "http://localhost/v1/messages", `{"topic":"flood","payload":"`+strings.Repeat("x", 8000)+`"}`); got.status != 202 {
			break
		}
	}
	if got.status != 429 || !strings.Contains(got.body, `"busy"`) || got.header.Get("Retry-After") != "1" {
		t.Fatalf("%+v", got)
	}
}

// TestSlowMessages streams to a client that does not read: it loses some, and nobody waits.
// They come at once, so that a loaded machine is no slow client.
func TestSlowMessages(t *testing.T) {
	n := startFake(t, newFake(func(in core.Input) []core.Effect {
		if in.Kind != core.Do {
			return nil
		}
		effects := []core.Effect{emit(core.Event{Kind: core.EventResult, ID: in.Command.ID})}
		if in.Command.Op == core.SendMessage {
			heard := emit(core.Event{Kind: core.EventHeard, Name: "dev1", Topic: in.Command.Topic, Payload: in.Command.Payload})
			if in.Command.Topic == "end" {
				return append(effects, heard)
			}
			effects = append(effects, slices.Repeat([]core.Effect{heard}, 64)...)
		}
		return effects
	}))
	s := messagesOf(t, n, "", "")
	s.expect("ready")
	payload := make([]byte, wire.MaxPayload)
	lost := func() bool {
		n.hearing.mu.Lock()
		defer n.hearing.mu.Unlock()
		for sub := range n.hearing.subscribers {
			return sub.lost
		}
		return false
	}
	sent := 0
	for ; !lost(); sent += 64 {
		must(t, n.Send(t.Context(), "x", payload))
	}
	must(t, n.Send(t.Context(), "end", nil))
	gaps, heard := 0, 0
	for {
		switch got := s.next(); {
		case got == "gap":
			gaps++
		case got == `message dev1 end ""`:
			if gaps == 0 || heard >= sent {
				t.Fatalf("%d gaps, and %d of %d messages", gaps, heard, sent)
			}
			return
		case strings.HasPrefix(got, "message dev1 x "):
			heard++
		default:
			t.Fatalf("after %d of %d messages: %s", heard, sent, got)
		}
	}
}

func TestQuestionsOverHTTP(t *testing.T) {
	all := three(t)
	hang := make(chan struct{})
	for i, n := range all {
		_, err := n.Answer("who", func(ctx context.Context, q Question) ([]byte, error) {
			switch string(q.Payload) {
			case "fail":
				if i == 2 {
					return nil, fmt.Errorf("no %s", n.Name())
				}
			case "hang":
				if i == 2 {
					select {
					case <-hang:
					case <-ctx.Done():
					}
				}
			case "bytes":
				return []byte{0xff}, nil
			}
			return []byte("I, " + n.Name()), nil
		})
		must(t, err)
	}
	s := messagesOf(t, all[1].Node, "?topic=w*", "")
	s.expect("ready")
	c, base := httpClient(t), "http://"+all[0].Addr()+"/v1/questions"
	lines := func(query, body string) []string {
		t.Helper()
		got := ask(t, c, "POST", base+query, body)
		if got.status != 200 || got.typ != "application/x-ndjson" {
			t.Fatalf("%+v", got)
		}
		all := strings.Split(strings.TrimSuffix(got.body, "\n"), "\n")
		slices.Sort(all)
		return all
	}
	equal := func(got []string, want ...string) {
		t.Helper()
		if !slices.Equal(got, want) {
			t.Errorf("%s", strings.Join(got, "\n"))
		}
	}
	answer := func(name string) string {
		return fmt.Sprintf(`{"kind":"answer","from":%q,"payload":"I, %s"}`, name, name)
	}
	equal(lines("", `{"topic":"who","timeout_millis":60000}`), answer("dev1"), answer("dev2"), answer("dev3"), `{"kind":"done","answers":3,"silent":[]}`)
	s.expect(`message dev1 who "" asked`)
	equal(lines("?name=!dev1", `{"topic":"who","payload":"fail","timeout_millis":60000}`), answer("dev2"), `{"kind":"answer","from":"dev3","code":"failed","text":"no dev3"}`, `{"kind":"done","answers":1,"silent":[]}`)
	equal(lines("?name=dev1", `{"topic":"who","payload":"bytes","timeout_millis":60000}`), `{"kind":"answer","from":"dev1","payload_base64":"/w=="}`, `{"kind":"done","answers":1,"silent":[]}`)
	equal(lines("", `{"topic":"who","payload":"hang","limit":2,"timeout_millis":60000}`), answer("dev1"), answer("dev2"), `{"kind":"done","answers":2,"silent":["dev3"]}`)
	equal(lines("?name=dev3", `{"topic":"who","payload":"hang","timeout_millis":100}`), `{"kind":"done","answers":0,"silent":["dev3"]}`)
	if got := lines("", `{"topic":"who","payload":"hang","limit":1,"timeout_millis":60000}`); len(got) != 2 || !strings.Contains(got[1], "dev3") {
		t.Error(got)
	}
	for body, status := range map[string]int{
		`{"topic":"a b"}`: 400, `{"topic":"who","limit":-1}`: 400, `{"topic":"who","timeout_millis":0}`: 400,
		`{"topic":"who","timeout_millis":600001}`: 400, `{"topic":"who","timeout":"5s"}`: 400,
		`{"topic":"who","payload":"` + strings.Repeat("x", wire.MaxPayload+1) + `"}`: 413,
	} {
		if got := ask(t, c, "POST", base, body); got.status != status {
			t.Errorf("%.40s: %+v", body, got)
		}
	}

	// Answers stream; who goes away calls the question off.
	ctx, cancel := context.WithCancel(t.Context())
	req, _ := http.NewRequestWithContext(ctx, "POST", base, strings.NewReader(`{"topic":"who","payload":"hang","timeout_millis":600000}`))
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.Do(req)
	must(t, err)
	r := bufio.NewReader(resp.Body)
	for range 2 {
		line, err := r.ReadString('\n')
		if err != nil || !strings.Contains(line, "I, dev") {
			t.Fatal(line, err)
		}
	}
	cancel()
	resp.Body.Close()
	eventually(t, "that it is called off", func() bool {
		all[0].hearing.mu.Lock()
		defer all[0].hearing.mu.Unlock()
		return len(all[0].hearing.open) == 0
	})
	// A node that ends says so.
	req, _ = http.NewRequestWithContext(soon(t), "POST", base, strings.NewReader(`{"topic":"who","payload":"hang","timeout_millis":600000}`))
	req.Header.Set("Content-Type", "application/json")
	resp, err = c.Do(req)
	must(t, err)
	defer resp.Body.Close()
	go all[0].Close()
	b, _ := io.ReadAll(resp.Body)
	if !strings.Contains(string(b), `"code":"halting"`) {
		t.Errorf("%s", b)
	}
	<-all[0].Done()
	close(hang)
}

// TestLingering: what a client asked for is heard for a while after it has gone, and then no more.
func TestLingering(t *testing.T) {
	n := real(t, "dev1").Node
	tell := func() wire.Code { return codeOf(n.Tell(t.Context(), "dev1", "x", nil)) }
	s := messagesOf(t, n, "?topic=x", "")
	s.expect("ready")
	s.stop()
	lingers := func() (f *heardFor) {
		n.hearing.mu.Lock()
		defer n.hearing.mu.Unlock()
		if f = n.hearing.patterns["x"]; f == nil || f.lingers == nil {
			return nil
		}
		return f
	}
	eventually(t, "that it has gone", func() bool { return lingers() != nil })
	if code := tell(); code != 0 {
		t.Error(code)
	}
	f := lingers()
	n.forget("x", f)
	eventually(t, "that x is not heard", func() bool { return tell() == wire.CodeNobody })
	messagesOf(t, n, "?topic=x", "").expect("ready")
	n.forget("x", f) // late
	if code := tell(); code != 0 {
		t.Error(code)
	}
}
