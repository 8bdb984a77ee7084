package nanoring

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/nanoring/nanoring"

// room is a line of the table of who may import what.
type room struct {
	rooms   []string // of this house: "core" is the package, "core/..." all below it too
	modules []string // other modules that its packages import themselves
	pure    bool     // kept to the std packages that a small deterministic core needs
	never   []string // rooms that it must not even reach through others
}

// house is the table. A package that is in none of its lines fails the test:
// give it a room, or a line.
var house = map[string]room{
	".":             {},
	"core":          {rooms: []string{"core/ledger", "core/lww", "core/wire"}, modules: xxhash, pure: true},
	"core/ledger":   {pure: true},
	"core/lww":      {modules: xxhash, pure: true},
	"core/wire":     {modules: xxhash, pure: true},
	"core/sim":      {rooms: []string{"core", "core/lww", "core/wire"}, modules: xxhash, never: []string{"native/...", "host/..."}},
	"core/mutant":   {},
	"core/every":    {rooms: []string{"core", "core/lww", "core/sim", "core/wire"}, modules: xxhash, never: []string{"native/...", "host/..."}},
	"core/story":    {rooms: []string{"core", "core/sim", "core/wire"}, modules: []string{"github.com/cockroachdb/datadriven"}, never: []string{"native/...", "host/..."}},
	"native":        {rooms: []string{".", "core", "core/ledger", "core/wire", "native/disk", "native/source", "native/trust", "wasm/module", "web"}, modules: []string{"github.com/coder/websocket", "github.com/VictoriaMetrics/metrics", "golang.org/x/sys"}, never: []string{"host/...", "core/sim", "cmd/..."}},
	"native/disk":   {rooms: []string{"core", "core/wire"}, modules: diskModules, never: []string{"native", "native/trust", "host/...", "core/sim", "cmd/..."}},
	"native/source": {rooms: []string{"core/wire"}, modules: []string{"github.com/hashicorp/mdns"}, never: []string{"native", "native/disk", "native/trust", "host/...", "core/sim", "cmd/..."}},
	"native/trust":  {rooms: []string{"core", "core/wire"}, modules: []string{"github.com/golang-jwt/jwt/v5"}, never: []string{"native", "native/disk", "host/...", "core/sim", "cmd/..."}},
	"wasm":          {rooms: []string{"core", "core/wire"}},
	"wasm/module":   {},
	"wasm/squeeze":  {modules: []string{"github.com/andybalholm/brotli"}},
	"host/...":      {rooms: []string{"core", "core/wire", "host/...", "wasm/module"}, modules: hostModules, never: []string{"native/...", "core/sim", "cmd/..."}},
	"web/...":       {},
	"cmd/...":       {rooms: []string{".", "cmd/...", "core/...", "host/...", "native/...", "wasm/...", "web/..."}, modules: commandModules},

	// Programs of somebody else's, that embed a node.
	"examples/...": {rooms: []string{"core", "host", "native"}},
}

var (
	xxhash         = []string{"github.com/cespare/xxhash/v2"}
	hostModules    = []string{"github.com/tetratelabs/wazero", "golang.org/x/sys"}
	diskModules    = []string{"github.com/gofrs/flock", "github.com/google/renameio/v2", "golang.org/x/sys"}
	commandModules = []string{
		"github.com/pelletier/go-toml/v2",
		"github.com/spf13/cobra",
		"github.com/spf13/pflag",
		"github.com/vmihailenco/msgpack/v5",
		"golang.org/x/sys",
	}
)

// What the core must not import itself, and what it must not even reach: the
// latter is what makes its module big. (reflect and sync come with other small
// std packages and cost nothing there.)
var (
	impure = []string{"net", "os", "time", "fmt", "context", "encoding/json", "reflect", "sync"}
	heavy  = []string{"net", "os", "time", "fmt", "context", "encoding/json"}
)

type pkg struct {
	Dir        string
	ImportPath string
	Standard   bool
	GoFiles    []string
	Imports    []string
	Deps       []string
	Module     *struct{ Path string }
}

var wasip1 = []string{"GOOS=wasip1", "GOARCH=wasm", "GOEXPERIMENT=nogreenteagc"} // as make module

func TestHouse(t *testing.T) {
	look(t)
	t.Run("native", func(t *testing.T) { check(t, list(t, nil, "./...")) })
	t.Run("wasip1", func(t *testing.T) { check(t, list(t, wasip1, "./...")) })
}

func check(t *testing.T, all map[string]pkg) {
	for path, p := range all {
		name, ours := roomOf(path)
		if !ours {
			continue
		}
		r, ok := house[line(name)]
		if !ok {
			t.Errorf("%s is in no room: add it to the table in house_test.go", name)
			continue
		}
		for _, imp := range p.Imports {
			q := all[imp]
			switch other, ours := roomOf(imp); {
			case ours:
				if !matches(r.rooms, other) {
					t.Errorf("%s must not import %s", name, other)
				}
			case q.Standard || imp == "C" || imp == "unsafe":
				if r.pure && slices.ContainsFunc(impure, func(s string) bool { return under(imp, s) }) {
					t.Errorf("%s must not import %s", name, imp)
				}
			case q.Module != nil && !slices.Contains(r.modules, q.Module.Path):
				t.Errorf("%s must not import %s", name, imp)
			}
		}
		for _, dep := range p.Deps {
			if other, ours := roomOf(dep); ours && matches(r.never, other) {
				t.Errorf("%s must not reach %s, not even through others", name, other)
			}
		}
	}
}

