package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"path"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/native"
)

// eventWords are what there are commands for.
var eventWords = func() (words []string) {
	for _, what := range []core.What{core.Joined, core.CameUp, core.Restarted, core.Suspected, core.WentDown, core.SaidBye, core.Removal, core.Updated} {
		words = append(words, string(what))
	}
	for kind := core.EventRefused; kind <= core.EventFresh; kind++ {
		words = append(words, kind.String())
	}
	return words
}()

// watch runs a handler's command for each event that happens, one at a time, in their order.
func (hs *handlers) watch(ctx context.Context, h handler) {
	events, last := hs.node.Watch(ctx), uint64(0)
	for again := true; again; {
		again = false
		for e, err := range events {
			switch {
			case errors.Is(err, native.ErrSlow): // the last 1,024 are known all the same
				events, again = hs.node.WatchSince(ctx, last), true
			case e.Gap:
				hs.failed(h, "", errLost)
			case e.Seq > 0:
				last = e.Seq
				hs.happened(hs.life, h, e)
			}
		}
	}
}

func (hs *handlers) happened(ctx context.Context, h handler, e native.Event) {
	j := hs.node.EventJSON(e)
	if ok, _ := path.Match(h.pattern, j.Kind); !ok {
		return
	}
	text, err := json.Marshal(j)
	if err == nil {
		_, err = hs.run(ctx, h, cmp.Or(e.Node.Name, e.Name), "NANORING_EVENT="+j.Kind, append(text, '\n'))
	}
	if err != nil && ctx.Err() == nil {
		hs.failed(h, e.Node.Name, err)
	}
}
