package native

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/nanoring/nanoring/core"
)

const maxOwners = 64

// query is what a request for nodes asks for.
type query struct {
	filters []core.Filter // one, or none
	count   int           // of owners
	since   string        // an event's id, or a message's
	topics  []string      // patterns
	name    string        // as it is
}

// queryOf returns what a request asks for, of which more may be "n" or "since". It says false
// if it has answered instead.
func queryOf(w http.ResponseWriter, r *http.Request, more ...string) (query, bool) {
	return queryFor(w, r, append(more, "tag", "state", "name"))
}

// queryFor is queryOf for what takes no filter.
func queryFor(w http.ResponseWriter, r *http.Request, known []string) (query, bool) {
	q, err := parseQuery(r.URL.RawQuery, known)
	if err != nil {
		problem(w, http.StatusBadRequest, "bad-request", err.Error())
	}
	return q, err == nil
}

func parseQuery(text string, known []string) (q query, err error) {
	values, err := url.ParseQuery(text)
	if err != nil {
		return q, fmt.Errorf("the query is not as it should be: %w", err)
	}
	for key, of := range values {
		switch {
		case !slices.Contains(known, key):
			return q, fmt.Errorf("nothing is asked by %.40q here: there are %s", key, strings.Join(known, ", "))
		case key != "tag" && key != "topic" && len(of) > 1:
			return q, fmt.Errorf("%s=%.40s: it may be there once", key, strings.Join(of, "&"+key+"="))
		}
	}
	q.count = 1
	if values.Has("n") {
		if q.count, err = strconv.Atoi(values.Get("n")); err != nil || q.count < 1 || q.count > maxOwners {
			return q, fmt.Errorf("n=%.40s is not how many owners to return: there are 1 to %d", values.Get("n"), maxOwners)
		}
	}
	q.since, q.topics, q.name = values.Get("since"), values["topic"], values.Get("name")
	if values.Has("tag") || values.Has("state") || values.Has("name") {
		var f core.Filter
		f, err = core.ParseFilter(values["tag"], values.Get("state"), values.Get("name"))
		q.filters = []core.Filter{f}
	}
	return q, err
}