// TestCoreIsSmall looks at the core as the module is built of it.
func TestCoreIsSmall(t *testing.T) {
	look(t)
	pure := []string{"./core", "./core/lww", "./core/wire"}
	for path, p := range list(t, wasip1, pure...) {
		if name, ours := roomOf(path); ours {
			for _, dep := range p.Deps {
				if slices.ContainsFunc(heavy, func(s string) bool { return under(dep, s) }) {
					t.Errorf("%s must not reach %s", name, dep)
				}
			}
		}
	}
	run(t, wasip1, append([]string{"build"}, pure...)...)
}

// TestCoreIsPure reads the core's sources for what no list of imports shows.
func TestCoreIsPure(t *testing.T) {
	for path, p := range list(t, nil, "./core/...") {
		name, ours := roomOf(path)
		if !ours || !house[line(name)].pure {
			continue
		}
		for _, file := range p.GoFiles {
			fset := token.NewFileSet()
			f, err := parser.ParseFile(fset, filepath.Join(p.Dir, file), nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(f, func(n ast.Node) bool {
				what := ""
				switch n := n.(type) {
				case *ast.GoStmt:
					what = "a goroutine"
				case *ast.ChanType, *ast.SelectStmt:
					what = "a channel"
				case *ast.BasicLit:
					if n.Kind == token.FLOAT || n.Kind == token.IMAG {
						what = "floating point"
					}
				case *ast.Ident:
					if n.Name == "float32" || n.Name == "float64" {
						what = "floating point"
					}
				}
				if what != "" {
					t.Errorf("%s/%s:%d: the core has no use for %s", name, file, fset.Position(n.Pos()).Line, what)
				}
				return true
			})
		}
	}
}

// roomOf returns where in the house a package is, "." for its root.
func roomOf(path string) (string, bool) {
	if path == module {
		return ".", true
	}
	return strings.CutPrefix(path, module+"/")
}

// line returns the key of the line of the table that speaks of the room.
func line(name string) string {
	if _, ok := house[name]; ok {
		return name
	}
	for _, key := range slices.Sorted(maps.Keys(house)) {
		if matches([]string{key}, name) {
			return key
		}
	}
	return name
}

func matches(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		root, deep := strings.CutSuffix(p, "/...")
		return name == root || deep && under(name, root)
	})
}

func under(path, root string) bool {
	return path == root || strings.HasPrefix(path, root+"/")
}

// look walks the sources, so that go test's cache knows that this test, which
// leaves the reading to another process, depends on them.
func look(t *testing.T) {
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if d != nil && d.IsDir() && (path == ".git" || path == "bin" || path == "data") {
			return filepath.SkipDir
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// list returns the packages that match the patterns, and all they depend on.
func list(t *testing.T, env []string, patterns ...string) map[string]pkg {
	t.Helper()
	out := run(t, env, append([]string{"list", "-e", "-deps", "-json=Dir,ImportPath,Standard,GoFiles,Imports,Deps,Module"}, patterns...)...)
	pkgs := make(map[string]pkg)
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return pkgs
		} else if err != nil {
			t.Fatal(err)
		}
		pkgs[p.ImportPath] = p
	}
}

func run(t *testing.T, env []string, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Env = append(os.Environ(), env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, &stderr)
	}
	return out
}

// TestWebHouse: the library that pages import needs nothing but itself; the page needs the library, by its door.
func TestWebHouse(t *testing.T) {
	imports := regexp.MustCompile(`(?m)^import (?:.* from )?"(.*)";`)
	types := regexp.MustCompile(`import\("(.*?)"\)`)
	may := map[string]*regexp.Regexp{
		"web/lib":  regexp.MustCompile(`^\./[a-z]+\.js$`),
		"web/page": regexp.MustCompile(`^(\./[a-z]+|\.\./lib/nanoring)\.js$`),
	}
	seen := 0
	for folder, may := range may {
		files, err := filepath.Glob(folder + "/*.js")
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range slices.Concat(imports.FindAllStringSubmatch(string(source), -1), types.FindAllStringSubmatch(string(source), -1)) {
				if seen++; !may.MatchString(m[1]) {
					t.Errorf("%s must not import %s", file, m[1])
				}
			}
		}
	}
	if seen < 50 {
		t.Errorf("only %d imports were looked at", seen)
	}
}

// TestPageShowsText: the page shows text by web/page/text.js, which escapes what cannot be seen for what it is.
func TestPageShowsText(t *testing.T) {
	raw := regexp.MustCompile("\\.(textContent|innerText|innerHTML|outerHTML) \\+?= .*|createTextNode.*|insertAdjacent.*|\\w+\\.title = .*|fillText\\(.*|\"aria-label\", .*|\\.(append|prepend|replaceChildren|before|after)\\([^\\n]*`[^\\n]*")
	legible := regexp.MustCompile("\\b(el|svg|mark|legible)\\((.*)\\)|`\\$\\{nodes\\.length\\}.*`") // what is made of it; and numbers
	may := []string{"this.title = title;", "document.title = title;", "fillText(text, x, y);"}      // a class's own; and those were made legible before
	files, err := filepath.Glob("web/page/*.js")
	if err != nil || len(files) < 20 {
		t.Fatal(len(files), err)
	}
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range raw.FindAllString(string(source), -1) {
			if file != "web/page/text.js" && !slices.Contains(may, found) && !legible.MatchString(found) {
				t.Errorf("%s: %s: let web/page/text.js write it", file, found)
			}
		}
	}
}
