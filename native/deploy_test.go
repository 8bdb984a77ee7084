package native

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func deployed(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("../deploy", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

var (
	exprMetric  = regexp.MustCompile(`\b((?:nanoring|go|process)_[a-z_]+)\b(?:\{([^}]*)\})?`)
	exprMatcher = regexp.MustCompile(`([a-z_]+)(=~|=|!=|!~)"([^"]*)"`)
	exprBy      = regexp.MustCompile(`\bby \(([a-z_, ]+)\)`)
)

// checkExpr holds an expression in Prometheus' language against the list of metrics, and
// returns those that it is about.
func checkExpr(t *testing.T, where, expr string) (names []string) {
	t.Helper()
	if strings.Count(expr, "(") != strings.Count(expr, ")") || strings.Count(expr, "{") != strings.Count(expr, "}") || strings.Count(expr, `"`)%2 != 0 {
		t.Errorf("%s: what is opened is not closed: %s", where, expr)
	}
	known := []string{"job", "instance", "le", "ring"}
	for _, m := range exprMetric.FindAllStringSubmatch(expr, -1) {
		name, matchers := m[1], m[2]
		if base, ok := histogramOf(name); ok {
			name = base
		}
		i := slices.IndexFunc(families, func(f family) bool { return f.name == name })
		if i < 0 {
			t.Errorf("%s: there is no metric %s", where, m[1])
			continue
		}
		f := families[i]
		names = append(names, name)
		labels := append([]string{"job", "instance", "ring"}, f.labels...)
		known = append(known, f.labels...)
		for _, l := range exprMatcher.FindAllStringSubmatch(matchers, -1) {
			if !slices.Contains(labels, l[1]) {
				t.Errorf("%s: %s has no label %s", where, name, l[1])
			}
			for v := range strings.SplitSeq(l[3], "|") {
				if name == "nanoring_condition" && l[1] == "code" && !slices.ContainsFunc(conditions, func(c condition) bool { return c.code == v }) {
					t.Errorf("%s: there is no condition %s", where, v)
				}
			}
		}
		if rated := regexp.MustCompile(`(rate|increase)\(` + m[1] + `\b`).MatchString(expr); rated != (f.kind != gauge) {
			t.Errorf("%s: a %s is asked for as none: %s", where, f.kind, expr)
		}
	}
	for _, by := range exprBy.FindAllStringSubmatch(expr, -1) {
		for l := range strings.SplitSeq(by[1], ", ") {
			if !slices.Contains(known, l) {
				t.Errorf("%s: nothing has the label %s", where, l)
			}
		}
	}
	return names
}

// alertLines are all lines that deploy/alerts.yml may have, in the order of a rule.
var alertLines = []*regexp.Regexp{
	regexp.MustCompile(`^      - alert: NanoRing[A-Za-z]+$`),
	regexp.MustCompile(`^        expr: [^#]+$`),
	regexp.MustCompile(`^        for: [0-9]+[mh]$`),
	regexp.MustCompile(`^        labels:$`),
	regexp.MustCompile(`^          severity: (error|warning)$`),
	regexp.MustCompile(`^        annotations:$`),
	regexp.MustCompile(`^          summary: "[^"]+"$`),
	regexp.MustCompile(`^          description: "[^"]+\."$`),
}

// TestAlerts: the rules are such, and of metrics that there are.
func TestAlerts(t *testing.T) {
	text := deployed(t, "alerts.yml")
	_, body, ok := strings.Cut(text, "groups:\n  - name: nanoring\n    rules:\n")
	if !ok {
		t.Fatal("there is no group of rules")
	}
	at, rules := len(alertLines), 0
	names := make(map[string]bool)
	for line := range strings.Lines(body) {
		line = strings.TrimSuffix(line, "\n")
		at++
		if at >= len(alertLines) {
			at = 0
		}
		if at == 2 && !alertLines[2].MatchString(line) {
			at++ // it fires at once
		}
		if !alertLines[at].MatchString(line) {
			t.Fatalf("%s\nis not as %s", line, alertLines[at])
		}
		switch at {
		case 0:
			rules++
			if names[line] {
				t.Errorf("twice: %s", line)
			}
			names[line] = true
		case 1:
			expr := strings.TrimPrefix(line, "        expr: ")
			if len(checkExpr(t, "alerts.yml", expr)) == 0 && !strings.HasPrefix(expr, `up{job="nanoring"}`) {
				t.Errorf("nothing of NanoRing's: %s", expr)
			}
		}
	}
	if rules == 0 || at != len(alertLines)-1 {
		t.Errorf("%d rules, the last one up to its line %d", rules, at)
	}
}

// TestDashboard: it shows metrics that there are, and all of them.
func TestDashboard(t *testing.T) {
	var board struct {
		Title  string
		Panels []struct {
			ID      int
			Type    string
			Title   string
			GridPos struct{ H, W, X, Y int }
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal([]byte(deployed(t, "dashboard.json")), &board); err != nil {
		t.Fatal(err)
	}
	shown := make(map[string]bool)
	ids := make(map[int]bool)
	place := make(map[[2]int]string)
	for _, p := range board.Panels {
		if p.Title == "" || ids[p.ID] || p.Type != "row" && len(p.Targets) == 0 || p.GridPos.X+p.GridPos.W > 24 {
			t.Errorf("%+v", p)
		}
		ids[p.ID] = true
		for x := range p.GridPos.W {
			for y := range p.GridPos.H {
				at := [2]int{p.GridPos.X + x, p.GridPos.Y + y}
				if place[at] != "" {
					t.Fatalf("%s lies on %s", p.Title, place[at])
				}
				place[at] = p.Title
			}
		}
		for _, target := range p.Targets {
			for _, name := range checkExpr(t, p.Title, target.Expr) {
				shown[name] = true
			}
		}
	}
	for _, f := range families {
		if !shown[f.name] {
			t.Errorf("nothing shows %s", f.name)
		}
	}
}

// TestDeployed: what is there to be taken says what a node needs of a proxy, wherever this
// runs; and where the program is that it is for, that takes it.
func TestDeployed(t *testing.T) {
	for name, lines := range map[string][]string{
		"nginx.conf":     {"proxy_http_version 1.1;", "proxy_set_header Host $http_host;", "proxy_set_header Upgrade $http_upgrade;", "proxy_set_header Connection $connection_upgrade;", "keepalive_timeout 60s;"},
		"haproxy.cfg":    {"option httpchk GET /readyz", "timeout tunnel 60s", "timeout server 60s"},
		"Caddyfile":      {"health_uri /readyz", "flush_interval -1"},
		"prometheus.yml": {"- url: http://127.0.0.1:7001/v1/targets", "- source_labels: [__meta_nanoring_name]", "- alerts.yml"},
	} {
		text := deployed(t, name)
		for _, line := range lines {
			if !regexp.MustCompile(`(?m)^\s*` + regexp.QuoteMeta(line) + `( #.*)?$`).MatchString(text) {
				t.Errorf("%s has no %s", name, line)
			}
		}
		if strings.Count(text, "{") != strings.Count(text, "}") {
			t.Errorf("%s: a brace is not closed", name)
		}
	}
	dir := t.TempDir()
	nginx := strings.Replace(deployed(t, "nginx.conf"), "http {", "http {\naccess_log off; client_body_temp_path "+dir+"/b; proxy_temp_path "+dir+"/p; fastcgi_temp_path "+dir+"/f; uwsgi_temp_path "+dir+"/u; scgi_temp_path "+dir+"/s;", 1)
	if err := os.WriteFile(filepath.Join(dir, "nginx.conf"), []byte("pid "+dir+"/pid;\n"+nginx), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, check := range [][]string{
		{"nginx", "-t", "-p", dir, "-e", filepath.Join(dir, "log"), "-c", filepath.Join(dir, "nginx.conf")},
		{"haproxy", "-c", "-f", "../deploy/haproxy.cfg"},
		{"caddy", "validate", "--adapter", "caddyfile", "--config", "../deploy/Caddyfile"},
		{"promtool", "check", "config", "../deploy/prometheus.yml"},
	} {
		path, err := exec.LookPath(check[0])
		if err != nil {
			t.Logf("%s is not here: only what its file has to say was looked at", check[0])
			continue
		}
		var said bytes.Buffer
		cmd := exec.CommandContext(soon(t), path, check[1:]...)
		cmd.Stdout, cmd.Stderr = &said, &said
		if err := cmd.Run(); err != nil {
			t.Errorf("%s: %v\n%s", check[0], err, &said)
		}
	}
}
