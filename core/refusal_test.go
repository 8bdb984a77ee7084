package core

import "testing"

// TestRefusals: the address of a node that is up and that refuses is dialled more and
// more rarely, until it does not refuse, or is another one's.
func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		name    string
		before  func(l *lookout)
		refuses bool
	}{
		{"never", func(l *lookout) {}, false},
		{"once", func(l *lookout) { l.overlay.refused("a") }, true},
		{"once, a while ago", func(l *lookout) { l.overlay.refused("a"); l.pass(refusalTime) }, false},
		{"twice at once, a while ago", func(l *lookout) { l.overlay.refused("a"); l.overlay.refused("a"); l.pass(refusalTime) }, false},
		{"again, a while ago", func(l *lookout) {
			l.overlay.refused("a")
			l.pass(refusalTime)
			l.overlay.refused("a")
			l.pass(refusalTime)
		}, true},
		{"often, long ago", func(l *lookout) {
			for range 10 {
				l.overlay.refused("a")
				l.pass(maxRefusal)
			}
		}, false},
		{"not reached", func(l *lookout) { l.overlay.detour("a") }, false},
		{"not reached, again", func(l *lookout) { l.overlay.detour("a"); l.overlay.detour("a") }, true},
		{"of a suspect", func(l *lookout) { l.overlay.refused("a"); l.hear("a", 1, rankSuspect) }, false},
		{"of another process", func(l *lookout) { l.overlay.refused("a"); l.hear("a", 2, rankUp) }, false},
		{"of one that is down", func(l *lookout) { l.hear("a", 1, rankDown); l.overlay.refused("a"); l.hear("a", 1, rankUp) }, false},
		{"it was dialled since", func(l *lookout) {
			l.overlay.refused("a")
			l.conns["a"].dialed = true
			l.overlay.welcome(l.conns["a"])
		}, false},
		{"it has dialled since", func(l *lookout) { l.overlay.refused("a"); l.overlay.welcome(l.conns["a"]) }, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLookout(t, "a", "b")
			c.before(l)
			l.overlay.forgive()
			s := l.replica.look("a")
			if got := l.overlay.refuses("a", &s); got != c.refuses {
				t.Error(got)
			}
			l.hear("a", 3, rankUp)
			l.overlay.forgive()
			if len(l.overlay.refusals) > 0 {
				t.Error("it is kept for ever")
			}
		})
	}
}
