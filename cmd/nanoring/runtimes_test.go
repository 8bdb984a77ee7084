package main

import (
	"bufio"
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var withRuntimes = flag.Bool("runtimes", false, "run TestRuntimes: make runtimes")

// runtimes is where what runs JavaScript is installed.
const runtimes = "testdata/runtimes"

// TestRuntimes: the package is a node's in all that runs JavaScript without a browser, and
// nothing warns of it. A program joins, sees, sends and hears, loses its gateway, and leaves;
// so do tests, in what runs tests.
func TestRuntimes(t *testing.T) {
	if !*withRuntimes {
		t.Skip("it takes -runtimes: make runtimes runs it")
	}
	folder, _ := packed(t)
	files, err := filepath.Glob(runtimes + "/*.*js")
	must(t, err)
	for _, file := range files {
		b, err := os.ReadFile(file)
		must(t, err)
		must(t, os.WriteFile(filepath.Join(folder, filepath.Base(file)), b, 0o666))
	}
	must(t, os.WriteFile(filepath.Join(folder, "package.json"), []byte(`{ "type": "module" }`), 0o666))
	installed, err := filepath.Abs(runtimes + "/node_modules")
	must(t, err)
	packages, err := os.ReadDir(installed)
	must(t, err)
	for _, p := range packages {
		must(t, os.Symlink(filepath.Join(installed, p.Name()), filepath.Join(folder, "node_modules", p.Name())))
	}
	t.Setenv("DENO_DIR", filepath.Join(folder, "deno"))
	t.Setenv("DENO_NO_UPDATE_CHECK", "1")
	bin := func(path string) string { return filepath.Join(folder, "node_modules", path) }

	t.Run("runtimes", func(t *testing.T) { // the folder is there until all are done
		for name, command := range map[string][]string{
			"Node.js 20": {bin("node20/bin/node")},
			"Node.js 22": {bin("node22/bin/node")},
			"Node.js 24": {bin("node24/bin/node")},
			"Node.js 26": {bin("node26/bin/node")},
			"Bun":        {bin("bun/bin/bun")},
			"Deno":       {bin("deno/deno"), "run", "--allow-all"},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				testRuntime(t, folder, command)
			})
		}
		vitest := []string{bin("node24/bin/node"), bin("vitest/vitest.mjs"), "run", "--globals", "ring.test.mjs"}
		jest := []string{bin("node24/bin/node"), "--experimental-vm-modules", bin("jest/bin/jest.js"), "--testMatch", "**/ring.test.mjs", "--env"}
		for name, command := range map[string][]string{
			"vitest":          vitest,
			"vitest in jsdom": append(vitest, "--config", "./jsdom-of-vitest.config.mjs"),
			"jest":            append(jest, "node"),
			"jest in jsdom":   append(jest, "jsdom", "--setupFiles", "./jsdom-of-jest.cjs"),
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				testRunner(t, folder, command)
			})
		}
		t.Run("what is missing", func(t *testing.T) {
			t.Parallel()
			out := command(t, folder, bin("node20/bin/node"), "-e", `import("nanoring").then(({ join }) => join()).catch((error) => console.log(error.code, error.message))`)
			if got := string(out); !regexp.MustCompile("^unsupported .* has no WebSocket.*README").MatchString(got) {
				t.Errorf("Node.js 20 alone: %s", got)
			}
		})
	})
}

func testRuntime(t *testing.T, folder string, command []string) {
	dev1, dev2 := startPair(t, unwatchedNodes(t))
	cmd := exec.CommandContext(t.Context(), command[0], append(command[1:], "talk.mjs", gateways(dev1)[0], gateways(dev2)[0])...)
	var complaints bytes.Buffer
	cmd.Dir, cmd.Stderr, cmd.SysProcAttr = folder, &complaints, childAttr()
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	var said []string
	for lines := bufio.NewScanner(out); lines.Scan(); said = append(said, lines.Text()) {
		if lines.Text() == "kill dev1" {
			dev1.kill()
		}
	}
	err = cmd.Wait()
	want := []string{"js- dev2", "alice chat.private psst", "alice chat.lobby hello", "kill dev1", "alice chat.lobby here again", "left"}
	if got := strings.Join(said, "\n"); err != nil || got != strings.Join(want, "\n") {
		t.Errorf("it ends with %v, and says\n%s", err, got)
	}
	if complaints.Len() > 0 {
		t.Errorf("it complains:\n%s", &complaints)
	}
	dev2.becomes(t, "alice", "left")
}

func testRunner(t *testing.T, folder string, command []string) {
	dev1, _ := startPair(t, unwatchedNodes(t))
	cmd := exec.CommandContext(t.Context(), command[0], command[1:]...)
	cmd.Dir, cmd.Env, cmd.SysProcAttr = folder, append(os.Environ(), "GATEWAY="+gateways(dev1)[0], "NO_COLOR=1"), childAttr()
	if out, err := cmd.CombinedOutput(); err != nil || !regexp.MustCompile(`Tests:? +1 passed`).Match(out) {
		t.Errorf("%v:\n%s", err, out)
	}
}
