package native

import (
	"context"
	"time"

	"github.com/nanoring/nanoring/core"
)

// AboutJSON is what a node says of itself to who looks over the whole ring.
type AboutJSON struct {
	Name       string           `json:"name"`
	Clock      time.Time        `json:"clock"`
	Version    string           `json:"version"`
	Protocol   uint8            `json:"protocol"`
	Engine     string           `json:"engine"`
	Module     string           `json:"module,omitempty"` // SHA-256 of a sandboxed one's
	Secrets    []string         `json:"secrets"`          // their ids, the one that it signs with first
	Settings   map[string]int64 `json:"settings"`         // microseconds, but for max_guests
	DiskFree   uint64           `json:"disk_free"`        // bytes where the data is; 0 for unknown
	Members    int              `json:"members"`
	Conditions []Condition      `json:"conditions"`
	Links      []LinkJSON       `json:"links"`
	More       int              `json:"more,omitempty"` // links that did not fit
}

func (n *Node) answerNode(ctx context.Context) (any, error) {
	s := n.Status()
	a := AboutJSON{
		Name: s.Name, Clock: n.cfg.Clock().UTC(), Secrets: s.Keys, DiskFree: diskFree(s.Data), Members: s.Members,
		Conditions: s.Conditions, Links: []LinkJSON{},
	}
	if a.Secrets == nil {
		a.Secrets = []string{}
	}
	err := n.aside(ctx, func(l *loop) {
		e := l.engineStatus()
		a.Version, a.Protocol, a.Engine, a.Module, a.Settings = e.Version, e.Protocol, e.Engine, e.Module, settingsOf(l.config)
	})
	if err != nil {
		return nil, err
	}
	links, err := n.links(ctx)
	if err != nil {
		return nil, err
	}
	all := []LinkJSON{}
	for i := range links {
		all = append(all, links[i].json())
	}
	fit := fitting(all, lengthOf(a)+100)
	a.Links, a.More = all[:fit], len(all)-fit
	return a, nil
}

// settingsOf are those of the engine, by the names of docs/abi.md.
func settingsOf(c core.Config) map[string]int64 {
	or := func(v, usual int64) int64 {
		if v == 0 {
			return usual
		}
		return v
	}
	return map[string]int64{
		"period": or(c.Period, core.Second), "ack-timeout": or(c.AckTimeout, core.Second/2), "patience": or(c.Patience, 4*core.Second),
		"removal-grace": or(c.RemovalGrace, 10*core.Second), "reap-after": c.ReapAfter, "max-guests": int64(c.MaxGuests),
	}
}
