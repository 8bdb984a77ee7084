package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/nanoring/nanoring/native"
	"github.com/nanoring/nanoring/native/trust"
	"github.com/spf13/cobra"
)

// A node says itself after 30 seconds that a change takes too long, and what it knows at once.
const (
	callTimeout = 35 * time.Second
	lookTimeout = mostSilence * time.Second

	streamLife = 30 * 24 * time.Hour // of the token by which a stream is heard, which ends with it
)

// client speaks to a running node: docs/api.md.
type client struct {
	http  http.Client
	base  string                 // URL
	where string                 // for people
	data  string                 // the data folder; empty over HTTP
	ca    string                 // the file of the CAs that it believes, and no others; empty for those of the machine
	token func() (string, error) // for it; nil for none
	tick  time.Duration          // of which a stream may be silent for some; 0 is a second
	most  int                    // bytes of an answer; 0 is mostAnswer
}

// client returns the client that the flags ask for. Flags beat the environment.
func (o *options) client(cmd *cobra.Command) (*client, error) {
	if o.api != "" && (cmd.Flag("api").Changed || !cmd.Flag("data").Changed) {
		u, err := url.Parse(o.api)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return nil, usage(cmd, fmt.Errorf("--api %s is no URL like http://127.0.0.1:7946", o.api))
		}
		c := &client{base: strings.TrimSuffix(o.api, "/"), where: o.api}
		return c, o.authenticate(cmd, c, u)
	}
	if o.data == "" {
		return nil, usage(cmd, errors.New("no data folder: say where the node's is with --data"))
	}
	return socketClient(o.data), nil
}

// authenticate lets a client speak to a node over HTTP: by a token that it was
// given, or one that it signs with the ring's secret.
func (o *options) authenticate(cmd *cobra.Command, c *client, u *url.URL) error {
	secrets, err := o.secrets()
	if err != nil {
		return usage(cmd, err)
	}
	if secrets != nil {
		c.token = func() (string, error) {
			return secrets[0].Sign(trust.Token{Ring: o.ring, Role: trust.RoleOperator, Expires: time.Now().Add(cmp.Or(o.tokenLife, time.Minute))})
		}
	}
	token, err := o.givenToken()
	if err != nil {
		return usage(cmd, err)
	}
	if token != "" {
		c.token = func() (string, error) { return token, nil }
	}
	if c.token != nil && u.Scheme == "http" && !onThisMachine(u.Hostname()) {
		return plainToken(cmd, u)
	}
	// No node sends anybody elsewhere, and a token would go along, over http, too.
	c.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	if u.Scheme == "https" {
		return o.verify(cmd, c, u.Hostname(), secrets)
	}
	return nil
}

func socketClient(data string) *client {
	return &client{
		base:  "http://localhost",
		where: data,
		data:  data,
		http: http.Client{Transport: &http.Transport{
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return native.DialSocket(ctx, data)
			},
		}},
	}
}

