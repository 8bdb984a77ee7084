package native

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nanoring/nanoring/core/wire"
)

// lint is what promlint, of Prometheus, asks of a metric.
func lint(f family) (wrong []string) {
	say := func(is bool, what string) {
		if is {
			wrong = append(wrong, what)
		}
	}
	say(!regexp.MustCompile(`^[a-z][a-z0-9]*(_[a-z0-9]+)*$`).MatchString(f.name), "the name is not in snake_case")
	say(f.help == "" || !strings.HasSuffix(f.help, "."), "there is no help")
	say((f.kind == counter) != strings.HasSuffix(f.name, "_total"), "counters, and no others, end in _total")
	for _, end := range []string{"_count", "_sum", "_bucket"} {
		say(strings.HasSuffix(f.name, end), "it ends as a histogram's sample")
	}
	for word := range strings.SplitSeq(f.name, "_") {
		say(slices.Contains([]string{"counter", "gauge", "histogram", "summary"}, word), "the type is in the name")
		say(slices.Contains([]string{"s", "ms", "us", "ns", "sec", "m", "h", "d", "b", "kb", "mb", "v", "g", "c", "f"}, word), "a unit is abbreviated")
		say(slices.Contains([]string{"milliseconds", "microseconds", "nanoseconds", "minutes", "hours", "days", "kilobytes", "megabytes", "kibibytes", "mebibytes", "percent"}, word), "the unit is no base unit")
	}
	for _, label := range f.labels {
		say(!regexp.MustCompile(`^[a-z][a-z_]*$`).MatchString(label) || label == "le" || label == "quantile", "the label "+label)
	}
	return wrong
}

func TestMetricsAreNamedWell(t *testing.T) {
	seen := make(map[string]bool)
	for _, f := range families {
		if wrong := lint(f); len(wrong) > 0 || seen[f.name] {
			t.Errorf("%s: %s", f.name, strings.Join(wrong, "; "))
		}
		seen[f.name] = true
	}
	for _, bad := range []family{
		{"nanoringRounds_total", counter, "Rounds.", nil}, {"nanoring_rounds", counter, "Rounds.", nil}, {"nanoring_members_total", gauge, "Members.", nil},
		{"nanoring_trip_ms", histogram, "A trip.", nil}, {"nanoring_trip_milliseconds", histogram, "A trip.", nil}, {"nanoring_debts", gauge, "", nil},
		{"nanoring_rounds_counter_total", counter, "Rounds.", nil}, {"nanoring_members_count", gauge, "Members.", nil}, {"nanoring_a", gauge, "A.", []string{"le"}},
	} {
		if len(lint(bad)) == 0 {
			t.Errorf("%+v passes", bad)
		}
	}
}

// TestMetricsAreTold: docs/operations.md has the metrics of the list, word for word.
func TestMetricsAreTold(t *testing.T) {
	var want strings.Builder
	for _, f := range families {
		fmt.Fprintf(&want, "| `%s` | %s | %s | %s |\n", f.name, f.kind, strings.Join(f.labels, ", "), f.help)
	}
	b, err := os.ReadFile("../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(b), "| metric | type | labels | what it is |\n| --- | --- | --- | --- |\n")
	if table, _, _ = strings.Cut(table, "\n\n"); table+"\n" != want.String() {
		t.Errorf("the table of metrics in docs/operations.md is not\n%s", &want)
	}
}

// sampled are the values of a text for Prometheus, by name and labels.
type sampled map[string]float64

var sampleLine = regexp.MustCompile(`^([a-z_]+)((?:\{[a-z_]+="(?:[^"\\]|\\.)*"(?:,[a-z_]+="(?:[^"\\]|\\.)*")*\})?) ([^ ]+)$`)

// parseMetrics reads a text as Prometheus would, and expects of it what the list says.
func parseMetrics(t *testing.T, text string) sampled {
	t.Helper()
	all := make(sampled)
	var is *family
	seen := make(map[string]bool)
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if rest, ok := strings.CutPrefix(line, "# HELP "); ok {
			name, help, _ := strings.Cut(rest, " ")
			i := slices.IndexFunc(families, func(f family) bool { return f.name == name })
			if i < 0 || families[i].help != help || seen[name] {
				t.Fatalf("%s", line)
			}
			is, seen[name] = &families[i], true
			continue
		}
		if rest, ok := strings.CutPrefix(line, "# TYPE "); ok {
			if is == nil || rest != is.name+" "+is.kind {
				t.Fatalf("%s", line)
			}
			continue
		}
		m := sampleLine.FindStringSubmatch(line)
		if m == nil || is == nil {
			t.Fatalf("%s", line)
		}
		name := m[1]
		if base, ok := histogramOf(name); ok {
			name = base
		}
		v, err := strconv.ParseFloat(m[3], 64)
		if _, twice := all[m[1]+m[2]]; err != nil || twice || name != is.name {
			t.Fatalf("%s: %v", line, err)
		}
		var labels []string
		for _, l := range regexp.MustCompile(`([a-z_]+)="`).FindAllStringSubmatch(m[2], -1) {
			if l[1] != "le" {
				labels = append(labels, l[1])
			}
		}
		if !slices.Equal(labels, is.labels) {
			t.Errorf("%s has not the labels %v", line, is.labels)
		}
		all[m[1]+m[2]] = v
	}
	return all
}

// sum adds up the samples whose name begins so, and whose labels have these in them.
func (s sampled) sum(name string, labels ...string) (sum float64) {
	for key, v := range s {
		base, rest, _ := strings.Cut(key, "{")
		if base != name || slices.ContainsFunc(labels, func(l string) bool { return !strings.Contains(rest, l) }) {
			continue
		}
		sum += v
	}
	return sum
}

func metricsOf(t *testing.T, n *Node) sampled {
	t.Helper()
	var b bytes.Buffer
	if err := n.WriteMetrics(&b); err != nil {
		t.Fatal(err)
	}
	return parseMetrics(t, b.String())
}

// TestFramesOfEachKindAreCounted: also of those that there are not.
func TestFramesOfEachKindAreCounted(t *testing.T) {
	m := newMeter()
	for kind := range 256 {
		m.said(&conn{}, []byte{0x92, byte(kind), 0})
		m.heard(&conn{}, []byte{0x92, byte(kind), 0}, time.Now())
	}
	for kind := range wire.Kinds {
		for way, what := range []string{in: "came", out: "were sent"} {
			if got := m.traffic[way][kind].frames.Load(); got != 1 && kind > 0 || got == 0 {
				t.Errorf("of kind %s %v %s", wire.Kind(kind), got, what)
			}
		}
	}
}
