package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
	"github.com/nanoring/nanoring/host"
)

// poisonous builds the module with a received that goes wrong if a frame says so.
func poisonous(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	source := filepath.Join(root, "wasm", "input.go")
	b, err := os.ReadFile(source)
	if err != nil {
		t.Fatal(err)
	}
	const head = "func received(mono, wall int64, conn uint64, frame string) {\n"
	changed := strings.Replace(string(b), head, head+`
	switch frame {
	case "trap":
		panic("poison")
	case "loop":
		for n := mono; n != 0; n = n*5 | 1 {
		}
	case "grow":
		for all := [][]byte(nil); ; {
			all = append(all, make([]byte, 1<<20))
		}
	}
`, 1)
	if changed == string(b) {
		t.Fatal("wasm/input.go has no " + head)
	}
	dir := t.TempDir()
	write := func(name string, b []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {source: write("input.go", []byte(changed))}})
	if err != nil {
		t.Fatal(err)
	}
	module := filepath.Join(dir, "poisonous.wasm")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-overlay", write("overlay.json", overlay),
		"-trimpath", "-buildvcs=false", "-buildmode=c-shared", "-ldflags=-s -w", "-o", module, "./wasm")
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "GOEXPERIMENT=nogreenteagc") // as make module
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return module
}

// TestPoison swaps a module into a running node that traps, loops or takes all
// memory when a frame says so: each costs the node the connection that brought it,
// and nothing else, four times in a minute. To the other node it is never down.
func TestPoison(t *testing.T) {
	t.Parallel()
	module := poisonous(t)
	ns := unwatchedNodes(t)
	b, err := os.ReadFile(module)
	if err != nil {
		t.Fatal(err)
	}
	if err := warm(filepath.Join(ns.dir, "dev1")); err != nil {
		t.Fatal(err)
	}
	e, err := host.New(t.Context(), host.Config{Node: core.Config{Ring: "ring", Name: "node"}, Module: b, Cache: filepath.Join(ns.dir, "dev1", "cache")})
	if err != nil { // the race detector makes compiling slow, and a swap does not wait for so long
		t.Fatal(err)
	}
	e.Close()
	dev1 := ns.mustStart(t, "dev1", "", "--engine", "wasm")
	dev2 := ns.mustStart(t, "dev2", "", "--join", dev1.addr, "--patience", "30s", "--period", "1s") // a second of a processor is long on a busy machine
	eventually(t, "they are one ring", func() bool { return dev1.isUp(t, "dev1", "dev2") && dev2.isUp(t, "dev1", "dev2") })
	about := func() (e engine) {
		b, err := dev1.client.call(t.Context(), "GET", pathEngine, nil)
		if err == nil {
			err = decode(b, &e)
		}
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	builtin := about()
	if _, err := dev1.client.call(t.Context(), "POST", pathEngine, wasm(b[:len(b)/2])); err == nil || !strings.Contains(err.Error(), "cannot be run") {
		t.Errorf("half of a module: %v", err)
	}
	if _, err := dev1.client.call(t.Context(), "POST", pathEngine, wasm(b)); err != nil {
		t.Fatal(err)
	}
	if now := about(); now.Builtin || now.Module == builtin.Module || now.Module == "" || now.Traps != 0 {
		t.Errorf("%+v", now)
	}
	for i, poison := range []string{"trap", "loop", "grow", "trap"} {
		ws, _, err := websocket.Dial(t.Context(), "ws://"+dev1.addr+"/ring", &websocket.DialOptions{Subprotocols: []string{"nanoring.v1"}})
		if err != nil {
			t.Fatal(err)
		}
		defer ws.CloseNow()
		if err := ws.Write(t.Context(), websocket.MessageBinary, []byte(poison)); err != nil {
			t.Fatal(err)
		}
		if _, _, err := ws.Read(t.Context()); websocket.CloseStatus(err) != websocket.StatusCode(wire.CodeBadFrame) {
			t.Errorf("%s: its connection ends with %v", poison, err)
		}
		if now := about(); now.Traps != i+1 || now.LastTrap == "" {
			t.Errorf("%s: %+v", poison, now)
		}
	}
	if !dev1.isUp(t, "dev1", "dev2") || !dev2.isUp(t, "dev1", "dev2") {
		t.Error("they are no ring any more")
	}
	if strings.Contains(dev2.printed(), "node is down") { // suspect it may be, for the second that it looped
		t.Errorf("dev2 noticed:\n%s", dev2.printed())
	}
	if strings.Count(dev1.printed(), "the engine was started again") != 4 || !strings.Contains(dev1.printed(), "does not come to an end: over 1s") {
		t.Errorf("dev1 says\n%s", dev1.printed())
	}
}
