package native

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// serving is an engine with a ring of two, which refuses to add "taken", does
// not know "nobody", and leaves when told.
func serving() *fake {
	node := core.Node{
		Name: "dev1", State: core.Alive, Address: "127.0.0.1:7001", Incarnation: 1763931600123456, Version: 1,
		Instance: wire.Instance{Start: 1763931600000000, Nonce: 0x9f3c2a1b00d4e5f6}, Tags: []wire.Tag{{Key: "zone", Value: "a"}},
	}
	return newFake(func(in core.Input) []core.Effect {
		switch {
		case in.Kind == core.Start:
			return []core.Effect{emit(core.Event{Kind: core.EventNode, Node: node}), nodeEvent("a b/c", core.Down)}
		case in.Kind != core.Do || in.Command.Op == core.Stop:
			return nil
		}
		c := in.Command
		switch {
		case c.Name == "taken":
			return []core.Effect{emit(core.Event{Kind: core.EventResult, ID: c.ID, Code: wire.CodeWrongNode, Text: "that is dev9"})}
		case c.Name == "nobody":
			return []core.Effect{emit(core.Event{Kind: core.EventResult, ID: c.ID, Code: wire.CodeUnknown, Text: "who?"})}
		case c.Name == "away":
			return []core.Effect{emit(core.Event{Kind: core.EventResult, ID: c.ID, Code: wire.CodeUnreachable, Text: "nobody answers"})}
		case c.Op == core.Leave:
			return []core.Effect{emit(core.Event{Kind: core.EventResult, ID: c.ID}), {Kind: core.Halt, Reason: core.HaltLeft}}
		case c.Op == core.Del:
			return []core.Effect{nodeEvent(c.Name, core.Removed), emit(core.Event{Kind: core.EventResult, ID: c.ID, Name: c.Name})}
		}
		return []core.Effect{nodeEvent(c.Name, core.Unknown), emit(core.Event{Kind: core.EventResult, ID: c.ID, Name: c.Name})}
	})
}

// socketClient speaks to a node through its Unix socket.
func socketClient(t *testing.T, n *Node) *http.Client {
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return DialSocket(ctx, n.cfg.Data)
	}}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

type answer struct {
	status int
	typ    string
	header http.Header
	body   string
}

func ask(t *testing.T, c *http.Client, method, url, body string, header ...string) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
		if header[i] == "Host" {
			req.Host = header[i+1]
		}
	}
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	d := described()
	if err := d.checkAnswer(method, req.URL.EscapedPath(), resp.StatusCode, resp.Header.Get("Content-Type"), string(b)); err != nil {
		t.Error(err)
	}
	return answer{resp.StatusCode, resp.Header.Get("Content-Type"), resp.Header, string(b)}
}

