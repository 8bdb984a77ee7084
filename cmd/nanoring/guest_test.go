package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/nanoring/nanoring/native/trust"
)

// TestLockedPage has tabs of a real browser come into a ring that is locked, by
// tokens.
func TestLockedPage(t *testing.T) {
	t.Parallel()
	b := startBrowser(t, chromedp.Flag("host-resolver-rules", "MAP *.elsewhere.test 127.0.0.1"))
	t.Run("tabs", func(t *testing.T) { // the browser is there until all are done
		for name, test := range map[string]func(*testing.T, *browser){
			"joins by a token":             testJoinsByToken,
			"is refused with an old token": testOldToken,
			"goes on by the next token":    testNextToken,
			"says what is no token":        testNoToken,
			"asks for a link":              testLink,
			"is an operator's by a link":   testOpenLink,
			"operates":                     testOperates,
			"keeps what it has":            testKeepsWhatItHas,
			"sends nothing by http":        testPlainPage,
			"offers nothing in the clear":  testClearToken,
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				test(t, b)
			})
		}
	})
}

// startLocked starts two nodes that are a locked ring, and let in the pages of
// somebody's.
func startLocked(t *testing.T, b *browser) (dev1, dev2 *process, key string) {
	t.Helper()
	ns := unwatchedNodes(t)
	key = filepath.Join(ns.dir, "ring.key")
	secret, err := exec.Command("nanoring", "keygen").Output()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(key, secret, 0o600); err != nil {
		t.Fatal(err)
	}
	flags := []string{"--ring", "red", "--secret-file", key, "--allow-origin", b.pages}
	dev1 = ns.mustStart(t, "dev1", "", flags...)
	dev2 = ns.mustStart(t, "dev2", "", append(flags, "--join", dev1.addr)...)
	for _, p := range []*process{dev1, dev2} {
		eventually(t, "the two are a ring", func() bool { return p.isUp(t, "dev1", "dev2") })
	}
	return dev1, dev2, key
}

// mint is nanoring token.
func mint(t *testing.T, key string, flags ...string) string {
	t.Helper()
	signed, err := exec.Command("nanoring", append([]string{"token", "--ring", "red", "--secret-file", key}, flags...)...).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(signed))
}

// mintOld signs a token that has expired, which nanoring token does not.
func mintOld(t *testing.T, key string) string {
	t.Helper()
	return mintUntil(t, key, time.Now().Add(-time.Hour))
}

