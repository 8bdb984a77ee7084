package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"
)

// TestDoctorAsksAtOnce: the doctor has all its questions under way together, so that who does not answer is waited
// for once. The node here answers none before it was asked all.
func TestDoctorAsksAtOnce(t *testing.T) {
	t.Parallel()
	const questions = 3
	asked := make(map[string]bool)
	all := make(chan bool)
	var mu sync.Mutex
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			io.WriteString(w, `{"nodes":[]}`)
			return
		}
		var question struct{ Topic string }
		json.NewDecoder(r.Body).Decode(&question)
		mu.Lock()
		if asked[question.Topic] = true; len(asked) == questions {
			close(all)
		}
		mu.Unlock()
		select {
		case <-all:
		case <-time.After(inquireTime / 2):
			t.Errorf("%s was asked, and the others not before it was answered", question.Topic)
		}
		io.WriteString(w, "{\"kind\":\"done\"}\n")
	}))
	defer s.Close()
	c := &client{base: s.URL, where: s.URL}
	if _, _, err := c.examine(t.Context()); err != nil {
		t.Error(err)
	}
}
