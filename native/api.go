package native

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// docs/api.md is what this file, events.go, message_api.go, question_api.go and session_api.go have to keep to.

const (
	maxBody       = 64 << 10
	answerTimeout = 30 * time.Second // for the ring to answer a change
)

func (n *Node) routes() http.Handler {
	routes := sync.OnceValue(n.mux)
	return n.meter.watched(n.guard(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.RequestURI == "*" {
			problem(w, http.StatusBadRequest, "bad-request", "the node serves paths, not *")
			return
		}
		if r.Method == http.MethodGet && r.URL.Path == "/ring" {
			n.accept(w, r)
			return
		}
		// What the mux would say in plain text is a problem here, like all others.
		mux := routes()
		if _, pattern := mux.Handler(r); pattern == "" {
			w = &plainProblem{ResponseWriter: w, path: r.URL.Path, method: r.Method}
		}
		mux.ServeHTTP(w, r)
	})))
}

// mux routes all but what peers dial: it takes as much as eight connections, and is not
// made until somebody asks.
func (n *Node) mux() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /ring", n.accept)
	mux.HandleFunc("GET /ring/why", n.getRingWhy)
	mux.HandleFunc("OPTIONS /ring/why", n.getRingWhy)
	mux.Handle("GET /v1/nodes", n.authorize(n.getNodes))
	mux.Handle("GET /v1/up", n.authorize(n.getUp))
	mux.Handle("GET /v1/nodes/{name}", n.authorize(n.getNode))
	mux.Handle("GET /v1/owners/{key...}", n.authorize(n.getOwners)) // {key} would not match %2F
	mux.Handle("POST /v1/nodes", n.authorize(n.postNode))
	mux.Handle("DELETE /v1/nodes/{name}", n.authorize(n.deleteNode))
	mux.Handle("PUT /v1/nodes/{name}/cordon", n.authorize(n.putCordon))
	mux.Handle("DELETE /v1/nodes/{name}/cordon", n.authorize(n.deleteCordon))
	mux.Handle("POST /v1/drain", n.authorize(n.postDrain))
	mux.Handle("GET /v1/tags", n.authorize(n.getTags))
	mux.Handle("PATCH /v1/tags", n.authorize(n.patchTags))
	mux.Handle("POST /v1/leave", n.authorize(n.postLeave))
	mux.Handle("GET /v1/events", n.authorize(n.getEvents))
	mux.Handle("GET /v1/messages", n.authorize(n.getMessages))
	mux.Handle("POST /v1/messages", n.authorize(n.postMessage))
	mux.Handle("POST /v1/questions", n.authorize(n.postQuestion))
	mux.Handle("GET /v1/backup", n.authorize(n.getBackup))
	mux.Handle("GET /v1/status", n.authorize(n.getStatus))
	mux.Handle("GET /v1/why", n.authorize(n.getWhy))
	mux.Handle("GET /v1/engine", n.authorize(n.getEngine))
	mux.Handle("POST /v1/engine", n.authorize(n.postEngine))
	mux.Handle("POST /v1/links", n.authorize(n.postLink))
	mux.Handle("DELETE /v1/links", n.authorize(n.deleteLinks))
	mux.HandleFunc("POST /v1/session", n.postSession) // for who has a link, and no token
	mux.HandleFunc("GET /v1/session", n.getSession)
	mux.HandleFunc("DELETE /v1/session", n.deleteSession)
	mux.Handle("GET /metrics", n.authorize(n.getMetrics))
	mux.Handle("GET /v1/targets", n.authorize(n.getTargets))
	mux.Handle("GET /v1/openapi.json", n.authorize(getOpenAPI))
	for _, method := range []string{"GET", "OPTIONS"} { // the latter is haproxy's
		mux.HandleFunc(method+" /healthz", n.getHealth)
		mux.HandleFunc(method+" /readyz", n.getReady)
	}
	if !n.cfg.NoPage {
		servePage(mux, n.keeper.Now().Secured())
	}
	return mux
}

// NodeJSON is a node in the HTTP API.
type NodeJSON struct {
	Name        string            `json:"name"`
	State       string            `json:"state"`
	Ephemeral   bool              `json:"ephemeral"`
	Cordoned    bool              `json:"cordoned"`
	Address     string            `json:"address"`
	Via         string            `json:"via"`
	Incarnation int64             `json:"incarnation"`
	Instance    string            `json:"instance"`
	Version     uint8             `json:"version"`
	Tags        map[string]string `json:"tags"`
	Since       time.Time         `json:"since,omitzero"`
	Reason      string            `json:"reason,omitempty"`       // why it is not let in
	AheadMicros int64             `json:"ahead_micros,omitempty"` // its clock, if that is the reason
}

