//go:build linux

package network

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// process is a node, running on a host.
type process struct {
	cmd    *exec.Cmd
	data   string
	log    string       // what it printed and logged
	client *http.Client // of its Unix socket, which is in no network
	ended  chan struct{}
	unseen chan struct{} // its events are over, if somebody watches them
}

// start starts a node on a host, and waits until it answers.
func (n *network) start(h *host, flags ...string) {
	n.t.Helper()
	n.startWith(h, []string{os.Getenv(inside)}, nil, flags...)
}

func (n *network) startWith(h *host, command, env []string, flags ...string) {
	n.t.Helper()
	data := n.dataOf(h)
	args := append([]string{"--net=" + h.namespace(), "--"}, command...)
	args = append(args, "node", "--name", h.name, "--listen", h.listen(), "--data", data, "--page=false")
	if n.secret == "" {
		args = append(args, "--insecure")
	} else {
		args = append(args, "--secret-file", n.secret)
	}
	cmd := exec.Command("nsenter", slices.Concat(args, n.flags, flags)...)
	cmd.Env = append(os.Environ(), env...)
	n.begin(h, data, cmd)
}

// begin has a command be a host's node, and waits until it answers.
func (n *network) begin(h *host, data string, cmd *exec.Cmd) {
	n.t.Helper()
	p := &process{cmd: cmd, data: data, log: data + ".log", client: clientOf(data), ended: make(chan struct{})}
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		n.t.Fatal(err)
	}
	defer log.Close()
	p.cmd.Stdout, p.cmd.Stderr = log, log
	if err := p.cmd.Start(); err != nil {
		n.t.Fatal(err)
	}
	go func() {
		p.cmd.Wait()
		close(p.ended)
	}()
	h.node = p
	n.t.Cleanup(func() { n.kill(h) })
	n.until(h.name+" answers", func() string {
		select {
		case <-p.ended:
			n.t.Fatalf("%s ended: %s\n%s", h.name, p.cmd.ProcessState, n.logOf(h))
		default:
		}
		if _, err := p.do(http.MethodGet, "/v1/status", nil, new(any)); err != nil {
			return err.Error()
		}
		return ""
	})
	n.witness.watch(h)
}

func (n *network) dataOf(h *host) string { return filepath.Join(n.dir, h.name) }

// clientOf returns a client of the node with that data folder.
func clientOf(data string) *http.Client {
	return &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", filepath.Join(data, "api.sock"))
	}}}
}

// ring starts a node on each host, and waits until all show all up.
func (n *network) ring() {
	n.t.Helper()
	for i, h := range n.hosts {
		n.start(h, n.joins(i)...)
	}
	n.until("all show all up", n.wrong)
}

// joins returns the flags by which the node of host i joins the first.
func (n *network) joins(i int) []string {
	if i == 0 {
		return nil
	}
	return []string{"--join", n.hosts[0].listen()}
}

// kill ends a node at once. What it showed it shows no more.
func (n *network) kill(h *host) {
	h.node.cmd.Process.Signal(syscall.SIGKILL)
	<-h.node.ended
	if h.node.unseen != nil {
		<-h.node.unseen
	}
	n.witness.forget(h)
}

// do sends a request to the node and decodes the answer. A status over 299 is no error.
func (p *process) do(method, path string, body, answer any) (int, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience())
	defer cancel()
	return p.ask(ctx, method, path, body, answer)
}

func (p *process) ask(ctx context.Context, method, path string, body, answer any) (int, error) {
	b, err := json.Marshal(body)
	if err != nil {
		return 0, err
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://localhost"+path, bytes.NewReader(b))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := p.client.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	b, err = io.ReadAll(resp.Body)
	if err != nil || len(b) == 0 {
		return resp.StatusCode, err
	}
	return resp.StatusCode, json.Unmarshal(b, answer)
}

// add adds a member through a node, and says whether the node took it.
func (n *network) add(h *host, name string) (bool, string) {
	n.t.Helper()
	var answer struct{ Detail string }
	status, err := h.node.do(http.MethodPost, "/v1/nodes", map[string]string{"name": name, "address": "127.0.0.1:1"}, &answer)
	if err != nil {
		n.t.Fatal(err)
	}
	return status == http.StatusCreated, answer.Detail
}

// del deletes a member through a node.
func (n *network) del(h *host, name string) {
	n.t.Helper()
	var answer struct{ Detail string }
	if status, err := h.node.do(http.MethodDelete, "/v1/nodes/"+name, nil, &answer); err != nil || status > 299 {
		n.t.Fatalf("%s does not delete %s: %d, %s, %v", h.name, name, status, answer.Detail, err)
	}
}

// members returns the names of all that belong to the ring, as a node sees it.
func (n *network) members(h *host) []string {
	n.t.Helper()
	var answer struct{ Nodes []struct{ Name string } }
	if _, err := h.node.do(http.MethodGet, "/v1/nodes", nil, &answer); err != nil {
		n.t.Fatal(err)
	}
	var s []string
	for _, m := range answer.Nodes {
		s = append(s, m.Name)
	}
	return s
}

// known waits until all hosts' nodes know the members.
func (n *network) known(members ...string) {
	n.t.Helper()
	n.until("all know "+strings.Join(members, " "), func() string {
		for _, h := range n.hosts {
			have := n.members(h)
			for _, m := range members {
				if !slices.Contains(have, m) {
					return fmt.Sprintf("%s does not know %s", h.name, m)
				}
			}
		}
		return ""
	})
}

// unknown waits until no host's node knows the members.
func (n *network) unknown(members ...string) {
	n.t.Helper()
	n.until("none knows "+strings.Join(members, " "), func() string {
		for _, h := range n.hosts {
			have := n.members(h)
			for _, m := range members {
				if slices.Contains(have, m) {
					return fmt.Sprintf("%s knows %s", h.name, m)
				}
			}
		}
		return ""
	})
}

func (n *network) logOf(h *host) string {
	b, err := os.ReadFile(h.node.log)
	if err != nil {
		n.t.Fatal(err)
	}
	return string(b)
}