func httpClient(t *testing.T) *http.Client {
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

func TestAPI(t *testing.T) {
	n := startFake(t, serving())
	base, c := "http://"+n.Addr(), httpClient(t)
	eventually(t, "the nodes", func() bool { return len(n.All()) == 2 })

	dev1 := `{"name":"dev1","state":"up","ephemeral":false,"cordoned":false,"address":"127.0.0.1:7001","via":"","incarnation":1763931600123456,` +
		`"instance":"1763931600000000-9f3c2a1b00d4e5f6","version":1,"tags":{"zone":"a"},"since":"2025-11-23T21:00:00.123456Z"}`
	abc := `{"name":"a b/c","state":"down","ephemeral":false,"cordoned":false,"address":"127.0.0.1:1","via":"","incarnation":0,"instance":"","version":0,"tags":{}}`
	dev2 := `{"name":"dev2","state":"unknown","ephemeral":false,"cordoned":false,"address":"127.0.0.1:1","via":"","incarnation":0,"instance":"","version":0,"tags":{}}`
	for _, test := range []struct {
		method, path, body string
		status             int
		want               string // the body; or a problem's code
	}{
		{"GET", "/v1/nodes", "", 200, `{"nodes":[` + abc + `,` + dev1 + `]}`},
		{"GET", "/v1/up", "", 200, `{"nodes":[` + dev1 + `]}`},
		{"GET", "/v1/nodes?tag=zone%3Da&tag=!draining&state=up&name=d*", "", 200, `{"nodes":[` + dev1 + `]}`},
		{"GET", "/v1/nodes?tag=!zone", "", 200, `{"nodes":[` + abc + `]}`},
		{"GET", "/v1/up?tag=!zone", "", 200, `{"nodes":[]}`},
		{"GET", "/v1/nodes?tag=", "", 400, "bad-request"},
		{"GET", "/v1/nodes?state=dead", "", 400, "bad-request"},
		{"GET", "/v1/nodes?state=up&state=down", "", 400, "bad-request"},
		{"GET", "/v1/nodes?tags=zone", "", 400, "bad-request"},
		{"GET", "/v1/up?n=1", "", 400, "bad-request"},
		{"GET", "/v1/up?%zz", "", 400, "bad-request"},
		{"GET", "/v1/nodes/dev1", "", 200, dev1},
		{"GET", "/v1/nodes/a%20b%2Fc", "", 200, abc},
		{"GET", "/v1/nodes/dev9", "", 404, "unknown-node"},
		{"GET", "/v1/owners/any%2Fkey?n=64", "", 200, `{"nodes":[` + dev1 + `]}`},
		{"GET", "/v1/owners/key?n=2&tag=zone=*", "", 200, `{"nodes":[` + dev1 + `]}`},
		{"GET", "/v1/owners/key?tag=zone=b", "", 200, `{"nodes":[]}`},
		{"GET", "/v1/owners/key?n=0", "", 400, "bad-request"},
		{"GET", "/v1/owners/key?n=65", "", 400, "bad-request"},
		{"GET", "/v1/owners/key?n=", "", 400, "bad-request"},
		{"GET", "/v1/owners/key?n=many", "", 400, "bad-request"},
		{"GET", "/v1/owners/key?n=1&n=2", "", 400, "bad-request"},
		{"GET", "/v1/owners/key?n=%zz", "", 400, "bad-request"},
		{"GET", "/v1/owners/", "", 400, "bad-request"},
		{"GET", "/v1/owners/?n=2", "", 400, "bad-request"},
		{"GET", "/v1/owners/any/key", "", 400, "bad-request"},
		{"GET", "/v1/owners/key/", "", 400, "bad-request"},
		{"PUT", "/v1/owners/key", "", 405, "method-not-allowed"},
		{"GET", "/healthz", "", 200, `{"status":"ok"}`},
		{"GET", "/readyz", "", 200, `{"status":"ok"}`},
		{"POST", "/v1/nodes", `{"name":"dev2","address":"127.0.0.1:7002"}`, 201, dev2},
		{"POST", "/v1/nodes", `{"name":"taken","address":"127.0.0.1:7002"}`, 409, "wrong-node"},
		{"POST", "/v1/nodes", `{"name":"away","address":"127.0.0.1:7002"}`, 502, "unreachable"},
		{"POST", "/v1/nodes", `{"name":"dev2"`, 400, "bad-request"},
		{"POST", "/v1/nodes", `{"name":"dev2"} {}`, 400, "bad-request"},
		{"POST", "/v1/nodes", `{"nome":"dev2"}`, 400, "bad-request"},
		{"POST", "/v1/nodes", `{"name":"` + strings.Repeat("x", maxBody) + `"}`, 413, "too-large"},
		{"POST", "/v1/nodes", "", 415, "unsupported-media-type"},
		{"DELETE", "/v1/nodes/a%20b%2Fc", "", 204, ""},
		{"DELETE", "/v1/nodes/nobody", "", 404, "unknown-node"},
		{"PUT", "/v1/nodes", "", 405, "method-not-allowed"},
		{"GET", "/v2/nodes", "", 404, "not-found"},
		{"GET", "/index.html", "", 404, "not-found"},
		{"POST", "/", "", 405, "method-not-allowed"},
	} {
		got := ask(t, c, test.method, base+test.path, test.body)
		what := fmt.Sprintf("%s %s %.50s: %d %s %.300s", test.method, test.path, test.body, got.status, got.typ, got.body)
		if got.status != test.status {
			t.Error(what)
		}
		if got.status < 400 {
			if strings.TrimSpace(got.body) != test.want {
				t.Error(what)
			}
			continue
		}
		var p Problem
		if err := json.Unmarshal([]byte(got.body), &p); err != nil || got.typ != "application/problem+json" ||
			p.Code != test.want || p.Status != test.status || p.Title == "" || p.Detail == "" {
			t.Error(what)
		}
	}
	if got := ask(t, c, "PUT", base+"/v1/nodes", ""); !strings.Contains(got.header.Get("Allow"), "POST") {
		t.Errorf("Allow: %s", got.header.Get("Allow"))
	}
	var s Status
	if err := json.Unmarshal([]byte(ask(t, c, "GET", base+"/v1/status", "").body), &s); err != nil || !reflect.DeepEqual(s, n.Status()) || s.Name != "dev1" || s.Up != 1 {
		t.Errorf("%+v, %v", s, err)
	}
}

// TestOwnersByAPI: a key in a path may have any bytes.
func TestOwnersByAPI(t *testing.T) {
	var names []string
	var effects []core.Effect
	for i := range 40 {
		names = append(names, fmt.Sprint("dev", i))
		effects = append(effects, nodeEvent(names[i], core.Alive))
	}
	n := startFake(t, newFake(func(in core.Input) []core.Effect {
		if in.Kind != core.Start {
			return nil
		}
		return effects
	}))
	eventually(t, "the nodes", func() bool { return len(n.All()) == len(names) })
	c := httpClient(t)
	for path, key := range map[string]string{
		"user:42": "user:42", "a%2Fb": "a/b", "%2F": "/", "%2F%2Fa%2F": "//a/", "%2E%2E": "..", "%252F": "%2F", "a%20+b": "a +b", "%3Fn=9%23": "?n=9#",
		"%C3%BC": "ü", "%FF%00": "\xff\x00", "%0A": "\n", strings.Repeat("x", 10_000): strings.Repeat("x", 10_000),
	} {
		for query, count := range map[string]int{"": 1, "?n=1": 1, "?n=3": 3, "?n=64": 64} {
			got := ask(t, c, "GET", "http://"+n.Addr()+"/v1/owners/"+path+query, "")
			var list NodesJSON
			if err := json.Unmarshal([]byte(got.body), &list); err != nil || got.status != 200 {
				t.Fatalf("%.40q: %d %s %v", key, got.status, got.body, err)
			}
			var owners []string
			for _, node := range list.Nodes {
				owners = append(owners, node.Name)
			}
			if want := core.Owners(key, count, names); !slices.Equal(owners, want) {
				t.Errorf("%.40q%s: %q, not %q", key, query, owners, want)
			}
		}
	}
}

func TestLeaveByAPI(t *testing.T) {
	n := startFake(t, serving())
	if got := ask(t, socketClient(t, n), "POST", "http://localhost/v1/leave", ""); got.status != 204 {
		t.Fatal(got)
	}
	receive(t, "the end", n.Done())
	if n.Err() != ErrLeft {
		t.Fatal(n.Err())
	}
}

func TestNotReady(t *testing.T) {
	d := &slowDisk{err: os.ErrPermission}
	n := startOn(t, d, nil)
	c := httpClient(t)
	if got := ask(t, c, "POST", "http://"+n.Addr()+"/v1/nodes", `{"name":"dev2","address":"127.0.0.1:1"}`); got.status != 500 || !strings.Contains(got.body, `"code":"not-written"`) {
		t.Fatal(got)
	}
	if got := ask(t, c, "GET", "http://"+n.Addr()+"/readyz", ""); got.status != 503 || !strings.Contains(got.body, `"code":"not-written"`) {
		t.Fatal(got)
	}
	if got := ask(t, c, "GET", "http://"+n.Addr()+"/healthz", ""); got.status != 200 {
		t.Fatal(got)
	}
}

func TestWebPagesAreRefused(t *testing.T) {
	n := startFake(t, serving())
	base, c := "http://"+n.Addr(), httpClient(t)
	_, port, _ := net.SplitHostPort(n.Addr())
	post := `{"name":"dev2","address":"127.0.0.1:7002"}`
	for _, test := range []struct {
		name, method string
		header       []string
		code         string // "": it is let through
	}{
		{"a program", "POST", nil, ""},
		{"a page of ours", "POST", []string{"Origin", base}, ""},
		{"another origin", "POST", []string{"Origin", "https://evil.example"}, "cross-origin"},
		{"another port", "POST", []string{"Origin", "http://127.0.0.1:1"}, "cross-origin"},
		{"another site, as the browser says", "POST", []string{"Sec-Fetch-Site", "cross-site"}, "cross-origin"},
		{"DNS rebinding", "POST", []string{"Host", "evil.example:" + port, "Origin", "http://evil.example:" + port}, "host-refused"},
		{"DNS rebinding to read", "GET", []string{"Host", "evil.example:" + port}, "host-refused"},
		{"DNS rebinding by number", "GET", []string{"Host", "192.0.2.1"}, "host-refused"},
		{"by name", "GET", []string{"Host", "LocalHost:" + port}, ""},
		{"by name, without port", "GET", []string{"Host", "localhost"}, ""},
		{"by IPv6", "GET", []string{"Host", "[::1]:" + port}, ""},
	} {
		body := ""
		if test.method == "POST" {
			body = post
		}
		got := ask(t, c, test.method, base+"/v1/nodes", body, test.header...)
		if test.code == "" && got.status >= 300 || test.code != "" && (got.status != 403 || !strings.Contains(got.body, `"code":"`+test.code+`"`)) {
			t.Errorf("%s: %d %s", test.name, got.status, got.body)
		}
	}
	if got := ask(t, c, "DELETE", base+"/v1/nodes/dev1", "", "Origin", "https://evil.example"); got.status != 403 {
		t.Error(got)
	}
	if got := ask(t, socketClient(t, n), "POST", "http://any.host/v1/nodes", post); got.status != 201 {
		t.Error(got)
	}
	if got := ask(t, c, "GET", base+"/ring", "", "Host", "evil.example:"+port, "Origin", "http://evil.example:"+port, "Connection", "Upgrade", "Upgrade", "websocket"); got.status != 403 {
		t.Errorf("a rebound WebSocket: %+v", got)
	}
}

func TestAdvertisedHost(t *testing.T) {
	cfg := config(t, "dev1")
	port, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port.Close()
	cfg.Engine, cfg.Listen, cfg.Advertise = newFake(nil).engine, port.Addr().String(), "dev1.example.net:7001"
	start(t, cfg)
	for host, status := range map[string]int{"dev1.example.net": 200, "DEV1.example.net.:80": 200, "dev2.example.net": 403} {
		if got := ask(t, httpClient(t), "GET", "http://"+cfg.Listen+"/v1/status", "", "Host", host); got.status != status {
			t.Errorf("%s: %+v", host, got)
		}
	}
}

// sse reads server-sent events.
type sse struct {
	t *testing.T
	r *bufio.Reader
}

func (s sse) next() EventJSON {
	s.t.Helper()
	kind := ""
	for {
		line, err := s.r.ReadString('\n')
		if err != nil {
			s.t.Fatal(err)
		}
		line = strings.TrimSuffix(line, "\n")
		if v, ok := strings.CutPrefix(line, "event: "); ok {
			kind = v
		}
		if v, ok := strings.CutPrefix(line, "data: "); ok {
			var e EventJSON
			if err := json.Unmarshal([]byte(v), &e); err != nil || e.Kind != kind {
				s.t.Fatalf("%s: %s, %v", kind, v, err)
			}
			return e
		}
	}
}

func TestEvents(t *testing.T) {
	n := startFake(t, telling())
	add(t, n, "dev3")
	add(t, n, "dev2")
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	req, _ := http.NewRequestWithContext(ctx, "GET", "http://"+n.Addr()+"/v1/events", nil)
	resp, err := httpClient(t).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if typ := resp.Header.Get("Content-Type"); typ != "text/event-stream" {
		t.Fatal(typ)
	}
	s := sse{t, bufio.NewReader(resp.Body)}
	expect := func(want string) {
		t.Helper()
		e := s.next()
		got := e.Kind
		if e.Node != nil {
			got += " " + e.Node.Name + " " + e.Node.State
		}
		if got != want {
			t.Fatalf("%s, not %s", got, want)
		}
	}
	expect("node dev2 up")
	expect("node dev3 up")
	expect("ready")
	add(t, n, "dev4")
	expect("joined dev4 up")
	if err := n.Del(t.Context(), "dev3"); err != nil {
		t.Fatal(err)
	}
	expect("removed dev3 removed")
	n.Close()
	if _, err := s.r.ReadString(0); err != io.EOF {
		t.Fatalf("the stream ends with %v", err)
	}
}

func TestEventShapes(t *testing.T) {
	for _, test := range []struct {
		e    core.Event
		want string
	}{
		{core.Event{Kind: core.EventRefused, Name: "dev9", Addr: "127.0.0.1:9", Code: wire.CodeRing, Text: "another ring"},
			`{"kind":"refused","name":"dev9","address":"127.0.0.1:9","code":"wrong-ring","text":"another ring"}`},
		{core.Event{Kind: core.EventSkew, Name: "dev9", Addr: "127.0.0.1:9", Skew: -90e6},
			`{"kind":"skew","name":"dev9","address":"127.0.0.1:9","ahead_micros":-90000000}`},
		{core.Event{Kind: core.EventLeaving}, `{"kind":"leaving"}`},
	} {
		if got, _ := json.Marshal(eventJSON(Event{Event: test.e})); string(got) != test.want {
			t.Errorf("%s", got)
		}
	}
}

// TestSlowEvents streams to a client that does not read.
func TestSlowEvents(t *testing.T) {
	n := startFake(t, telling())
	c, err := net.Dial("tcp", n.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprintf(c, "GET /v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
	eventually(t, "the watcher", func() bool { return n.board.watching() == 1 })
	for i := 0; n.board.watching() > 0; i++ {
		add(t, n, fmt.Sprint("a rather long name ", i, strings.Repeat("x", 200)))
	}
}

func (b *board) watching() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.watchers)
}

func TestSocket(t *testing.T) {
	for _, dir := range []string{"data", strings.Repeat("d", 120), filepath.Join(strings.Repeat("d", 200), strings.Repeat("e", 200))} {
		cfg := config(t, "dev1")
		cfg.Data, cfg.Engine = filepath.Join(cfg.Data, dir), serving().engine
		n := start(t, cfg)
		info, err := os.Stat(filepath.Join(cfg.Data, socketName))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Fatal(info, err)
		}
		if got := ask(t, socketClient(t, n), "GET", "http://localhost/v1/up", ""); got.status != 200 {
			t.Fatal(got)
		}
		n.Close()
		if _, err := os.Stat(filepath.Join(cfg.Data, socketName)); !os.IsNotExist(err) {
			t.Fatal("the socket stays", err)
		}
		if _, err := DialSocket(t.Context(), cfg.Data); err == nil {
			t.Fatal("somebody answers")
		}
	}
}

// TestDeadSocket starts where a killed process left its socket.
func TestDeadSocket(t *testing.T) {
	cfg := config(t, "dev1")
	cfg.Engine = serving().engine
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(cfg.Data, socketName), Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	l.Close()
	if got := ask(t, socketClient(t, start(t, cfg)), "GET", "http://localhost/healthz", ""); got.status != 200 {
		t.Fatal(got)
	}
}

// TestHandler mounts a node in somebody else's server.
func TestHandler(t *testing.T) {
	cfg := config(t, "dev1")
	f := newFake(nil)
	cfg.Listen, cfg.Engine = "", f.engine
	var n *Node
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { n.Handler().ServeHTTP(w, r) }))
	defer server.Close()
	cfg.Advertise = server.Listener.Addr().String()
	n = start(t, cfg)
	peer(t, n)
	f.next(t, core.Opened)
	if got := ask(t, server.Client(), "GET", server.URL+"/v1/nodes", "", "Host", "evil.example"); got.status != 403 {
		t.Fatal(got)
	}
}
