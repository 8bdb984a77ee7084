package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/nanoring/nanoring/wasm/module"
)

// oldest are the first browsers that web/README.md says the library runs in, in esbuild's words.
const oldest = "chrome91,edge91,firefox90,safari15,ios15"

// TestOldSyntax: the library is written in a language that those read, since nothing has to
// be rewritten for them.
func TestOldSyntax(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	for _, target := range []string{oldest, "esnext"} {
		files, err := filepath.Glob("../../web/lib/*.js")
		must(t, err)
		command(t, ".", "../../web/node_modules/.bin/esbuild", append(files, "--target="+target, "--outdir="+filepath.Join(folder, target), "--log-level=error")...)
	}
	files, err := filepath.Glob(filepath.Join(folder, "esnext", "*.js"))
	must(t, err)
	if len(files) == 0 {
		t.Fatal("there are no files")
	}
	for _, file := range files {
		now, err := os.ReadFile(file)
		must(t, err)
		then, err := os.ReadFile(filepath.Join(folder, oldest, filepath.Base(file)))
		must(t, err)
		if !bytes.Equal(now, then) {
			t.Errorf("web/lib/%s has syntax that is newer than %s", filepath.Base(file), oldest)
		}
	}
}

// TestOldModule: the module takes no feature of WebAssembly that those lack, as reference types
// and vectors.
func TestOldModule(t *testing.T) {
	t.Parallel()
	features := api.CoreFeatureMutableGlobal | api.CoreFeatureSignExtensionOps | api.CoreFeatureNonTrappingFloatToIntConversion |
		api.CoreFeatureBulkMemoryOperations | api.CoreFeatureMultiValue
	r := wazero.NewRuntimeWithConfig(t.Context(), wazero.NewRuntimeConfigInterpreter().WithCoreFeatures(features))
	defer r.Close(t.Context())
	_, err := r.CompileModule(t.Context(), module.Wasm)
	must(t, err)
}

// oldPage is a page whose browser is made an older one before it loads the library.
const oldPage = `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,">
<script id="old">%s</script>
<script>
const used = new Set();
%s
</script>
<script type="module">
import { join } from "http://%s/nanoring.js";
const become = (state, error) => Object.assign(document.documentElement.dataset, { state, message: error?.message ?? "" });
window.log = [];
window.join = join;
try {
  window.nanoring = await join({ gateways: %s });
  nanoring.on("log", ({ kind, text }) => log.push(kind + ": " + text));
  nanoring.on("end", (error) => become("ended", error));
  window.heard = [];
  nanoring.listen("chat", ({ text }) => heard.push(text));
  become("joined");
} catch (error) {
  become("failed", error);
}
</script>`

// TestOldBrowsers takes away what browsers got since the oldest in web/README.md's table: all of it,
// and each of what the library looks for alone. A page joins, is heard, loses its gateway and leaves.
func TestOldBrowsers(t *testing.T) {
	t.Parallel()
	b := startBrowser(t)
	source, err := os.ReadFile("testdata/browser/old.js")
	must(t, err)
	ns := unwatchedNodes(t)
	dev1, dev2 := startPair(t, ns)
	open := func(t *testing.T, call string) *tab {
		t.Helper()
		urls, err := json.Marshal(gateways(dev1, dev2))
		must(t, err)
		tab := b.open(t, b.pages+"/pasted?"+url.Values{"html": {fmt.Sprintf(oldPage, source, call, dev1.addr, urls)}}.Encode())
		tab.becomes("joined")
		dev2.becomes(t, tab.name(), "up")
		return tab
	}
	says := func(tab *tab, text string) {
		tab.Helper()
		eval[any](tab, fmt.Sprintf(`nanoring.send("chat", %q)`, text))
		tab.until(fmt.Sprintf("heard.includes(%q)", text))
	}
	leaves := func(t *testing.T, tab *tab) (used []string) {
		t.Helper()
		name := tab.name()
		used = eval[[]string](tab, `(async () => {
			const gone = new AbortController(), never = join({ gateways: ["ws://127.0.0.1:1/ring"], signal: gone.signal });
			gone.abort();
			const { name } = await never.catch((error) => error);
			if (name !== "AbortError") throw new Error("giving up is a " + name);
			await nanoring.leave();
			return [...used];
		})()`)
		dev2.becomes(t, name, "left")
		tab.close()
		return used
	}

	tab := open(t, `new BroadcastChannel("used").onmessage = ({ data }) => used.add(data); old([], (name) => used.add(name))`)
	says(tab, "all is there")
	used := leaves(t, tab)
	readme, err := os.ReadFile("../../web/README.md")
	must(t, err)
	slices.Sort(used)
	t.Log("it looks for", used)
	for _, name := range used {
		if last := name[strings.LastIndexAny(name, ".:")+1:]; !bytes.Contains(readme, []byte(last)) {
			t.Errorf("it uses %s, of which web/README.md's table says nothing", name)
		}
		t.Run("without "+name, func(t *testing.T) {
			tab := open(t, fmt.Sprintf("old([%q])", name))
			says(tab, "without it")
			leaves(t, tab)
		})
	}
	for name, js := range map[string]string{
		"without any":                  "old(everything)",
		"without any, but in a Worker": "old(everything.filter((name) => name !== modules))",
	} {
		t.Run(name, func(t *testing.T) {
			tab := open(t, js)
			tab.expect(killedGateway + "|Cannot use import statement")
			says(tab, "hello")
			dev1.kill()
			tab.until("nanoring.gateway?.name === 'dev2'")
			says(tab, "here again")
			leaves(t, tab)
		})
		dev1 = ns.mustStart(t, "dev1", dev1.addr)
		eventually(t, "the two are a ring", func() bool { return dev2.isUp(t, "dev1", "dev2") })
	}
}
