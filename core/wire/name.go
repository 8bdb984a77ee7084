package wire

import (
	"strings"
	"unicode/utf8"
)

// ValidName says what is wrong with a node's or a ring's name: it has 1 to
// MaxName bytes of UTF-8, no '@' and no control characters.
func ValidName(name string) error {
	if _, class, detail := checkName(name); class != 0 {
		return &Error{Class: class, Where: "name " + Quote(name), Detail: detail, Offset: -1}
	}
	return nil
}

// checkName returns what is wrong with a name, and at which byte.
func checkName(name string) (offset int, class Class, detail string) {
	switch {
	case name == "":
		return 0, ErrName, "empty"
	case len(name) > MaxName:
		return 0, ErrName, "longer than 255 bytes"
	}
	plain := 0
	for plain < len(name) && name[plain]-' ' < 0x7f-' ' && name[plain] != '@' {
		plain++
	}
	for i, c := range name[plain:] { // of nearly all names nothing is left
		switch i += plain; {
		case c == '@':
			return i, ErrName, "contains '@'"
		case c < ' ', c >= 0x7f && c < 0xa0:
			return i, ErrName, "contains a control character"
		}
	}
	if plain < len(name) && !utf8.ValidString(name) {
		return 0, ErrUTF8, ErrUTF8.detail()
	}
	return 0, 0, ""
}

// ValidAddress says what is wrong with an address: HOST:PORT, where HOST is a
// host name, an IPv4 address or an IPv6 address in brackets, and PORT is a
// number from 1 to 65535. It says nothing of whether anybody is there.
func ValidAddress(addr string) error {
	if detail := checkAddress(addr); detail != "" {
		return &Error{Class: ErrAddress, Where: "address " + Quote(addr), Detail: detail, Offset: -1}
	}
	return nil
}

func checkAddress(addr string) (detail string) {
	if len(addr) > MaxAddress {
		return "longer than 262 bytes"
	}
	colon := strings.LastIndexByte(addr, ':')
	if colon < 0 {
		return "without a port: it must be HOST:PORT"
	}
	host, port := addr[:colon], addr[colon+1:]
	if detail := checkPort(port); detail != "" {
		return detail
	}
	if len(host) > 1 && host[0] == '[' && host[len(host)-1] == ']' {
		return checkIPv6(host[1 : len(host)-1])
	}
	if host == "" {
		return "without a host: it must be HOST:PORT"
	}
	if strings.IndexByte(host, ':') >= 0 {
		return "an IPv6 address must stand in brackets"
	}
	// Only what host names are made of: addresses become parts of URLs.
	if !madeOf(host, "-._") {
		return "a host with a character that no host name has"
	}
	return ""
}

// Quote quotes s, of which it shows no more than people want to see, with
// control characters escaped. (strconv.Quote would add 16 KB to the module.)
func Quote(s string) string {
	const enough, hex = 64, "0123456789abcdef"
	more := ""
	if len(s) > enough {
		s, more = s[:enough], "..."
	}
	var w writer
	w.byte('"')
	for _, c := range s {
		switch {
		case c == '\n':
			w.raw(`\n`)
		case c < ' ', c >= 0x7f && c < 0xa0:
			w.raw(`\x`)
			w.byte(hex[c>>4])
			w.byte(hex[c&15])
		default:
			w.raw(string(c))
		}
	}
	w.byte('"')
	return string(w.b) + more
}

func checkPort(port string) (detail string) {
	n := 0
	for i := 0; i < len(port) && i < 6; i++ {
		if port[i] < '0' || port[i] > '9' {
			return "a port that is not a number"
		}
		n = 10*n + int(port[i]-'0')
	}
	if n < 1 || n > 65535 || port[0] == '0' {
		return "a port that is not a number from 1 to 65535"
	}
	return ""
}

func checkIPv6(host string) (detail string) {
	ip := host
	if at := strings.IndexByte(host, '%'); at >= 0 {
		if ip = host[:at]; at+1 == len(host) || !madeOf(host[at+1:], "-._") {
			ip = "" // a zone that is none
		}
	}
	colons := 0
	for i := 0; i < len(ip); i++ {
		switch c := ip[i]; {
		case c == ':':
			colons++
		case c != '.' && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'f'):
			return "not an IPv6 address in brackets"
		}
	}
	if colons < 2 {
		return "not an IPv6 address in brackets"
	}
	return ""
}

// madeOf says whether s has only ASCII letters, digits and characters of more.
func madeOf(s, more string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9') && strings.IndexByte(more, c) < 0 {
			return false
		}
	}
	return true
}
