package native

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// perInstall are the schemes of extensions of which each browser makes up an id of its own, so
// that nobody can list them: ORIGIN://* stands for them all.
var perInstall = []string{"moz-extension", "safari-web-extension"}

// An id of an extension is the same everywhere in Chromium.
var chromeID = regexp.MustCompile(`^[a-p]{32}$`)

// matchesOrigin says whether an entry of AllowOrigins stands for the origin that a browser sends.
func matchesOrigin(entry, origin string) bool {
	if scheme, all := strings.CutSuffix(entry, "://*"); all {
		return len(origin) > len(scheme)+3 && strings.EqualFold(origin[:len(scheme)+3], scheme+"://")
	}
	return entry == "*" || strings.EqualFold(entry, origin)
}

// checkOrigin refuses an entry of AllowOrigins that no browser's Origin is ever like, and says
// what is one.
func checkOrigin(entry string) error {
	is, err := originOf(entry)
	if err == nil && is != entry {
		err = fmt.Errorf("browsers write it otherwise: write %s", is)
	}
	if err != nil {
		return fmt.Errorf("%q can never match the origin of a page: %w", entry, err)
	}
	return nil
}

// originOf returns what a browser sends as the Origin of pages of an entry, probably.
func originOf(entry string) (string, error) {
	switch {
	case entry == "*" || entry == "null" || entry == "file://": // the latter two are of files, by browser, and apps made of one
		return entry, nil
	case entry == "":
		return "", errors.New("it is empty: write one like https://example.org, * for any, or nothing")
	case strings.ContainsAny(entry, " \t\r\n,;"):
		return "", errors.New("an entry is one origin: list several one by one, or with commas between them")
	case strings.EqualFold(entry, "null"):
		return "null", nil
	}
	scheme, rest, ok := strings.Cut(entry, "://")
	if !ok {
		return "", missingScheme(entry)
	}
	scheme = strings.ToLower(scheme)
	switch scheme {
	case "ws", "wss":
		return "", fmt.Errorf("the origin is the page's, not the WebSocket's: write %s://%s", strings.Replace(scheme, "ws", "http", 1), hostPart(rest))
	case "file":
		return "", errors.New("the origin of a file is null, or file:// in some apps, whatever its path: write the one that the node's log shows. null is also that of anybody's sandboxed iframe")
	case "data", "blob", "about", "javascript":
		return "", fmt.Errorf("pages of %s: have the origin null, or that of who made them", scheme)
	}
	if !regexp.MustCompile(`^[a-z][a-z0-9+.-]*$`).MatchString(scheme) {
		return "", fmt.Errorf("%s is no scheme: write one like https://example.org", scheme)
	}
	host := hostPart(rest)
	if strings.Contains(host, "*") {
		if host == "*" && slices.Contains(perInstall, scheme) {
			return scheme + "://*", nil
		}
		return "", fmt.Errorf("a * stands alone, for any origin, or for the id of an extension that each browser makes up (%s://*): list the others one by one", strings.Join(perInstall, "://*, "))
	}
	if _, after, user := strings.Cut(host, "@"); user {
		host = after
	}
	if host == "" {
		return "", errors.New("it has no host: write one like https://example.org")
	}
	switch scheme {
	case "http", "https":
		var err error
		if host, err = webHost(scheme, host); err != nil {
			return "", err
		}
	case "chrome-extension":
		host = strings.ToLower(host)
		if !chromeID.MatchString(host) {
			return "", fmt.Errorf("%s is no id of an extension, which has 32 letters from a to p: chrome://extensions shows it", host)
		}
	}
	return scheme + "://" + host, nil
}

// hostPart is what comes before a path.
func hostPart(rest string) string {
	if i := strings.IndexAny(rest, `/?#\`); i >= 0 {
		return rest[:i]
	}
	return rest
}

func missingScheme(entry string) error {
	host := hostPart(entry)
	if scheme, _, ok := strings.Cut(entry, ":/"); ok {
		return fmt.Errorf("after the scheme come two slashes: %s://…", scheme)
	}
	if strings.Contains(host, "*") || !strings.Contains(host, ".") && !strings.Contains(host, ":") && !isLoopback(host) {
		return errors.New("it is no origin like https://example.org, and not *")
	}
	scheme := "https"
	if isLoopback(hostname(host)) {
		scheme = "http"
	}
	return fmt.Errorf("it has no scheme, and is no origin like https://example.org: write %s://%s", scheme, host)
}

// webHost writes a HOST or HOST:PORT as browsers do in an origin of the web.
func webHost(scheme, hostport string) (string, error) {
	u, err := url.Parse(scheme + "://" + hostport)
	if err != nil {
		return "", fmt.Errorf("%s is no HOST or HOST:PORT", hostport)
	}
	host, port := strings.ToLower(u.Hostname()), u.Port()
	if port != "" {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil {
			return "", fmt.Errorf("%s is no port", port)
		}
		port = ":" + strconv.FormatUint(n, 10)
	}
	if port == defaultPorts[scheme] {
		port = ""
	}
	last := host[strings.LastIndexByte(strings.TrimSuffix(host, "."), '.')+1:]
	ip, notIP := netip.ParseAddr(host)
	switch {
	case notIP == nil && ip.Zone() != "":
		return "", errors.New("browsers take no address with a zone")
	case notIP == nil && ip.Is6():
		host = "[" + ip.String() + "]"
	case notIP == nil:
		host = ip.String()
	case strings.Trim(last, "0123456789.") == "" || strings.HasPrefix(last, "0x"):
		return "", fmt.Errorf("%s is an IPv4 address that browsers write otherwise, as four numbers with dots", host)
	default:
		ascii, err := punycode(host)
		if err != nil || ascii == "" {
			return "", fmt.Errorf("%s is no host name", host)
		}
		host = ascii
	}
	return host + port, nil
}

// checkHost returns a name of Hosts as browsers send it, without a port.
func checkHost(entry string) (string, error) {
	host := strings.TrimSuffix(strings.ToLower(entry), ".")
	if ip, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil && ip.Zone() == "" {
		return ip.String(), nil
	}
	bad := ""
	switch {
	case host == "":
		bad = "it is empty"
	case strings.Contains(host, "*"):
		bad = "each name is listed; with a secret, any will do"
	case strings.ContainsAny(host, "/?#@\\ \t\r\n,;[]"), strings.Contains(host, "://"):
		bad = "it is a name alone, like ring.example.com, and no URL or list"
	case strings.Contains(host, ":"):
		bad = "leave out the port: any is right"
	}
	if bad == "" {
		ascii, err := punycode(host)
		if err == nil && ascii != "" {
			return ascii, nil
		}
		bad = "it is no host name"
	}
	return "", fmt.Errorf("%q is no name of a host: %s", entry, bad)
}

// punycode writes a host name in ASCII, as browsers and net/http do when they send it.
func punycode(host string) (string, error) {
	var b bytes.Buffer
	if err := (&http.Request{Method: http.MethodGet, URL: &url.URL{Scheme: "http", Host: host}}).Write(&b); err != nil {
		return "", err
	}
	r, err := http.ReadRequest(bufio.NewReader(&b))
	if err != nil {
		return "", err
	}
	return r.Host, nil
}
