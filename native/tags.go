package native

import (
	"context"
	"net/http"
	"slices"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// SetTags sets some of this node's own tags, and drops others. All nodes hear of it at
// once. It returns when the change is on disk: it survives the process, but a tag
// that is in the next one's Config is as it is there, and one that is both set and
// dropped is not kept for it. A *CommandError of
// wire.CodeInvalid says how long the tags would be, and may be.
func (n *Node) SetTags(ctx context.Context, set map[string]string, drop ...string) error {
	c := core.Command{Op: core.SetTags, Drop: drop}
	for key, value := range set {
		if err := checkKey(key); err != nil {
			return &CommandError{Code: wire.CodeInvalid, Text: err.Error()}
		}
		c.Tags = append(c.Tags, wire.Tag{Key: key, Value: value})
	}
	_, err := n.do(ctx, c)
	return err
}

// TagsJSON is a node's own tags in the HTTP API.
type TagsJSON struct {
	Tags  map[string]string `json:"tags"`
	Given map[string]string `json:"given"` // those that it started with, and will start with again
}

func (n *Node) getTags(w http.ResponseWriter, _ *http.Request) {
	own, _ := n.Get(n.cfg.Name)
	respond(w, http.StatusOK, TagsJSON{mapOf(own.Tags), n.given()})
}

// patchTags takes a merge patch (RFC 7396) of the tags.
func (n *Node) patchTags(w http.ResponseWriter, r *http.Request) {
	var body map[string]*string
	if !readBody(w, r, &body) {
		return
	}
	set, drop := make(map[string]string), []string(nil)
	for key, value := range body {
		if value == nil {
			drop = append(drop, key)
		} else {
			set[key] = *value
		}
	}
	slices.Sort(drop)
	ctx, cancel := patiently(w, r)
	defer cancel()
	if err := n.SetTags(ctx, set, drop...); err != nil {
		failed(w, err)
		return
	}
	n.getTags(w, r)
}

func mapOf(tags []wire.Tag) map[string]string {
	m := make(map[string]string, len(tags))
	for _, t := range tags {
		m[t.Key] = t.Value
	}
	return m
}
