package main

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nanoring/nanoring/native/trust"
)

// TestHostilePage: a page of another origin tries the API and the WebSocket of a
// locked node in a real browser, with and without a token that it has got hold of.
// The same page gets in by the WebSocket where its origin is allowed.
func TestHostilePage(t *testing.T) {
	t.Parallel()
	b := startBrowser(t)
	ns := newNodes(t)
	file := filepath.Join(ns.dir, "ring.key")
	if err := os.WriteFile(file, []byte(trust.NewSecret()), 0o600); err != nil {
		t.Fatal(err)
	}
	closed := ns.mustStart(t, "dev1", "", "--secret-file", file)
	allows := ns.mustStart(t, "dev2", "", "--secret-file", file, "--join", closed.addr, "--allow-origin", b.pages)
	closed.becomes(t, "dev2", "up")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	secrets, err := trust.ParseSecrets(text)
	if err != nil {
		t.Fatal(err)
	}
	sign := func(role, name string) string {
		signed, err := secrets[0].Sign(trust.Token{Ring: defaultRing, Role: role, Name: name, Expires: time.Now().Add(time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
		return signed
	}
	guest, operator := sign(trust.RoleGuest, "*"), sign(trust.RoleOperator, "")

	tab := b.open(t, b.pages+"/empty")
	tab.expect(".") // the browser complains of all of it
	ask := func(js string) string {
		t.Helper()
		return eval[string](tab, "(async () => { try { const r = await ("+js+"); return String(r.status ?? r); } catch (e) { return e.name; } })()")
	}
	socket := func(p *process, protocols ...string) string {
		t.Helper()
		return ask(fmt.Sprintf("new Promise((done) => { const ws = new WebSocket('ws://%s/ring', %s); ws.onopen = () => done('open ' + ws.protocol); ws.onerror = () => done('refused'); })", p.addr, quotedList(protocols)))
	}
	api := "http://" + closed.addr + "/v1/nodes"
	for what, js := range map[string]string{
		"reads":              "fetch('" + api + "')",
		"reads with a token": "fetch('" + api + "', { headers: { Authorization: 'Bearer " + operator + "' } })",
		"adds":               "fetch('" + api + "', { method: 'POST', headers: { 'Content-Type': 'application/json', Authorization: 'Bearer " + operator + "' }, body: '{\"name\":\"evil\",\"address\":\"127.0.0.1:1\"}' })",
		"removes":            "fetch('" + api + "/dev2', { method: 'DELETE', headers: { Authorization: 'Bearer " + operator + "' } })",
	} {
		if got := ask(js); got != "TypeError" {
			t.Errorf("it %s: %s", what, got)
		}
	}
	// What a browser sends without asking first is not answered to the page; that it
	// does nothing is seen below.
	ask("fetch('" + api + "', { method: 'POST', mode: 'no-cors', body: '{\"name\":\"evil\",\"address\":\"127.0.0.1:1\"}' })")
	ask("new Promise((done) => { const f = document.createElement('form'); f.method = 'POST'; f.target = 'nowhere'; f.action = 'http://" + closed.addr + "/v1/leave'; document.body.append(f); f.submit(); done('sent'); })")
	// A link that it has got hold of is used by no form, and by no body that needs no leave.
	_, code, _ := strings.Cut(closed.openLink(t), "#open=")
	session := "http://" + closed.addr + "/v1/session"
	for _, typ := range []string{"text/plain", "application/x-www-form-urlencoded", "application/json"} {
		ask("fetch('" + session + "', { method: 'POST', mode: 'no-cors', headers: { 'Content-Type': '" + typ + "' }, body: '{\"code\":\"" + code + "\"}' })")
	}
	if got := ask("fetch('" + session + "', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{\"code\":\"" + code + "\"}' })"); got != "TypeError" {
		t.Errorf("it begins a session: %s", got)
	}
	for _, path := range []string{"/v1/session", "/v1/links"} {
		ask("new Promise((done) => { const to = document.createElement('iframe'); to.name = 'to'; const f = document.createElement('form'); f.method = 'POST'; f.enctype = 'text/plain'; f.target = 'to'; f.action = 'http://" + closed.addr + path + "'; const i = document.createElement('input'); i.name = '{\"code\":\"" + code + "\",\"x'; i.value = '\":1}'; f.append(i); document.body.append(to, f); to.onload = () => done('sent'); f.submit(); setTimeout(() => done('sent'), 5000); })")
	}
	resp, err := http.Post(session, "application/json", strings.NewReader(`{"code":"`+code+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusCreated {
		t.Errorf("the link works no more: %s", resp.Status)
	}
	for what, protocols := range map[string][]string{
		"without a token": {"nanoring.v1"}, "with one": {"nanoring.v1", "nanoring.token." + guest}, "with an operator's": {"nanoring.v1", "nanoring.token." + operator},
	} {
		if got := socket(closed, protocols...); got != "refused" {
			t.Errorf("the WebSocket %s: %s", what, got)
		}
	}
	if got := socket(allows, "nanoring.v1"); got != "refused" {
		t.Errorf("an allowed origin without a token: %s", got)
	}
	if got := socket(allows, "nanoring.v1", "nanoring.token."+guest); got != "open nanoring.v1" {
		t.Errorf("an allowed origin with a token: %s", got)
	}
	nodes, err := closed.client.members(t.Context(), pathUp)
	if err != nil {
		t.Fatal(err)
	}
	var up []string
	for _, n := range nodes {
		up = append(up, n.Name)
	}
	if !slices.Equal(up, []string{"dev1", "dev2"}) {
		t.Errorf("up are %v", up)
	}
}

// quotedList writes a list as JavaScript has it.
func quotedList(list []string) string {
	s := "["
	for _, v := range list {
		s += fmt.Sprintf("%q,", v)
	}
	return s + "]"
}

// TestSignedElsewhere runs the programs of docs/security.md that sign tokens, and
// lets their guests in.
func TestSignedElsewhere(t *testing.T) {
	t.Parallel()
	ns := newNodes(t)
	file := filepath.Join(ns.dir, "ring.key")
	if err := os.WriteFile(file, []byte(trust.NewSecret()), 0o600); err != nil {
		t.Fatal(err)
	}
	node := ns.mustStart(t, "dev1", "", "--secret-file", file)
	dir := t.TempDir()
	jwk, err := exec.Command("nanoring", "token", "--secret-file", file, "--jwk").Output()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := os.ReadFile(filepath.Join("..", "..", "docs", "security.md"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "guests.jwk"), jwk, 0o600); err != nil {
		t.Fatal(err)
	}
	for language, run := range map[string][]string{"js": {"node", "sign.mjs"}, "python": {"python3", "sign.py"}} {
		if _, err := exec.LookPath(run[0]); err != nil && language == "python" {
			continue // NanoRing needs no Python
		}
		_, program, _ := strings.Cut(string(doc), "```"+language+"\n")
		program, _, _ = strings.Cut(program, "```")
		if err := os.WriteFile(filepath.Join(dir, run[1]), []byte(program), 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(run[0], run[1])
		cmd.Dir, cmd.Stderr = dir, os.Stderr
		signed, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s: %v", language, err)
		}
		req, err := http.NewRequestWithContext(t.Context(), "GET", "http://"+node.addr+"/ring", nil)
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range map[string]string{
			"Authorization": "Bearer " + strings.TrimSpace(string(signed)), "Connection": "Upgrade", "Upgrade": "websocket",
			"Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==", "Sec-WebSocket-Protocol": "nanoring.v1",
		} {
			req.Header.Set(name, value)
		}
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusSwitchingProtocols {
			t.Errorf("%s: a guest with %s gets %s:\n%s", language, signed, resp.Status, node.printed())
		}
	}
}
