package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/nanoring/nanoring/wasm/module"
)

// reactMain shows the component of web/README.md in StrictMode, and counts how often it is mounted.
const reactMain = `
import { StrictMode, useEffect } from "react";
import { flushSync } from "react-dom";
import { createRoot } from "react-dom/client";
import { WhoIsHere } from "./who-is-here";

window.mounts = 0;
function Counted() {
  useEffect(() => void mounts++, []);
  return <WhoIsHere gateway={new URLSearchParams(location.search).get("gateway")} />;
}
const root = createRoot(document.querySelector("main"));
window.show = (shown) => flushSync(() => root.render(<StrictMode>{shown && <Counted />}</StrictMode>));
show(true);
`

// TestReact: the hook of web/README.md is one node, however often React mounts it, and none
// when it is gone.
func TestReact(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	readme, err := os.ReadFile("../../web/README.md")
	must(t, err)
	for _, block := range regexp.MustCompile("(?s)```jsx\n// ([a-z-]+\\.jsx)\n(.*?)```").FindAllSubmatch(readme, -1) {
		must(t, os.WriteFile(filepath.Join(folder, string(block[1])), block[2], 0o666))
	}
	must(t, os.WriteFile(filepath.Join(folder, "app.jsx"), []byte(reactMain), 0o666))
	must(t, os.Mkdir(filepath.Join(folder, "node_modules"), 0o777))
	for name, path := range map[string]string{"nanoring": "../../web", "react": "../../web/node_modules/react", "react-dom": "../../web/node_modules/react-dom"} {
		path, err := filepath.Abs(path)
		must(t, err)
		must(t, os.Symlink(path, filepath.Join(folder, "node_modules", name)))
	}
	esbuild, err := filepath.Abs("../../web/node_modules/.bin/esbuild")
	must(t, err)
	command(t, folder, esbuild, "app.jsx", "worker=nanoring/worker.js", "--bundle", "--format=esm", "--jsx=automatic", "--outdir=dist",
		`--define:process.env.NODE_ENV="development"`, "--log-level=error")
	served := http.NewServeMux()
	served.Handle("/", http.FileServer(http.Dir(filepath.Join(folder, "dist"))))
	served.HandleFunc("/nanoring.wasm", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/wasm")
		w.Write(module.Wasm)
	})
	served.HandleFunc("/page", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><main></main><script type="module" src="app.js"></script>`)
	})
	pages := httptest.NewServer(served)
	defer pages.Close()

	dev1, dev2 := startPair(t, unwatchedNodes(t))
	tab := startBrowser(t).open(t, pages.URL+"/page?gateway="+gateways(dev1)[0])
	isOne := func() {
		t.Helper()
		tab.until(`/tab-[a-z]+, which is this tab, is up/.test(document.querySelector("main").textContent)`)
		eventually(t, "it is one node", func() bool { return len(dev2.ups(t)) == 3 })
	}
	isNone := func() {
		t.Helper()
		eventually(t, "it has left", func() bool { return len(dev2.ups(t)) == 2 })
	}
	isOne()
	if got := eval[int](tab, "mounts"); got != 2 {
		t.Errorf("StrictMode mounts it %d times", got)
	}
	eval[any](tab, "show(false), undefined")
	isNone()
	eval[any](tab, "[true, false, true, false, true].forEach(show)") // before the first has joined
	isOne()
	eval[any](tab, "[false, true].forEach(show)") // while it is a node
	isOne()
	name := strings.TrimSpace(eval[string](tab, `/tab-[a-z]+/.exec(document.querySelector("main").textContent)[0]`))
	dev2.becomes(t, name, "up")
	eval[any](tab, "show(false), undefined")
	dev2.becomes(t, name, "left")
	isNone()
}
