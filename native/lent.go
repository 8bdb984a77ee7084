package native

import (
	"net/http"
	"time"

	"github.com/nanoring/nanoring/native/trust"
)

// stands says whether what somebody came in by would let it in yet.
type stands func(t *trust.Trust, now time.Time) bool

// lends says that whoever sent a request came by a token, or a session, and may stay as long as that
// stands; then its connection is a stranger's again, who makes room for others.
func lends(r *http.Request, by stands, friend bool) {
	v, ok := r.Context().Value(visitorKey{}).(*visitor)
	if !ok {
		return
	}
	v.known(friend)
	v.door.mu.Lock()
	defer v.door.mu.Unlock()
	if v.gone {
		return
	}
	if v.stands = by; v.door.lent == nil {
		v.door.lent = make(map[*visitor]struct{})
	}
	v.door.lent[v] = struct{}{}
}

// keeps says that its place is lent no more: it is its own, or given up. The door is locked.
func (v *visitor) keeps() {
	v.stands = nil
	delete(v.door.lent, v)
}

// takeBack makes strangers of those whose token is good no more, and gives back what they had as readers.
func (d *door) takeBack(t *trust.Trust, now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for v := range d.lent {
		if v.stands(t, now) {
			continue
		}
		v.keeps()
		v.leaveSeat()
		if v.in == nil {
			v.enlist()
		}
	}
}

// leaveSeat gives back the room of a reader, if it has it. The door is locked.
func (v *visitor) leaveSeat() {
	v.cost.give(costReaders, 1)
	v.cost.close()
	v.cost = nil
}
