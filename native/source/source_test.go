package source

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/mdns"
)

// ask asks a source once.
func ask(t *testing.T, text string, o Options) ([]string, error) {
	t.Helper()
	s, err := Parse(text, o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if s.String() != text {
		t.Errorf("%s says that it is %s", text, s)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	return s.Addresses(ctx)
}

// expect holds what a source says against what it should; why is part of the error, "" for none.
func expect(t *testing.T, what string, got []string, err error, want []string, why string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: %q, not %q", what, got, want)
	}
	if why == "" && err != nil || why != "" && (err == nil || !strings.Contains(err.Error(), why)) {
		t.Errorf("%s: the error is %v, not %q", what, err, why)
	}
}

func TestParse(t *testing.T) {
	for text, why := range map[string]string{
		"":                         "without a port",
		"dev1":                     "without a port",
		"dev1:0":                   "port",
		"dev1:x":                   "port",
		":7946":                    "without a host",
		"0.0.0.0:7946":             "no address of anybody",
		"[::]:7946":                "no address of anybody",
		"224.0.0.1:7946":           "multicast",
		"[ff02::1%eth0]:7946":      "multicast",
		"[::ffff:10.0.0.1]:7946":   "write 10.0.0.1:7946",
		"[fe80::1]:7946":           "without its zone",
		"[::1:7946":                "IPv6",
		"de v:7946":                "character",
		"dns:":                     "no name",
		"dns:a:b:c":                "no name",
		"dns:a:0":                  "port",
		"srv:":                     "no name",
		"file:":                    "no path",
		"exec: ":                   "no command",
		"mdns:eth0":                "option of its own",
		"http://x/":                "is it x:7946?",
		strings.Repeat("a", 1000):  "longer",
		strings.Repeat("a:", 1000): "longer",
	} {
		if _, err := Parse(text, Options{}); err == nil || !strings.Contains(err.Error(), why) || len(err.Error()) > 400 {
			t.Errorf("%.20q: %v, not %q", text, err, why)
		}
	}
	if _, err := Parse("mdns:", Options{Interface: "there-is-none"}); err == nil || !strings.Contains(err.Error(), "there-is-none") {
		t.Error(err)
	}
	if _, err := Parse("mdns:", Options{Name: "a", Ring: "r", Address: "127.0.0.1:7946"}); err == nil || !strings.Contains(err.Error(), "nobody else") {
		t.Error(err)
	}
	for _, text := range []string{"10.0.0.1:1", "[fe80::1%eth0]:7946", "[::1]:7946"} {
		got, err := ask(t, text, Options{})
		expect(t, text, got, err, []string{text}, "")
	}
}

func TestFile(t *testing.T) {
	dir := t.TempDir()
	long := strings.Repeat("#"+strings.Repeat("x", 1022)+"\n", 300)
	for i, test := range []struct {
		text string
		want []string
		why  string
	}{
		{"", nil, ""},
		{"\ufeffa:1\r\nb:2, c:3\t# of old: d:4\n\n# e:5\na:1", []string{"a:1", "b:2", "c:3"}, ""},
		{"a:1\nwhat?\nb\n[::]:1\n", []string{"a:1"}, "and 2 more"},
		{"\x00\xff\xfe", nil, "port"},
		{"a:1\n" + long + "b:2\n", []string{"a:1"}, "longer"},
	} {
		path := filepath.Join(dir, string(rune('a'+i)))
		if err := os.WriteFile(path, []byte(test.text), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := ask(t, "file:"+path, Options{})
		expect(t, path, got, err, test.want, test.why)
	}
	got, err := ask(t, "file:"+dir, Options{})
	expect(t, "a folder", got, err, nil, "is no file")
	got, err = ask(t, "file:"+dir+"/none", Options{})
	expect(t, "none", got, err, nil, "no such file")
}

func TestExec(t *testing.T) {
	for command, test := range map[string]struct {
		want []string
		why  string
	}{
		"echo a:1; echo b:2 >&2; echo c:3": {[]string{"a:1", "c:3"}, ""},
		"true":                             {nil, ""},
		"echo first >&2; echo this is why >&2; exit 3": {nil, "this is why"},
		"there-is-none":                       {nil, "failed"},
		"yes 10.0.0.1:7946 | head -c 1000000": {[]string{"10.0.0.1:7946"}, "longer"},
		`i=0; while [ $i -lt 1500 ]; do echo h:$((i+1)); i=$((i+1)); done | tail -n 1400`: {many(101, 1124), "more than 1024"},
	} {
		got, err := ask(t, "exec:"+command, Options{})
		expect(t, command, got, err, test.want, test.why)
	}
}

// TestFlood: of what a command prints no more is read than may be, and one that prints for ever
// is ended for that.
func TestFlood(t *testing.T) {
	s := short{most: 10}
	if n, err := io.Copy(&s, io.LimitReader(zeros{}, 1<<20)); n != 1<<20 || err != nil || len(s.kept) != s.most || cap(s.kept) > 1<<10 {
		t.Errorf("of a MiB it took %d, %v, and kept %d with room for %d", n, err, len(s.kept), cap(s.kept))
	}
	got, err := ask(t, "exec:yes 10.0.0.1:7946", Options{})
	expect(t, "it floods", got, err, []string{"10.0.0.1:7946"}, "longer")
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// TestHangingExec: a command that hangs, and what it has started, is killed.
func TestHangingExec(t *testing.T) {
	s, err := Parse("exec:echo a:1; sleep 1000 & wait", Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	got, err := s.Addresses(ctx)
	expect(t, "it hangs", got, err, nil, "did not end in time")
}

func TestMDNS(t *testing.T) {
	s, err := newLocal("mdns:", Options{Ring: "r"})
	if err != nil {
		t.Fatal(err)
	}
	l := s.(*local)
	entry := func(ring, ip string, port int) *mdns.ServiceEntry {
		e := &mdns.ServiceEntry{Port: port, InfoFields: []string{"ring=" + ring}}
		if parsed := net.ParseIP(ip); parsed.To4() != nil {
			e.AddrV4 = parsed
		} else {
			e.AddrV6IPAddr = &net.IPAddr{IP: parsed}
		}
		return e
	}
	l.query = func(_ context.Context, p *mdns.QueryParam) error {
		for _, e := range []*mdns.ServiceEntry{
			entry("r", "10.0.0.1", 1), entry("other", "10.0.0.2", 2), entry("r", "fd00::1", 3), entry("r", "fe80::1", 4),
			entry("r", "10.0.0.1", 0), entry("r", "10.0.0.1", 99999), entry("r", "224.0.0.1", 5), entry("r", "10.0.0.1", 1), {Port: 6},
		} {
			p.Entries <- e
		}
		return nil
	}
	got, err := l.Addresses(t.Context())
	expect(t, "mdns:", got, err, []string{"10.0.0.1:1", "[fd00::1]:3"}, "")
	// Where one of IPv4 and IPv6 cannot be, the other does.
	both := l.query
	for _, without := range []struct{ v4, v6 bool }{{v4: true}, {v6: true}, {true, true}} {
		l.query = func(ctx context.Context, p *mdns.QueryParam) error {
			if without.v4 && !p.DisableIPv4 || without.v6 && !p.DisableIPv6 {
				return errors.New("cannot assign requested address")
			}
			return both(ctx, p)
		}
		got, err := l.Addresses(t.Context())
		if without.v4 && without.v6 {
			expect(t, "neither", got, err, nil, "cannot assign")
		} else {
			expect(t, "one of them", got, err, []string{"10.0.0.1:1", "[fd00::1]:3"}, "")
		}
	}
	if name := instanceOf("dev.1/ü" + strings.Repeat("x", 100)); len(name) > 63 || strings.ContainsAny(name, "./ü") {
		t.Errorf("the instance is %q", name)
	}
}
