package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// member is a node as the API has it.
type member struct {
	Name        string            `json:"name"`
	State       string            `json:"state"`
	Ephemeral   bool              `json:"ephemeral"`
	Cordoned    bool              `json:"cordoned"`
	Address     string            `json:"address"`
	Via         string            `json:"via"`
	Incarnation int64             `json:"incarnation"`
	Tags        map[string]string `json:"tags"`
	Since       time.Time         `json:"since"`
	Reason      string            `json:"reason"`
	Ahead       int64             `json:"ahead_micros"`
}

// where says where the node is dialled, or through whom it is reached.
func (m *member) where() string {
	if m.Address == "" && m.Via != "" {
		return "via " + m.Via
	}
	return orDash(m.Address)
}

// since is when its state began as far as the node that is asked knows, in local time.
func (m *member) since() string {
	if m.Since.IsZero() {
		return "-"
	}
	return m.Since.Local().Format(time.DateTime)
}

func (m *member) up() bool { return m.State == "up" || m.State == "suspect" }

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// status is how a node says that it is doing.
type status struct {
	Name        string    `json:"name"`
	Ring        string    `json:"ring"`
	Address     string    `json:"address"`
	Started     time.Time `json:"started"`
	Data        string    `json:"data"`
	Members     int       `json:"members"`
	Up          int       `json:"up"`
	Connections int       `json:"connections"`
	LogLost     uint64    `json:"log_lost"`
	Keys        []string  `json:"keys"`
	Secured     bool      `json:"secured"`
	Messages    talk      `json:"messages"`
	Clocks      []clock   `json:"clocks"`
	Join        joining   `json:"join"`

	Conditions    []condition `json:"conditions"`
	OwnClockSince time.Time   `json:"own_clock_since"`
}

// condition is something about a node that an operator should know, as the API has it.
type condition struct {
	Code     string `json:"code"`
	Severity string `json:"severity"`
	Text     string `json:"text"`
	Do       string `json:"do"`
}

const (
	pathNodes  = "/v1/nodes"
	pathUp     = "/v1/up"
	pathOwners = "/v1/owners"
	pathTags   = "/v1/tags"
	pathDrain  = "/v1/drain"
	pathStatus = "/v1/status"
	pathLeave  = "/v1/leave"
	pathEvents = "/v1/events"
	pathEngine = "/v1/engine"
	pathBackup = "/v1/backup"
	pathWhy    = "/v1/why"
	pathLinks  = "/v1/links"

	pathMessages  = "/v1/messages"
	pathQuestions = "/v1/questions"
)

// members returns the nodes that a path like pathUp has.
func (c *client) members(ctx context.Context, path string) ([]member, error) {
	b, err := c.call(ctx, http.MethodGet, path, nil)
	if err != nil {
		return nil, err
	}
	list := struct {
		Nodes []member `json:"nodes"`
	}{Nodes: []member{}}
	err = decode(b, &list)
	return list.Nodes, err
}

func (c *client) status(ctx context.Context) (status, error) {
	var s status
	b, err := c.call(ctx, http.MethodGet, pathStatus, nil)
	if err == nil {
		err = decode(b, &s)
	}
	return s, err
}

func (c *client) add(ctx context.Context, name, address string) ([]byte, error) {
	return c.call(ctx, http.MethodPost, pathNodes, struct {
		Name    string `json:"name,omitempty"`
		Address string `json:"address"`
	}{name, address})
}

func (c *client) del(ctx context.Context, name string) error {
	_, err := c.call(ctx, http.MethodDelete, pathNodes+"/"+segment(name), nil)
	return err
}

// setCordon cordons a node, or ends that, and returns it.
func (c *client) setCordon(ctx context.Context, on bool, name string) ([]byte, error) {
	method := http.MethodPut
	if !on {
		method = http.MethodDelete
	}
	return c.call(ctx, method, pathNodes+"/"+segment(name)+"/cordon", nil)
}

// segment escapes what stands between two slashes of a path. A dot is escaped as
// well, or ".." would lead elsewhere.
func segment(s string) string {
	return strings.ReplaceAll(url.PathEscape(s), ".", "%2E")
}

func decode(b []byte, to any) error {
	if err := json.Unmarshal(b, to); err != nil {
		return fmt.Errorf("the node's answer is not understood: %w: is it of another version?", err)
	}
	return nil
}
