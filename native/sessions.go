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
	maxLinks    = 32 // beyond it the oldest goes, as with sessions
	maxSessions = 32

	sessionPrefix = "nanoring-session-"
)

var (
	errNoLink    = errors.New("this node knows no such link: it was made by another node, before this one was started, or long ago")
	errNoSession = errors.New("the token is of no session that this node has")
)

// vouched is on whose word somebody is an operator.
type vouched struct {
	by    string    // "the socket", or "a token"
	key   string    // the id of the secret that signed the token; "" for the socket
	until time.Time // when the token expires: nothing that follows of it lasts longer; zero for the socket
}

// link is one to the page, by the hash of its code.
type link struct {
	vouched
	made time.Time
	used time.Time // zero if it was not
	from string    // from where it was used
}

// session is an operator's at the page, by the hash of its token.
type session struct {
	vouched
	began, ends time.Time
}

// sessions are the links and sessions of a node.
type sessions struct {
	now func() time.Time // with the monotonic clock

	mu    sync.Mutex
	links map[[sha256.Size]byte]*link
	open  map[[sha256.Size]byte]*session
}

func newSessions() sessions {
	return sessions{now: time.Now, links: make(map[[sha256.Size]byte]*link), open: make(map[[sha256.Size]byte]*session)}
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
	dropOldest(s.links, maxLinks, func(l *link) time.Time { return l.made })
	s.links[sha256.Sum256([]byte(code))] = &link{vouched: v, made: s.now()}
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
	dropOldest(s.open, maxSessions, func(o *session) time.Time { return o.began })
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
	if !s.now().Before(of.ends) || !believes(of.key) {
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
		if l.used.IsZero() && now.Sub(l.made) < linkTime {
			links++
		}
	}
	for _, o := range s.open {
		if now.Before(o.ends) {
			open++
		}
	}
	clear(s.links)
	clear(s.open)
	return links, open
}

// left is for how long a session is good, in whole seconds.
func (s *sessions) left(of session) int64 { return int64(of.ends.Sub(s.now()) / time.Second) }

// isSession says whether a token is a session's, as far as that is seen.
func isSession(token string) bool { return strings.HasPrefix(token, sessionPrefix) }

// dropOldest makes room for one more.
func dropOldest[T any](all map[[sha256.Size]byte]*T, most int, at func(*T) time.Time) {
	if len(all) < most {
		return
	}
	var oldest [sha256.Size]byte
	var when time.Time
	for sum, one := range all {
		if when.IsZero() || at(one).Before(when) {
			oldest, when = sum, at(one)
		}
	}
	delete(all, oldest)
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
