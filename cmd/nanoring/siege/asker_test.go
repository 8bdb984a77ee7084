//go:build linux

package siege

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nanoring/nanoring/native/trust"
)

// asker is an operator, or an honest reader, who asks nodes in turn, over https, each time on a new
// connection, as the command line does.
type asker struct {
	client *http.Client
	token  string
	mu     sync.Mutex
	from   time.Time // of the last since
	took   []took    // since then
	failed map[string]int
}

func (r *ring) asks(role string, every time.Duration) *asker {
	o := &asker{from: time.Now(), token: r.token(trust.Token{Role: role}), failed: make(map[string]int)}
	o.client = &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		ticker := time.NewTicker(every)
		defer ticker.Stop()
		for i := 0; ; i++ {
			path := []string{"/v1/status", "/v1/nodes", "/v1/why?name=tab-0"}[i%3]
			n := r.nodes[i%len(r.nodes)]
			wg.Go(func() { o.ask(ctx, n, path) })
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
		}
	})
	r.Cleanup(func() {
		cancel()
		wg.Wait()
	})
	return o
}

func (o *asker) ask(ctx context.Context, n *node, path string) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+n.addr+path, nil)
	if err != nil {
		panic(err)
	}
	req.Header.Set("Authorization", "Bearer "+o.token)
	at, how, waited, own := time.Now(), "", n.waited(), waitedOf(os.Getpid())
	var connected, greeted atomic.Int64 // ms after that, for who wants to know what an answer waited for
	since := func(of *atomic.Int64) { of.Store(time.Since(at).Milliseconds()) }
	req = req.WithContext(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		ConnectDone:      func(_, _ string, _ error) { since(&connected) },
		TLSHandshakeDone: func(tls.ConnectionState, error) { since(&greeted) },
	}))
	resp, err := o.client.Do(req)
	if err == nil {
		_, err = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			how = fmt.Sprintf("%s at %s: %s", path, n.name, resp.Status)
		}
	}
	if err != nil {
		text := err.Error()
		how = fmt.Sprintf("at %s: %s", n.name, text[strings.LastIndex(text, ": ")+2:])
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if ctx.Err() != nil {
		return
	}
	what := fmt.Sprintf("%s at %s, connected after %d ms, greeted after %d; %.1f s after the first; threads waited for a processor, in sum: the node's %d ms, who asks %d",
		path, n.name, connected.Load(), greeted.Load(), at.Sub(o.from).Seconds(), (n.waited() - waited).Milliseconds(), (waitedOf(os.Getpid()) - own).Milliseconds())
	if o.took = append(o.took, took{time.Since(at), what}); how != "" {
		o.failed[how]++
	}
}

// took is how long an answer took, and to what.
type took struct {
	time.Duration
	what string
}

// answers is how an asker was answered.
type answers struct {
	count, failed      int
	median, p99, worst time.Duration
	of                 string // what the worst was of
	how                map[string]int
}

// since returns how it was answered since the last call.
func (o *asker) since() answers {
	o.mu.Lock()
	defer o.mu.Unlock()
	slices.SortFunc(o.took, func(a, b took) int { return cmp.Compare(a.Duration, b.Duration) })
	a := answers{count: len(o.took), how: o.failed}
	for _, n := range o.failed {
		a.failed += n
	}
	if a.count > 0 {
		a.median, a.p99, a.worst = o.took[a.count/2].Duration, o.took[a.count*99/100].Duration, o.took[a.count-1].Duration
		a.of = o.took[a.count-1].what
	}
	o.from, o.took, o.failed = time.Now(), nil, make(map[string]int)
	return a
}
