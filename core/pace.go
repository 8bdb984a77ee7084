package core

// What a gateway takes of all its guests' messages in a second, and at once four times that:
// less by halves, when it cannot keep up.
const (
	fullPace  = 1024
	mostLess  = 4
	paceBurst = 4
	slowAfter = Second     // between two halves,
	fastAfter = 8 * Second // and until it takes twice as much again
)

// pace is how much of its guests' messages a gateway bears. What it has to do for them, and
// for those of others' guests, takes an engine as long as it takes: so it goes by how late this node is with what
// was due. The ring itself goes first.
type pace struct {
	less int   // how often it was halved
	at   int64 // the ring's clock when that changed
	used allowance
}

// meet takes note of how late this node is, which has so much patience with others.
func (p *pace) meet(now, lateness, patience int64) {
	switch late := lateness > patience/8; {
	case late && now-p.at >= slowAfter:
		if p.at = now; p.less < mostLess {
			p.less++
			p.used.used /= 2 // of half as much
		}
	case !late && p.less > 0 && now-p.at >= fastAfter:
		p.less, p.at = p.less-1, now
	}
}

// bears says whether so many units more are borne now.
func (p *pace) bears(now, units int64) bool {
	rate := int64(fullPace) >> p.less
	return p.used.take(now, units, paceBurst*rate, rate)
}
