package core

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/nanoring/nanoring/core/wire"
)

// MaxFilter is how many bytes the terms of a Filter may have together, and
// MaxTerms how many of Tags there may be: a message carries its filter.
const (
	MaxFilter = 1 << 10
	MaxTerms  = 16
)

// Filter picks nodes by what is known of them; the zero Filter picks all. It is
// made by ParseFilter. docs/protocol.md, 30, has the rules.
type Filter struct {
	terms []string // the state's, the name's and those of tags; or none
}

// A FilterError says what is wrong with a filter's term.
type FilterError struct {
	Term string // as it was given
	Text string // what is wrong with it, and what to say instead
}

func (e *FilterError) Error() string { return "the filter " + strconv.Quote(e.Term) + " " + e.Text }

// ParseFilter makes a Filter of terms, all of which have to hold, or returns a
// *FilterError. Each of tags is KEY=PATTERN, KEY!=PATTERN (it is another, or not
// there), KEY (it is there) or !KEY. A state is one's word, as State.String has it,
// and a name a node's: each is PATTERN or !PATTERN, or empty for any. In a pattern
// '*' stands for any characters, also for none, and all else for itself.
func ParseFilter(tags []string, state, name string) (Filter, error) {
	size := len(state) + len(name)
	for _, term := range tags {
		size += len(term)
		switch key, _, not, is := parseTerm(term); {
		case key == "":
			return Filter{}, &FilterError{term, "names no tag: say KEY=PATTERN, KEY!=PATTERN, KEY or !KEY"}
		case not && is && term[0] == '!':
			return Filter{}, &FilterError{term, "says both ! and =: say KEY!=PATTERN"}
		}
	}
	for _, term := range append([]string{state, name}, tags...) {
		if !utf8.ValidString(term) { // no message can carry it
			return Filter{}, &FilterError{term, "is not valid UTF-8"}
		}
	}
	switch {
	case len(tags) > MaxTerms:
		return Filter{}, &FilterError{tags[MaxTerms], "is one too many: there may be " + strconv.Itoa(MaxTerms) + " of tags"}
	case size > MaxFilter:
		return Filter{}, &FilterError{(strings.Join(tags, " ") + " " + state + " " + name)[:32] + "…", "has " + tooLong(size, MaxFilter)}
	case name == "!":
		return Filter{}, &FilterError{name, "excludes no name: say !PATTERN"}
	case state != "" && !isOfState(state):
		return Filter{}, &FilterError{state, "is no state: they are " + strings.Join(stateWords[:Removed], ", ")}
	}
	if size == 0 && len(tags) == 0 {
		return Filter{}, nil
	}
	return Filter{append([]string{state, name}, tags...)}, nil
}

// Terms returns what a filter has as a message carries it: the patterns of the state and
// of the name, then the terms of tags; nil if it picks all.
func (f *Filter) Terms() []string { return f.terms }

// FilterOf is the filter that has these Terms: of a parsed one.
func FilterOf(terms []string) (f Filter) {
	if len(terms) > 1 {
		f.terms = terms
	}
	return f
}

func isOfState(pattern string) bool {
	return slices.ContainsFunc(stateWords[:], func(word string) bool { return isLike(strings.TrimPrefix(pattern, "!"), word) })
}

// Match says whether a filter picks a node.
func (f *Filter) Match(n *Node) bool {
	if len(f.terms) == 0 {
		return true
	}
	for _, term := range f.terms[2:] {
		if key, pattern, not, is := parseTerm(term); hasTag(n, key, pattern, is) == not {
			return false
		}
	}
	return isLikeOrNot(f.terms[0], n.State.String()) && isLikeOrNot(f.terms[1], n.Name)
}

// Pick returns those of some nodes that all filters pick, in a list of their own.
func Pick(nodes []Node, filters ...Filter) []Node {
	picked := make([]Node, 0, len(nodes))
	for i := range nodes {
		if isPicked(&nodes[i], filters) {
			picked = append(picked, nodes[i])
		}
	}
	return picked
}

func isPicked(n *Node, filters []Filter) bool {
	for i := range filters {
		if !filters[i].Match(n) {
			return false
		}
	}
	return true
}

// parseTerm takes a term of Tags apart: does it ask for what the tag is, and for the
// contrary?
func parseTerm(term string) (key, pattern string, not, is bool) {
	at := strings.IndexByte(term, '=') // strings.Cut would be a thousandth of the module
	if key, is = term, at >= 0; is {
		key, pattern = term[:at], term[at+1:]
	}
	if key, not = strings.CutPrefix(key, "!"); is && !not {
		key, not = strings.CutSuffix(key, "!")
	}
	return key, pattern, not, is
}

// hasTag says whether a node has a tag, and if it matters one like a pattern.
func hasTag(n *Node, key, pattern string, is bool) bool {
	value, has := valueOf(n.Tags, key)
	return has && (!is || isLike(pattern, value))
}

//go:noinline
func valueOf(tags []wire.Tag, key string) (value string, ok bool) {
	for i := range tags {
		if tags[i].Key == key {
			return tags[i].Value, true
		}
	}
	return "", false
}

func isLikeOrNot(pattern, s string) bool {
	if pattern == "" {
		return true
	}
	pattern, not := strings.CutPrefix(pattern, "!")
	return isLike(pattern, s) != not
}

// isLike says whether a text is as a pattern has it. Only the last star that was met is
// tried again: what is between two may be taken where it first comes. (What strings has
// for it would add 10 KB to the module.)
func isLike(pattern, s string) bool {
	star, from := -1, 0
	for i, j := 0, 0; ; {
		switch {
		case j < len(pattern) && pattern[j] == '*':
			star, from = j, i
			j++
		case i < len(s) && j < len(pattern) && s[i] == pattern[j]:
			i++
			j++
		case i == len(s) && j == len(pattern):
			return true
		case star < 0 || from >= len(s):
			return false
		default:
			from++
			i, j = from, star+1
		}
	}
}