// mintUntil signs a token that expires then.
func mintUntil(t *testing.T, key string, expires time.Time) string {
	t.Helper()
	text, err := os.ReadFile(key)
	if err != nil {
		t.Fatal(err)
	}
	secrets, err := trust.ParseSecrets(text)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := secrets[0].Sign(trust.Token{Ring: "red", Role: trust.RoleGuest, Name: "*", Expires: expires})
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

// testNextToken: when its token has expired a tab is sent for another one, and goes on without
// being seen as anything but up; one that has no other ends.
func testNextToken(t *testing.T, b *browser) {
	dev1, dev2, key := startLocked(t, b)
	tab := b.open(t, b.page(dev1, joinOptions{"gateways": gateways(dev1), "name": "first", "token": mint(t, key, "--name", "first")}))
	tab.becomes("joined")
	eval[any](tab, "nanoring.leave()")
	tab.becomes("ended")
	brief := mintUntil(t, key, time.Now().Add(10*time.Second-trust.Leeway))
	tokens, _ := json.Marshal([]string{brief, mint(t, key, "--name", "*", "--any-name")})
	urls, _ := json.Marshal(gateways(dev1))
	eval[any](tab, "window.asked = 0, start({ gateways: "+string(urls)+", name: 'lasting', token: async () => "+string(tokens)+"[asked++] })")
	tab.becomes("joined")
	dev2.becomes(t, "lasting", "up")
	since := func() string {
		up, err := dev2.client.members(t.Context(), pathUp+"?name=lasting")
		if err != nil || len(up) != 1 || up[0].State != "up" {
			t.Fatal(up, err)
		}
		return up[0].Since.String()
	}
	before := since()
	eventually(t, "it is in by the second token", func() bool {
		return eval[bool](tab, "asked === 2 && nanoring.gateway !== null")
	})
	if after := since(); after != before {
		t.Errorf("dev2 has it up since %s, and before since %s", after, before)
	}
	tab.expect("WebSocket connection to .* failed|HTTP Authentication failed|401")
	eval[any](tab, "nanoring.leave()")
	tab.becomes("ended")
	eval[any](tab, "start({ gateways: "+string(urls)+", name: 'brief', token: '"+mintUntil(t, key, time.Now().Add(5*time.Second-trust.Leeway))+"' })")
	tab.becomes("joined")
	tab.becomes("ended")
}

// testJoinsByToken: what a tab is to be called, of which ring, and with which tags
// its token says. Another is made for another gateway.
func testJoinsByToken(t *testing.T, b *browser) {
	dev1, dev2, key := startLocked(t, b)
	tab := b.open(t, b.page(dev1, joinOptions{"gateways": gateways(dev1), "token": mint(t, key, "--name", "visitor-*", "--tag", "user=ü")}))
	tab.expect("WebSocket connection to .* failed|ERR_CONNECTION_REFUSED")
	tab.becomes("joined")
	if got := eval[string](tab, "nanoring.ring + ' ' + JSON.stringify(nanoring.all().find((n) => n.name === nanoring.name).tags)"); !strings.HasPrefix(tab.name(), "visitor-") || got != `red {"user":"ü"}` {
		t.Errorf("%s is in %s", tab.name(), got)
	}
	dev2.becomes(t, tab.name(), "up")
	if got := eval[string](tab, "nanoring.setTags({ page: 'x' }).catch((error) => error.code + ': ' + error.message)"); got != `forbidden: The token does not let this node set its tag "page".` {
		t.Error(got)
	}
	eval[any](tab, "nanoring.leave()")
	tab.becomes("ended")

	own := mint(t, key, "--name", "bob", "--tag", "user=bob", "--own", "ui.*")
	eval[any](tab, "start({ gateways: ['"+gateways(dev1)[0]+"'], token: '"+own+"', tags: { user: 'eve', 'ui.at': '1', other: 'x' } })")
	tab.becomes("joined")
	if got := eval[string](tab, "nanoring.setTags({ 'ui.at': '2,3' }).then(() => JSON.stringify(nanoring.all({ name: 'bob' })[0].tags))"); got != `{"ui.at":"2,3","user":"bob"}` {
		t.Error(got)
	}
	if got := eval[string](tab, "nanoring.setTags({ user: 'eve' }).catch((error) => error.code)"); got != "forbidden" {
		t.Error(got)
	}
	eventually(t, "all see it", func() bool {
		m, err := dev2.client.members(t.Context(), pathUp+"?tag=ui.at=2,3")
		return err == nil && len(m) == 1 && m[0].Name == "bob" && m[0].Tags["user"] == "bob"
	})
	eval[any](tab, "nanoring.leave()")
	tab.becomes("ended")

	tokens, _ := json.Marshal([]string{mint(t, key, "--name", "alice", "--ttl", "2h"), mint(t, key, "--name", "alice")})
	urls, _ := json.Marshal(gateways(dev1, dev2))
	eval[any](tab, "window.asked = 0, start({ gateways: "+string(urls)+", token: async () => "+string(tokens)+"[asked++] + '\\n' })")
	tab.becomes("joined")
	if got := eval[string](tab, "[nanoring.name, nanoring.gateway.name, asked].join()"); got != "alice,dev1,1" {
		t.Error(got)
	}
	dev2.becomes(t, "alice", "up")
	dev1.kill()
	tab.until("nanoring.gateway?.name === 'dev2'")
	dev2.becomes(t, "alice", "up")
	if got := eval[int](tab, "asked"); got != 2 {
		t.Errorf("it asked for %d tokens", got)
	}
}

// testOldToken: a tab with a token that has expired is refused by all gateways, whose
// clocks decide. By that of its own, which may be wrong, a tab gives no token up.
func testOldToken(t *testing.T, b *browser) {
	dev1, dev2, key := startLocked(t, b)
	old, good := mintOld(t, key), mint(t, key, "--name", "tab-*")
	tab := b.open(t, b.page(dev1, joinOptions{"gateways": gateways(dev1, dev2), "token": old}))
	tab.expect("HTTP Authentication failed|" + killedGateway) // or one took so long that the tab went on to the next
	tab.fails("forbidden", "the token expired at ", false)
	eventually(t, "the log says why", func() bool {
		return strings.Contains(dev1.printed(), "the token expired at") && strings.Contains(dev2.printed(), "the token expired at")
	})
	if strings.Contains(dev1.printed(), old) {
		t.Error("the token is in the log")
	}

	urls, _ := json.Marshal(gateways(dev1, dev2))
	eval[any](tab, "window.asked = 0, start({ gateways: "+string(urls)+", token: () => (asked++, '"+old+"') })")
	tab.fails("forbidden", "the token expired at ", true)
	eval[any](tab, "start({ gateways: "+string(urls)+", token: '"+good+"' })")
	tab.becomes("joined") // meanwhile it would have come again
	if got := eval[int](tab, "asked"); got != 2 {
		t.Errorf("it asked for %d tokens", got)
	}

	dev2.becomes(t, tab.name(), "up")
	eval[any](tab, "(() => { const now = Date.now; Date.now = () => now() + 2 * 3600 * 1000; window.log.length = 0; })()")
	dev1.kill()
	dev2.kill()
	tab.until("log.filter((line) => line.startsWith('dial')).length > 4 || nanoring.state === 'ended'")
	ns := &nodes{dir: filepath.Dir(key), byName: make(map[string]*process)}
	flags := []string{"--ring", "red", "--allow-origin", b.pages, "--secret-file"}
	again := ns.mustStart(t, "dev1", dev1.addr, append(flags, key)...)
	tab.until("nanoring.gateway?.name === 'dev1'")

	// With another secret none takes the token any more, and each says so, though nobody was there when it was asked first.
	eval[any](tab, "log.length = 0, undefined")
	again.kill()
	tab.until("log.some((line) => line.startsWith('unreachable: '))")
	other, err := exec.Command("nanoring", "keygen").Output()
	must(t, err)
	must(t, os.WriteFile(key+".other", other, 0o600))
	tab.expect("HTTP Authentication failed|ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|response code: 429")
	ns.mustStart(t, "dev1", dev1.addr, append(flags, key+".other")...)
	ns.mustStart(t, "dev2", dev2.addr, append(flags, key+".other")...)
	tab.becomes("ended")
	if got := eval[map[string]string](tab, "({ ...document.documentElement.dataset })"); got["code"] != "unauthorized" {
		t.Errorf("it ends with %v", got)
	}
}

func testNoToken(t *testing.T, b *browser) {
	dev1, _, key := startLocked(t, b)
	tab := b.open(t, b.page(dev1, joinOptions{"gateways": gateways(dev1)}))
	tab.expect("HTTP Authentication failed|closed before the connection is established") // the latter where the machine is slow
	tab.fails("unauthorized", "there is no token, and this ring needs one", false)
	own := b.open(t, "http://"+dev1.addr+"/")
	own.expect("status of 401")
	if got := eval[string](own, `import("/nanoring.js").then(({ join }) => join()).then((node) => node.state, (error) => error.code)`); got != "unauthorized" {
		t.Errorf("a page of the gateway's own, without a token: %s", got)
	}
	for _, test := range []struct{ options, code, words string }{
		{"token: 'letters'", "token", "not a JWT"},
		{"token: 'a.b.c'", "token", "not a JWT"},
		{"token: `a.${btoa('{}').replaceAll('=', '')}.c`", "token", "not a guest's"},
		{"token: `a.${btoa('null').replaceAll('=', '')}.c`", "token", "not a guest's"},
		{"token: async () => undefined", "token", "not a JWT"},
		{"token: '" + mint(t, key, "--role", "reader") + "'", "token", "not a guest's"},
		{"name: 'bob', token: '" + mint(t, key, "--name", "alice") + "'", "forbidden", "lets in alice, not bob"},
		{"ring: 'blue', token: '" + mint(t, key, "--name", "*", "--any-name") + "'", "wrong-ring", "for the ring red, not for blue"},
	} {
		eval[any](tab, "start({ "+test.options+" })")
		tab.fails(test.code, test.words, test.code == "token")
	}
}

// testLink: the page of a node that is locked says how to get in, and complains of
// nothing; with a link as the command makes it, it is in.
func testLink(t *testing.T, b *browser) {
	dev1, dev2, key := startLocked(t, b)
	page := "http://" + dev1.addr + "/"
	tab := b.open(t, page)
	tab.until(shows("The ring is locked"))
	tab.until("performance.now() > 6000") // by when the browser complains of what it loaded in vain
	command := eval[string](tab, `document.querySelector("#message-code").textContent`)
	if want := `echo "` + page + "#token=$(\n  nanoring token --secret-file ring.key --name 'tab-*')\""; command != want {
		t.Errorf("it says %s, not %s", command, want)
	}
	for _, size := range [][2]int64{{1280, 760}, {360, 780}} {
		tab.accessible(size[0], size[1], "dark")
		if err := os.WriteFile(filepath.Join(t.ArtifactDir(), "locked-"+map[bool]string{true: "wide", false: "narrow"}[size[0] > 1000]+".png"), tab.picture(), 0o666); err != nil {
			t.Fatal(err)
		}
	}

	shell := exec.Command("sh", "-c", command)
	shell.Dir, shell.Env = filepath.Dir(key), append(os.Environ(), "NANORING_RING=red")
	link, err := shell.Output()
	if err != nil {
		t.Fatal(err)
	}
	href, _ := json.Marshal(strings.TrimSpace(string(link)))
	eval[any](tab, "location.href = "+string(href)) // which is no other page, and not loaded anew
	tab.becomes("joined")
	dev2.becomes(t, tab.name(), "up")
	tab.until(`!document.querySelector("#add").checkVisibility() && !document.querySelector("#remove").checkVisibility()`)
	eval[any](tab, `document.querySelector("#invite").click()`)
	tab.until(`document.querySelector("#invite-command").textContent.includes("nanoring token")`)
	if got := eval[string](tab, `document.querySelector("#invite-link").value + document.querySelector("#invitation").textContent`); strings.Contains(got, "eyJ") {
		t.Errorf("the invitation has this tab's token: %s", got)
	}
	tab.accessible(360, 780, "light")
	if err := os.WriteFile(filepath.Join(t.ArtifactDir(), "locked-invite.png"), tab.picture(), 0o666); err != nil {
		t.Fatal(err)
	}
}
