package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// held are commands that this test does not run, and why; the one that matches first counts.
// That a target is one of the Makefile's is seen of all of them.
var held = []struct{ commands, why string }{
	{`^make (test|bench|bench-peers|soak|net|siege|fuzz|every|twins|release)\b`, "takes minutes"},
	{`^nanoring sim --nodes 1000(00)? `, "takes minutes, and gigabytes"},
	{` prune --down-for 72h `, "takes three days, and asks on a terminal"},
	{`^(export GNUPGHOME|gpg|\(cd dist|rm -rf dist|cmp dist)`, "is about what make release has made: make release-check does it"},
	{`^jq `, "is about an engine that broke: TestScripts/engine breaks one"},
	{`^(go install|curl -LO|sudo|skopeo|npm|git|docker|mkdir image) `, "takes the net, and what is published there"},
	{`^tar xzf `, "is of what is published, which make release packs and unpacks"},
	{` --cacert ca.pem `, "TestCurlLines runs it, with a certificate for the address"},
}

// untrue are commands of which the page shows what they might print.
var untrue = []struct{ commands, why string }{
	{`^nanoring demo$`, "shows it on a terminal: TestDemoScreen"},
	{` why dev2$`, "what is found first is chance: TestScripts/why"},
	{` ask load$`, "uptime is each system's own"},
	{`^curl -N `, "what happens next is for somebody to do"},
	{` drain$`, "there is no guest to go elsewhere"},
}

// scene is where a part of a page is played: what runs and lies there before its first command.
// It lasts until the next one, or the page's end.
type scene struct {
	at     string
	before string   // commands
	warm   []string // data folders that have the module compiled: as of nodes that ran in the sandbox before
}

// The first part of a page needs no line here if it needs nothing.
var scenes = []scene{
	{at: "README.md#locked"},
	{at: "docs/api.md#", before: `
		nanoring node --name dev1 --listen 127.0.0.1:7001 --data data/dev1 --tag role=web --on-question 'uptime=echo up 3 days'
		nanoring node --name dev2 --listen 127.0.0.1:7002 --data data/dev2 --join 127.0.0.1:7001
		nanoring node --name dev3 --listen 127.0.0.1:7003 --data data/dev3 --join 127.0.0.1:7001 --tag role=web --on-question 'uptime=sleep 1; exit 1'
		nanoring node --name dev4 --listen 127.0.0.1:7004 --data data/dev4 --join 127.0.0.1:7001 --tag role=web --on-question 'uptime=sleep 60'
	`},
	{at: "docs/api.md#tokens", before: `
		nanoring keygen --out ring.key
		nanoring node --name dev1 --listen 127.0.0.1:7001 --data data/dev1 --secret-file ring.key
	`},
	{at: "docs/operations.md#settings", before: `nanoring keygen --out /etc/nanoring.key`},
	{at: "docs/operations.md#which-engine", before: `nanoring node --name dev1 --data data/dev1 --engine wasm`, warm: []string{"data/dev1"}},
	{at: "docs/operations.md#swapping-the-engine-of-a-running-node", warm: []string{"data/demo/dev1", "data/demo/dev2", "data/demo/dev3", "data/demo/dev4"}},
	{at: "docs/operations.md#taking-a-node-out-of-service", before: `
		nanoring node --name dev1 --listen 127.0.0.1:7001 --data data/dev1
		nanoring node --name dev2 --listen 127.0.0.1:7002 --data data/dev2 --join 127.0.0.1:7001
	`},
	{at: "docs/operations.md#from-the-page", before: `
		nanoring keygen --out ring.key
		nanoring node --name dev1 --listen 127.0.0.1:7001 --data data/dev1 --secret-file ring.key
	`},
	{at: "docs/operations.md#the-dead", before: `
		nanoring node --name dev1 --listen 127.0.0.1:7001 --data data/dev1 --tag zone=b
		nanoring --data data/dev1 add dev7@127.0.0.1:7007
		nanoring --data data/dev1 add dev8@127.0.0.1:7008
		nanoring --data data/dev1 add dev9@127.0.0.1:7009
	`},
	{at: "docs/operations.md#backups", before: `
		nanoring node --name dev1 --listen 127.0.0.1:7001 --data data/dev1
		nanoring node --name dev2 --listen 127.0.0.1:7002 --data data/dev2 --join 127.0.0.1:7001
		test $(nanoring --data data/dev1 up -o names | wc -l) = 2
		test $(nanoring --data data/dev1 status -o json | grep -c '"state": "joined"') = 1
	`},
	{at: "docs/operations.md#messages-and-commands-for-them", before: `
		nanoring node --name dev1 --listen 127.0.0.1:7001 --data data/dev1
		nanoring node --name dev2 --listen 127.0.0.1:7002 --data data/dev2 --join 127.0.0.1:7001 --tag role=web --on-message reload=true --on-question uptime=uptime
	`},
	{at: "docs/operations.md#when-something-is-wrong", before: `
		nanoring node --name dev1 --listen 127.0.0.1:7001 --data data/dev1
		nanoring node --name dev2 --listen 127.0.0.1:7002 --data data/dev2 --join 127.0.0.1:7001
		nanoring node --name dev3 --listen 127.0.0.1:7003 --data data/dev3 --join 127.0.0.1:7001
		test $(nanoring --data data/dev1 up -o names | wc -l) = 3
		test $(nanoring --data data/dev3 up -o names | wc -l) = 3
		kill -9 dev2
	`},
	{at: "docs/security.md#whom-the-command-line-gives-a-token", before: `
		nanoring keygen --out ring.key
		nanoring node --listen 10.0.0.5:7946 --secret-file ring.key
		nanoring token --secret-file ring.key --role operator --out my.token
	`},
}