// call asks and returns the body of the answer.
func (c *client) call(ctx context.Context, method, path string, body any) ([]byte, error) {
	patience := callTimeout
	if method == http.MethodGet {
		patience = lookTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	res, err := c.open(ctx, method, path, body)
	if err != nil {
		return nil, err
	}
	defer res.Close()
	b, err := io.ReadAll(c.bound(res))
	if err != nil {
		return nil, c.noNode(err)
	}
	return b, nil
}

// wasm is a body that is a module, and not JSON.
type wasm []byte

// open asks and returns the body of the answer, to be read as it comes.
func (c *client) open(ctx context.Context, method, path string, body any) (io.ReadCloser, error) {
	var content io.Reader
	kind := "application/json"
	if module, ok := body.(wasm); ok {
		content, kind = bytes.NewReader(module), "application/wasm"
	} else if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		content = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, content)
	if err != nil {
		return nil, err
	}
	if body != nil {
		req.Header.Set("Content-Type", kind)
	}
	if c.token != nil {
		token, err := c.token()
		if err != nil {
			return nil, err
		}
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := c.http.Do(req)
	if err != nil {
		return nil, c.noNode(err)
	}
	if res.StatusCode < 300 {
		return res.Body, nil
	}
	defer res.Body.Close()
	var problem struct {
		Code   string `json:"code"`
		Title  string `json:"title"`
		Detail string `json:"detail"`
	}
	b, _ := io.ReadAll(io.LimitReader(res.Body, 64<<10))
	if json.Unmarshal(b, &problem) != nil || problem.Code == "" {
		return nil, &failure{exitNoNode, fmt.Errorf("%s answers %s: that is no node", c.where, res.Status), ""}
	}
	if problem.Detail == "" {
		problem.Detail = problem.Title
	}
	return nil, &failure{status: exitRefused, err: &refusal{problem.Code, problem.Detail}, hint: hints[problem.Code]}
}

// refusal is why a node said no.
type refusal struct{ code, detail string }

func (r *refusal) Error() string { return r.detail }

// stream asks for server-sent events, and tells the data of each, one line, until ctx or the node ends.
func (c *client) stream(ctx context.Context, path string, tell func(data string) error) error {
	ctx, heard, cancel := untilSilent(ctx, cmp.Or(c.tick, time.Second))
	defer cancel()
	events, err := c.open(ctx, http.MethodGet, path, nil)
	if err != nil {
		return cmp.Or(c.silent(ctx), err)
	}
	defer events.Close()
	for lines := c.byLine(events); ; {
		line, err := lines.next()
		if err != nil {
			return cmp.Or(c.silent(ctx), c.ended(err))
		}
		heard()
		if data, ok := strings.CutPrefix(string(line), "data: "); ok {
			if err := tell(data); err != nil {
				return err
			}
			heard() // it may have taken its time
		}
	}
}

// ended says that an answer that comes in lines is over before its time.
func (c *client) ended(err error) error {
	if errors.Is(err, errEndless) || errors.Is(err, context.DeadlineExceeded) {
		return c.noNode(err)
	}
	return &failure{exitNoNode, fmt.Errorf("the node at %s has ended", c.where), ""}
}

// hints are what to do about what a node says no to, by its code.
var hints = map[string]string{
	"unauthorized": "Where the ring's secret is, say --secret-file; elsewhere --token-file, which nanoring token --out writes there.",
	"unknown-node": "'nanoring all' lists those that there are.",
	"clock-skew":   "Nodes let each other in whose clocks agree to within a minute: run NTP on all hosts. 'nanoring status' says whose clock is off by how much.",
}

// noNode says that no node answers, and what to do about it.
func (c *client) noNode(err error) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	if errors.Is(err, errEndless) {
		return &failure{exitNoNode, fmt.Errorf("the node at %s is none: %w", c.where, err), "Is that its address, or that of something else, or is there a proxy in between?"}
	}
	var no *trust.Error
	if errors.As(err, &no) {
		return &failure{exitNoNode, fmt.Errorf("the node at %s is not to be trusted: %w", c.where, no), ""}
	}
	var bad *tls.CertificateVerificationError
	if errors.As(err, &bad) {
		return &failure{exitNoNode, fmt.Errorf("the node at %s is not to be trusted: %w", c.where, bad.Err), c.certificateHint(bad)}
	}
	if errors.Is(err, http.ErrSchemeMismatch) {
		return &failure{exitNoNode, fmt.Errorf("the node at %s speaks HTTP without TLS", c.where), "Say --api http://… instead."}
	}
	var dial *net.OpError
	if !errors.As(err, &dial) || dial.Op != "dial" {
		return &failure{exitNoNode, fmt.Errorf("the node at %s stopped answering: %w", c.where, cause(err)), ""}
	}
	hint := "Is it running, and is that its address?"
	if c.data != "" {
		hint = startHint(c.data)
	}
	if errors.Is(err, native.ErrNoSockets) {
		hint = "Say where it listens instead: --api http://HOST:PORT, or https:// if the ring has a secret."
	}
	if !errors.Is(err, fs.ErrNotExist) && !native.IsRefused(err) {
		return &failure{exitNoNode, fmt.Errorf("no node answers at %s: %w", c.where, cause(err)), hint}
	}
	return &failure{exitNoNode, fmt.Errorf("no node answers at %s", c.where), hint}
}

// cause leaves the URL out of an HTTP client's error: its host is made up when
// it goes through a socket.
func cause(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}
