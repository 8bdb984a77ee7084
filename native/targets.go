package native

import (
	"net/http"
	"strings"
)

// TargetJSON is a group of targets as Prometheus' HTTP service discovery takes it.
type TargetJSON struct {
	Targets []string          `json:"targets"`
	Labels  map[string]string `json:"labels"`
}

// getTargets lists the durable nodes of the ring that have an address, whatever their state:
// who scrapes is to see that one is down.
func (n *Node) getTargets(w http.ResponseWriter, r *http.Request) {
	q, ok := queryOf(w, r)
	if !ok {
		return
	}
	all := []TargetJSON{}
	for _, node := range n.All(q.filters...) {
		if node.Ephemeral || node.Address == "" {
			continue
		}
		labels := map[string]string{
			"__meta_nanoring_name": node.Name, "__meta_nanoring_ring": n.cfg.Ring, "__meta_nanoring_state": node.State.String(),
		}
		if node.Cordoned {
			labels["__meta_nanoring_cordoned"] = "true"
		}
		for _, tag := range node.Tags {
			labels["__meta_nanoring_tag_"+labelName(tag.Key)] = tag.Value
		}
		all = append(all, TargetJSON{[]string{node.Address}, labels})
	}
	respond(w, http.StatusOK, all)
}

// labelName makes part of a label's name of a tag's key: what may not be there is "_".
func labelName(key string) string {
	return strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' {
			return c
		}
		return '_'
	}, key)
}
