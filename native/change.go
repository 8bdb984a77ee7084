package native

import (
	"context"
	"fmt"
	"slices"

	"github.com/nanoring/nanoring/core/wire"
)

// Live is what of a Config may change while its node runs.
type Live struct {
	Tags         []wire.Tag
	AllowOrigins []string
	Join         []string
	Hosts        []string
}

func (c *Config) live() *Live { return &Live{c.Tags, c.AllowOrigins, c.Join, c.Hosts} }

// Change has the node run on with other settings, and reads its secret and certificates
// again. A *ConfigError, or another, says why nothing of all that has changed. Tags that
// were set while it ran, and are not among those that change, stay as they are.
func (n *Node) Change(ctx context.Context, to Live) error {
	n.changing.Lock()
	defer n.changing.Unlock()
	c, was := n.cfg, mapOf(n.live.Load().Tags)
	c.Tags, c.AllowOrigins, c.Join, c.Hosts = to.Tags, to.AllowOrigins, to.Join, to.Hosts
	for _, check := range []func() error{c.publish, c.checkNames, c.checkLocks} {
		if err := check(); err != nil {
			return err
		}
	}
	if err := n.keeper.Check(); err != nil {
		return fieldError(err)
	}
	if _, err := n.parseSources(to.Join); err != nil {
		return err
	}
	if set, drop := changed(was, mapOf(c.Tags)); len(drop) > 0 {
		if err := n.SetTags(ctx, set, drop...); err != nil {
			return wrong("Tags", err)
		}
	}
	n.live.Store(c.live())
	if err := n.useSources(to.Join); err != nil {
		return err
	}
	if n.keeper.Server() == nil {
		return nil
	}
	if err := n.Reload(); err != nil { // the files have changed since
		return fmt.Errorf("the tags, origins, names and addresses to join are others now, but not the secret and certificates: %w", err)
	}
	return nil
}

// given are the tags that the node was started with, or given since.
func (n *Node) given() map[string]string { return mapOf(n.live.Load().Tags) }

// changed returns what makes given tags others: those that are set are dropped, too, so that
// they are no more than given.
func changed(was, is map[string]string) (set map[string]string, drop []string) {
	set = make(map[string]string)
	for key, value := range is {
		if before, ok := was[key]; !ok || before != value {
			set[key] = value
			drop = append(drop, key)
		}
	}
	for key := range was {
		if _, ok := is[key]; !ok {
			drop = append(drop, key)
		}
	}
	slices.Sort(drop)
	return set, drop
}