// NodesJSON is a list of nodes in the HTTP API.
type NodesJSON struct {
	Nodes []NodeJSON `json:"nodes"`
}

func nodeJSON(n core.Node) NodeJSON {
	return NodeJSON{
		Name: n.Name, State: n.State.String(), Ephemeral: n.Ephemeral, Cordoned: n.Cordoned, Address: n.Address, Via: n.Via,
		Incarnation: n.Incarnation, Instance: formatInstance(n.Instance), Version: n.Version, Tags: mapOf(n.Tags), Since: microTime(n.Since),
	}
}

func (n *Node) nodesJSON(nodes []core.Node) NodesJSON {
	list := make([]NodeJSON, len(nodes))
	for i, node := range nodes {
		list[i] = nodeJSON(node)
	}
	return NodesJSON{n.clocks.explain(list...)}
}

// microTime is the time of Unix microseconds; the zero one of 0.
func microTime(micros int64) time.Time {
	if micros == 0 {
		return time.Time{}
	}
	return time.UnixMicro(micros).UTC()
}

func formatInstance(i wire.Instance) string {
	if i == (wire.Instance{}) {
		return ""
	}
	return fmt.Sprintf("%d-%016x", i.Start, i.Nonce)
}

func (n *Node) getNodes(w http.ResponseWriter, r *http.Request) {
	if q, ok := queryOf(w, r); ok {
		respond(w, http.StatusOK, n.nodesJSON(n.All(q.filters...)))
	}
}

func (n *Node) getUp(w http.ResponseWriter, r *http.Request) {
	if q, ok := queryOf(w, r); ok {
		respond(w, http.StatusOK, n.nodesJSON(n.Up(q.filters...)))
	}
}

func (n *Node) getNode(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	node, ok := n.Get(name)
	if !ok {
		unknownNode(w, name)
		return
	}
	respond(w, http.StatusOK, n.clocks.explain(nodeJSON(node))[0])
}

func (n *Node) getOwners(w http.ResponseWriter, r *http.Request) {
	key := r.PathValue("key")
	switch q, ok := queryOf(w, r, "n"); {
	case !ok:
	case key == "":
		problem(w, http.StatusBadRequest, "bad-request", "the key is empty: ask for /v1/owners/KEY, the key percent-encoded")
	case strings.Count(r.URL.EscapedPath(), "/") > strings.Count("/v1/owners/", "/"):
		problem(w, http.StatusBadRequest, "bad-request", "the key has a slash that is not percent-encoded: write %2F")
	default:
		respond(w, http.StatusOK, n.nodesJSON(n.Owners(key, q.count, q.filters...)))
	}
}

func (n *Node) postNode(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Name    string `json:"name"`
		Address string `json:"address"`
	}
	if !readBody(w, r, &body) {
		return
	}
	ctx, cancel := patiently(w, r)
	defer cancel()
	node, but, err := n.add(ctx, body.Name, body.Address)
	if err != nil {
		failed(w, err)
		return
	}
	added := n.clocks.explain(nodeJSON(node))[0]
	if but != "" {
		added.Reason = "no-answer"
	}
	respond(w, http.StatusCreated, added)
}