// TestPages runs every command that the README and docs show in blocks, as it stands there but
// for ports, addresses and folders, and sees that it prints what the page says.
func TestPages(t *testing.T) {
	t.Parallel()
	there := make(map[string]bool)
	for _, page := range docPages(t) {
		for len(page.commands) > 0 {
			sc, n := sceneOf(page.commands)
			there[sc.at] = true
			commands := page.commands[:n]
			page.commands = page.commands[n:]
			t.Run(sc.at, func(t *testing.T) {
				t.Parallel()
				var runs []shown
				for _, s := range commands {
					if checkTarget(t, s); !marked(heldAt, s) {
						runs = append(runs, s)
					}
				}
				if len(runs) > 0 {
					newStage(t, page, sc).play(runs)
				}
			})
		}
	}
	for _, sc := range scenes {
		if !there[sc.at] {
			t.Errorf("no commands are at %s, where a scene is", sc.at)
		}
	}
}

// sceneOf returns where the first commands are played, and how many of them.
func sceneOf(commands []shown) (scene, int) {
	find := func(s shown) int {
		return slices.IndexFunc(scenes, func(sc scene) bool { return sc.at == s.at() })
	}
	sc := scene{at: commands[0].page + "#"}
	if i := find(commands[0]); i >= 0 {
		sc = scenes[i]
	} else if i := find(shown{page: commands[0].page}); i >= 0 {
		sc = scenes[i]
	}
	for n, s := range commands {
		if i := find(s); i >= 0 && scenes[i].at != sc.at {
			return sc, n
		}
	}
	return sc, len(commands)
}

const (
	heldAt   = "held"
	untrueAt = "untrue"
)

// marked says whether a command is in one of the lists.
func marked(list string, s shown) bool {
	all := held
	if list == untrueAt {
		all = untrue
	}
	return slices.ContainsFunc(all, func(m struct{ commands, why string }) bool {
		return regexp.MustCompile(m.commands).MatchString(bare(s.command))
	})
}

// TestPagesHeld: there is nothing in the lists that no page shows.
func TestPagesHeld(t *testing.T) {
	var all []string
	for _, page := range docPages(t) {
		for _, s := range page.commands {
			all = append(all, bare(s.command))
		}
	}
	if len(all) < 60 {
		t.Errorf("only %d commands were found", len(all))
	}
	for _, m := range slices.Concat(held, untrue) {
		if !slices.ContainsFunc(all, regexp.MustCompile(m.commands).MatchString) {
			t.Errorf("no page shows %s, which %s", m.commands, m.why)
		}
	}
}

// TestPagesSpans: commands of NanoRing in the text of pages are commands of this program, with
// flags and arguments that they take, and targets are the Makefile's.
func TestPagesSpans(t *testing.T) {
	seen := 0
	for _, page := range docPages(t) {
		text, err := os.ReadFile(filepath.Join("..", "..", filepath.FromSlash(page.name)))
		must(t, err)
		for _, span := range codeSpan.FindAllStringSubmatch(string(text), -1) {
			command, _ := strings.CutPrefix(span[1], "bin/")
			switch {
			case strings.HasPrefix(command, "make "):
				seen++
				checkTarget(t, shown{page: page.name, command: strings.TrimSuffix(command, " …")})
			case strings.HasPrefix(command, "nanoring ") && !strings.ContainsAny(command, "…|>") && !strings.HasSuffix(command, " --help") && command != "nanoring v1 ":
				seen++
				if _, why := checkSpan(command); why != "" {
					t.Errorf("%s: `%s`: %s", page.name, command, why)
				}
			}
		}
	}
	if seen < 150 {
		t.Errorf("only %d spans were looked at", seen)
	}
}

// bare is a command as it is typed, in one line, without a comment behind it.
func bare(command string) string {
	command, _, _ = strings.Cut(strings.ReplaceAll(command, "\\\n", ""), " #")
	return strings.TrimSpace(command)
}

// checkTarget sees that what is made can be made.
func checkTarget(t *testing.T, s shown) {
	t.Helper()
	words := strings.Fields(bare(s.command))
	if words[0] != "make" {
		return
	}
	for _, word := range words[1:] {
		if regexp.MustCompile(`^[a-z][\w%-]*$`).MatchString(word) && !slices.Contains(targets(), word) {
			t.Errorf("%s:%d: %s: there is no target %s", s.page, s.line, bare(s.command), word)
		}
	}
}

// targets are those of the Makefile.
func targets() (all []string) {
	text, err := os.ReadFile(filepath.Join("..", "..", "Makefile"))
	if err != nil {
		return nil
	}
	for _, m := range regexp.MustCompile(`(?m)^\.PHONY: (.*)$`).FindAllStringSubmatch(string(text), -1) {
		for _, target := range strings.Fields(m[1]) {
			if all = append(all, target); strings.Contains(target, "%") {
				for _, n := range []string{"1", "2", "3", "4"} {
					all = append(all, strings.Replace(target, "%", n, 1))
				}
			}
		}
	}
	return all
}

// made is what make runs for a target, of what the page's reader has built already.
func made(t *testing.T, command string) string {
	t.Helper()
	cmd := exec.Command("make", append([]string{"-s", "-n"}, strings.Fields(bare(command))[1:]...)...)
	cmd.Dir = filepath.Join("..", "..")
	out, err := cmd.Output()
	must(t, err)
	var rest []string
	for line := range strings.Lines(string(out)) {
		if !strings.HasPrefix(line, "go build -o bin/ ") {
			rest = append(rest, line)
		}
	}
	return strings.Join(rest, "")
}
