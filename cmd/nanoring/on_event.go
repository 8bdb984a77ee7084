package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

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
	return append(words, core.EventLetIn.String(), native.KindHasJoined)
}()

// parseEventHandlers makes handlers of [EVENT,…=]COMMAND. What stands before the first = is a list
// of events if it is made of words; else all is a command, like A=b ./c, for all events.
func parseEventHandlers(list []string) (all []handler, err error) {
	for _, text := range list {
		pattern, command := "*", text
		if before, after, ok := strings.Cut(text, "="); ok {
			kinds := strings.Split(before, ",")
			if !slices.ContainsFunc(kinds, func(kind string) bool { return strings.Trim(strings.TrimSpace(kind), wordLetters) != "" }) {
				for i, kind := range kinds {
					if kinds[i] = strings.TrimSpace(kind); !isEvent(kinds[i]) {
						return nil, fmt.Errorf("--on-event %s: there is no such event: there are %s; if it belongs to the command, write *=%s", cmp.Or(kinds[i], `""`), strings.Join(eventWords, ", "), text)
					}
				}
				pattern, command = strings.Join(kinds, ","), after
			}
		}
		if strings.TrimSpace(command) == "" {
			return nil, fmt.Errorf("--on-event %q has no COMMAND: it is [EVENT,...=]COMMAND", text)
		}
		all = append(all, handler{pattern, command})
	}
	return all, nil
}

const wordLetters = "abcdefghijklmnopqrstuvwxyz*-"

// isEvent says whether there is an event that is like a pattern.
func isEvent(pattern string) bool {
	return slices.ContainsFunc(eventWords, func(word string) bool { return isLike(pattern, word) })
}

// isLike says whether a word is like one of some patterns, between which are commas.
func isLike(patterns, word string) bool {
	for pattern := range strings.SplitSeq(patterns, ",") {
		if ok, _ := path.Match(pattern, word); ok {
			return true
		}
	}
	return false
}

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
	if !isLike(h.pattern, j.Kind) {
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