func (n *Node) deleteNode(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := patiently(w, r)
	defer cancel()
	if err := n.Del(ctx, r.PathValue("name")); err != nil {
		failed(w, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (n *Node) postLeave(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := patiently(w, r)
	defer cancel()
	if err := n.Leave(ctx); err != nil {
		failed(w, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// patiently bounds how long a change may take. The server's deadline is for
// reading a request; running into it while waiting would cancel its context.
func patiently(w http.ResponseWriter, r *http.Request) (context.Context, context.CancelFunc) {
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(answerTimeout + time.Second))
	return context.WithTimeout(r.Context(), answerTimeout)
}

func (n *Node) getStatus(w http.ResponseWriter, _ *http.Request) {
	respond(w, http.StatusOK, n.Status())
}

func (n *Node) getHealth(w http.ResponseWriter, _ *http.Request) {
	respond(w, http.StatusOK, struct {
		Status string `json:"status"`
	}{"ok"})
}

func (n *Node) getReady(w http.ResponseWriter, r *http.Request) {
	select {
	case <-n.halted:
		failed(w, ErrStopped)
		return
	default:
	}
	if why := n.unready(); why != nil {
		problem(w, http.StatusServiceUnavailable, why.code, why.means+": GET /v1/status says more")
		return
	}
	n.getHealth(w, r)
}

// readBody reads a JSON body into v. It says false if it has answered instead.
func readBody(w http.ResponseWriter, r *http.Request, v any) bool {
	if t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || t != "application/json" {
		problem(w, http.StatusUnsupportedMediaType, "unsupported-media-type", "the body must be JSON, with Content-Type: application/json")
		return false
	}
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err == nil && !utf8.Valid(b) {
		err = errors.New("it is not UTF-8") // the decoder would change it silently
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err == nil {
		err = d.Decode(v)
	}
	if err == nil {
		if _, more := d.Token(); more != io.EOF {
			err = errors.New("there is more than one value in the body")
		}
	}
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		w.Header().Set("Connection", "close") // the rest is not read
		problem(w, http.StatusRequestEntityTooLarge, "too-large", "the body is over "+strconv.Itoa(maxBody)+" bytes")
	case err != nil:
		problem(w, http.StatusBadRequest, "bad-request", "the body is not as it should be: "+err.Error())
	}
	return err == nil
}

func respond(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(v) // an error is the client's, which is gone
}

// Problem is an error in the HTTP API (RFC 9457).
type Problem struct {
	Title  string `json:"title"`
	Status int    `json:"status"`
	Code   string `json:"code"`
	Detail string `json:"detail"`
}

func problem(w http.ResponseWriter, status int, code, detail string) {
	newProblem(status, code, detail).answer(w)
}

func newProblem(status int, code, detail string) Problem {
	return Problem{http.StatusText(status), status, code, detail}
}

func (p Problem) answer(w http.ResponseWriter) {
	if watched, ok := w.(*watchedWriter); ok {
		watched.problem(p.Code)
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(p.Status)
	json.NewEncoder(w).Encode(p)
}

func unknownNode(w http.ResponseWriter, name string) {
	problem(w, http.StatusNotFound, "unknown-node", fmt.Sprintf("no node of this ring is called %q", name))
}

// failed answers with why a command failed.
func failed(w http.ResponseWriter, err error) { problemOf(err).answer(w) }

func problemOf(err error) Problem {
	var no *CommandError
	var kept *SwapError
	switch {
	case errors.As(err, &no):
		return newProblem(statusOf(no.Code), no.Code.String(), no.Error())
	case errors.As(err, &kept):
		return newProblem(http.StatusConflict, "not-swapped", err.Error())
	case errors.Is(err, ErrBroke):
		return newProblem(http.StatusInternalServerError, "engine-broke", err.Error())
	case errors.Is(err, ErrNotWritten):
		return newProblem(http.StatusInternalServerError, "not-written", err.Error())
	case errors.Is(err, ErrStopped), errors.Is(err, ErrRemoved), errors.Is(err, ErrNameTaken):
		return newProblem(http.StatusServiceUnavailable, "halting", err.Error())
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return newProblem(http.StatusGatewayTimeout, "timeout", "no answer in time; the change may still happen")
	case errors.Is(err, ErrUncordoned):
		return newProblem(http.StatusConflict, "uncordoned", err.Error())
	}
	return newProblem(http.StatusInternalServerError, "internal", err.Error())
}

func statusOf(code wire.Code) int {
	switch code {
	case wire.CodeInvalid:
		return http.StatusBadRequest
	case wire.CodeUnknown:
		return http.StatusNotFound
	case wire.CodeHalting:
		return http.StatusServiceUnavailable
	case wire.CodeLost, wire.CodeRefused, wire.CodeUnreachable, wire.CodeSlow, wire.CodeUntrusted:
		return http.StatusBadGateway
	}
	return http.StatusConflict
}

// plainProblem makes a problem of what the mux says of unknown paths and methods.
type plainProblem struct {
	http.ResponseWriter
	path, method string
	said         bool
}

func (p *plainProblem) WriteHeader(status int) {
	p.said = true
	switch status {
	case http.StatusNotFound:
		problem(p.ResponseWriter, status, "not-found", "there is nothing at "+p.path)
	case http.StatusMethodNotAllowed:
		problem(p.ResponseWriter, status, "method-not-allowed", p.path+" does not take "+p.method+", but "+p.Header().Get("Allow"))
	default:
		p.said = false
		p.ResponseWriter.WriteHeader(status)
	}
}

func (p *plainProblem) Write(b []byte) (int, error) {
	if p.said {
		return len(b), nil
	}
	return p.ResponseWriter.Write(b)
}
