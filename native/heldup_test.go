package native

import "testing"

// TestEngineIsHeldUp: who reads what a node holds is answered while its engine has no time, and what
// only that knows is left out.
func TestEngineIsHeldUp(t *testing.T) {
	n := startFake(t, serving())
	eventually(t, "the nodes", func() bool { return len(n.All()) == 2 })
	held, release := make(chan struct{}), make(chan struct{})
	go n.aside(t.Context(), func(*loop) {
		close(held)
		<-release
	})
	defer close(release)
	receive(t, "its goroutine", held)
	c := httpClient(t)
	c.Timeout = patience
	for _, path := range []string{"/v1/nodes", "/v1/nodes/dev1", "/v1/up", "/v1/owners/k", "/v1/status", "/v1/why?name=dev1", "/v1/targets", "/metrics", "/healthz"} {
		if got := ask(t, c, "GET", "http://"+n.Addr()+path, ""); got.status != 200 {
			t.Errorf("%s: %d %s", path, got.status, got.body)
		}
	}
}
