package native

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

// An operator gives a browser no token that is good everywhere and for long, but a link to a
// node's page. Its code is good once, for minutes, and is exchanged for a session: an operator's
// token that this node alone takes, and forgets when it ends. Of both only hashes are kept, in memory.
const (
	linkTime    = 5 * time.Minute
	sessionTime = 8 * time.Hour
	mostKept    = 64 // links by tokens, and as many sessions
	mostOfOne   = 8  // of them, by one token, or by the socket

	sessionPrefix = "nanoring-session-"
)

var (
	errNoLink    = errors.New("this node knows no such link: it was made by another node, before this one was started, or long ago")
	errNoSession = errors.New("the token is of no session that this node has")
)

// vouched is on whose word somebody is an operator.
type vouched struct {
	by    string            // "the socket", or "a token"
	party [sha256.Size]byte // the token, hashed; zero for the socket
	key   string            // the id of the secret that signed the token; "" for the socket
	until time.Time         // when the token expires: nothing that follows of it lasts longer; zero for the socket
}

// kept is what links and sessions have in common.
type kept interface {
	whose() [sha256.Size]byte
	since() time.Time
	living(now time.Time) bool
}

func (v *vouched) whose() [sha256.Size]byte { return v.party }

// link is one to the page, by the hash of its code.
type link struct {
	vouched
	made time.Time
	used time.Time // zero if it was not
	from string    // from where it was used
}

func (l *link) since() time.Time { return l.made }

func (l *link) living(now time.Time) bool {
	return l.used.IsZero() && now.Sub(l.made) < linkTime && (l.until.IsZero() || now.Before(l.until))
}

// session is an operator's at the page, by the hash of its token.
type session struct {
	vouched
	began, ends time.Time
}

func (o *session) since() time.Time          { return o.began }
func (o *session) living(now time.Time) bool { return now.Before(o.ends) }

// sessions are the links and sessions of a node.
type sessions struct {
	clock func() (awake time.Duration, wall time.Time) // the monotonic clock, and the other

	mu    sync.Mutex
	awake time.Duration // as the clock was when it was looked at last
	wall  time.Time
	time  time.Time // what it is by now
	links map[[sha256.Size]byte]*link
	open  map[[sha256.Size]byte]*session
}

func newSessions() *sessions {
	began := time.Now()
	s := &sessions{links: make(map[[sha256.Size]byte]*link), open: make(map[[sha256.Size]byte]*session)}
	s.clock = func() (time.Duration, time.Time) { return time.Since(began), time.Now().Round(0) }
	s.awake, s.wall = s.clock()
	s.time = s.wall
	return s
}

// now is a time of these sessions' own. The monotonic clock stands still while the machine sleeps, and
// the other may be set back: as much has passed as the one says that has gone further, since it was
// looked at last, which is every second. They are locked.
func (s *sessions) now() time.Time {
	awake, wall := s.clock()
	s.time = s.time.Add(max(awake-s.awake, wall.Sub(s.wall)))
	s.awake, s.wall = awake, wall
	return s.time
}

// tick looks at the clock.
func (s *sessions) tick() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now()
}

// random256 is what nobody guesses.
func random256() string {
	b := make([]byte, 32)
	rand.Read(b)
	return base64.RawURLEncoding.EncodeToString(b)
}

// link makes the code of a link.
func (s *sessions) link(v vouched) (code string) {
	code = random256()
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	makeRoom(s.links, v.party, now)
	s.links[sha256.Sum256([]byte(code))] = &link{vouched: v, made: now}
	return code
}

// exchange makes a session's token of a link's code, once; believes says whether who came by
// a secret would come by it now.
func (s *sessions) exchange(code, from string, believes func(key string) bool) (token string, of session, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	l := s.links[sha256.Sum256([]byte(code))]
	switch {
	case l == nil || !believes(l.key) || !l.until.IsZero() && !now.Before(l.until):
		return "", of, errNoLink
	case !l.used.IsZero():
		return "", of, &linkError{"link-used", fmt.Sprintf("this link was used %s ago, from %s, and works once", roughly(now.Sub(l.used)), l.from)}
	case now.Sub(l.made) >= linkTime:
		return "", of, &linkError{"link-expired", fmt.Sprintf("this link was made %s ago, and works for %s", roughly(now.Sub(l.made)), roughly(linkTime))}
	}
	l.used, l.from = now, hostname(from)
	token, of = s.begin(l.vouched)
	return token, of, nil
}

// linkError is why a link is not taken, told to whoever has its code.
type linkError struct{ code, text string }

func (e *linkError) Error() string { return e.text }

// start makes a session of an operator's token.
func (s *sessions) start(v vouched) (token string, of session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.begin(v)
}

func (s *sessions) begin(v vouched) (token string, of session) {
	now := s.now()
	of = session{vouched: v, began: now, ends: now.Add(sessionTime)}
	if !v.until.IsZero() && v.until.Before(of.ends) {
		of.ends = v.until
	}
	makeRoom(s.open, v.party, now)
	token = sessionPrefix + random256()
	s.open[sha256.Sum256([]byte(token))] = &of
	return token, of
}

// find returns the session of a token.
func (s *sessions) find(token string, believes func(key string) bool) (session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sum := sha256.Sum256([]byte(token))
	of := s.open[sum]
	if of == nil {
		return session{}, errNoSession
	}
	if !of.living(s.now()) || !believes(of.key) {
		delete(s.open, sum)
		return session{}, errNoSession
	}
	return *of, nil
}

// end ends a session.
func (s *sessions) end(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, sha256.Sum256([]byte(token)))
}

// endAll ends all sessions, and what could become one; it returns how many there were of each.
func (s *sessions) endAll() (links, open int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	for _, l := range s.links {
		if l.living(now) {
			links++
		}
	}
	for _, o := range s.open {
		if o.living(now) {
			open++
		}
	}
	clear(s.links)
	clear(s.open)
	return links, open
}

// left is for how long a session is good.
func (s *sessions) left(of session) time.Duration { return of.ends.Sub(s.tick()) }

// isSession says whether a token is a session's, as far as that is seen.
func isSession(token string) bool { return strings.HasPrefix(token, sessionPrefix) }

// makeRoom makes room for one more of a party: if it has its share its own makes room, and if there are
// too many by tokens one of the token that has most. What is over goes first, then the oldest.
func makeRoom[T kept](all map[[sha256.Size]byte]T, party [sha256.Size]byte, now time.Time) {
	var socket, goes [sha256.Size]byte
	have, most := make(map[[sha256.Size]byte]int), 0
	for _, one := range all {
		have[one.whose()]++
	}
	own := have[party] >= mostOfOne
	if !own && (party == socket || len(all)-have[socket] < mostKept) {
		return
	}
	delete(have, socket) // the machine's own operator makes room for nobody else
	for _, n := range have {
		most = max(most, n)
	}
	found := false
	for sum, one := range all {
		living, of := one.living(now), one.whose()
		switch {
		case own && of != party, !own && (of == socket || living && have[of] < most):
		case !found || all[goes].living(now) && !living || all[goes].living(now) == living && one.since().Before(all[goes].since()):
			goes, found = sum, true
		}
	}
	delete(all, goes)
}

// roughly says a time in words.
func roughly(d time.Duration) string {
	switch {
	case d < 90*time.Second:
		return fmt.Sprintf("%d s", int(d.Round(time.Second).Seconds()))
	case d < 90*time.Minute:
		return fmt.Sprintf("%d min", int(d.Round(time.Minute).Minutes()))
	}
	return fmt.Sprintf("%d h", int(d.Round(time.Hour).Hours()))
}
