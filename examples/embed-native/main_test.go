package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

const patience = 60 * time.Second

// TestTwo runs two of the servers: they join, agree on who owns a key, and serve
// the ring's page under its path.
func TestTwo(t *testing.T) {
	app1 := serve(t, "app1", "")
	app2 := serve(t, "app2", app1)
	for _, addr := range []string{app1, app2} {
		for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
			up := get(t, addr, "/cluster/v1/up")
			if strings.Contains(up, `"app1"`) && strings.Contains(up, `"app2"`) {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("%s shows %s", addr, up)
			}
		}
	}
	if owner := get(t, app1, "/owner/user:42"); owner != get(t, app2, "/owner/user:42") || !strings.HasPrefix(owner, "app") {
		t.Errorf("they do not agree that %q owns it", owner)
	}
	if page := get(t, app1, "/cluster/"); !strings.Contains(page, `src="page.js"`) {
		t.Errorf("no page: %s", page)
	}
	if file := get(t, app1, "/cluster/nanoring.js"); !strings.Contains(file, "export") {
		t.Errorf("no nanoring.js: %s", file)
	}
}

// serve runs a server until the test ends, and returns where it listens.
func serve(t *testing.T, name, join string) (addr string) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	says, out := io.Pipe()
	ended := make(chan error, 1)
	data := t.TempDir()
	go func() {
		err := run(ctx, out, name, "127.0.0.1:0", data, join)
		out.CloseWithError(err)
		ended <- err
	}()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("%s: %v", name, err)
		}
	})
	line, err := bufio.NewReader(says).ReadString('\n')
	if _, scan := fmt.Sscanf(line, name+" runs at http://%s", &addr); err != nil || scan != nil {
		t.Fatalf("it says %q (%v)", line, err)
	}
	return strings.TrimSuffix(addr, "/,")
}

func get(t *testing.T, addr, path string) string {
	t.Helper()
	r, err := http.Get("http://" + addr + path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil || r.StatusCode != http.StatusOK {
		t.Fatalf("%s%s: %s %s (%v)", addr, path, r.Status, b, err)
	}
	return string(b)
}
