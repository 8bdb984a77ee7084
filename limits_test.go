package nanoring

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// limited are the packages whose limits docs/limits.md has.
var limited = []string{
	"core", "core/ledger", "core/lww", "core/wire", "native", "native/disk", "native/source", "native/trust", "host", "wasm", "cmd/nanoring",
}

var (
	limitName = regexp.MustCompile(`^([mM]ax|[mM]ost)[A-Z]`)
	limitRow  = regexp.MustCompile("(?m)^\\| (.*?) \\| (.*?) \\| (.*?) \\| `((?:[a-z]+/)*[a-z]+)\\.(\\w+)` \\|$")
	quantity  = regexp.MustCompile(`^([0-9](?:[0-9,.]*[0-9])?)(?:,? (\S+))?$`)
)

// TestLimits: docs/limits.md has each constant that is a limit, with its value, and no other.
func TestLimits(t *testing.T) {
	c := constants{}
	for _, dir := range limited {
		c.read(t, dir)
	}
	documented := make(map[string]bool)
	for _, row := range limitRow.FindAllStringSubmatch(text(t, "docs/limits.md"), -1) {
		name := row[4] + "." + row[5]
		documented[name] = true
		value, isTime := c.value(row[4], row[5])
		if value == nil || value.Kind() == constant.Unknown {
			t.Errorf("there is no constant %s", name)
			continue
		}
		if want, err := quantityOf(row[2], isTime); err != nil || !constant.Compare(constant.ToFloat(value), token.EQL, constant.ToFloat(want)) {
			t.Errorf("%s is %s, and %q in docs/limits.md (%v)", name, value, row[2], err)
		}
	}
	for name := range c {
		_, of, _ := strings.Cut(path.Base(name), ".")
		if limitName.MatchString(of) && !documented[name] {
			value, _ := c.value(strings.TrimSuffix(name, "."+of), of)
			t.Errorf("docs/limits.md lacks %s, which is %s", name, value)
		}
	}
	if len(documented) < 60 {
		t.Errorf("only %d rows were found", len(documented))
	}
}

// units are what a number in the table may be of. Those of times are nanoseconds.
var units = map[string]int64{
	"": 1, "bytes": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30,
	"ns": 1, "µs": int64(time.Microsecond), "ms": int64(time.Millisecond), "s": int64(time.Second), "minutes": int64(time.Minute), "minute": int64(time.Minute),
	"hours": int64(time.Hour), "hour": int64(time.Hour), "days": 24 * int64(time.Hour), "day": 24 * int64(time.Hour),
}

// quantityOf reads what a cell says. A time is in nanoseconds.
func quantityOf(cell string, isTime bool) (constant.Value, error) {
	m := quantity.FindStringSubmatch(cell)
	if m == nil {
		return constant.MakeUnknown(), fmt.Errorf("it is no quantity, like 64 KiB")
	}
	unit, ok := units[m[2]]
	if !isTime && (m[2] == "seconds" || m[2] == "ms") { // which the constant counts
		unit, ok = 1, true
	}
	if !ok || isTime && m[2] == "" {
		return constant.MakeUnknown(), fmt.Errorf("the unit is not known")
	}
	number := constant.MakeFromLiteral(strings.ReplaceAll(m[1], ",", ""), token.FLOAT, 0)
	return constant.BinaryOp(number, token.MUL, constant.MakeInt64(unit)), nil
}

// constants are those of packages, as "core/wire.MaxFrame": what they are set to, and where.
type constants map[string]expression

type expression struct {
	ast.Expr
	imports map[string]string // of the file
}

func (c constants) read(t *testing.T, dir string) {
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, source, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		imports := make(map[string]string)
		for _, imp := range f.Imports {
			p := strings.Trim(imp.Path.Value, `"`)
			imports[path.Base(p)] = strings.TrimPrefix(p, module+"/")
		}
		for _, d := range f.Decls {
			if d, ok := d.(*ast.GenDecl); ok && d.Tok == token.CONST {
				for _, spec := range d.Specs {
					spec := spec.(*ast.ValueSpec)
					for i, id := range spec.Names {
						if i < len(spec.Values) {
							c[dir+"."+id.Name] = expression{spec.Values[i], imports}
						}
					}
				}
			}
		}
	}
}

// value returns what a constant is, a time in nanoseconds; nil if there is none.
func (c constants) value(dir, name string) (v constant.Value, isTime bool) {
	e, ok := c[dir+"."+name]
	if !ok {
		return nil, false
	}
	if dir == "core" && name == "Millisecond" { // from which all times of the core come: in microseconds
		return constant.MakeInt64(int64(time.Millisecond)), true
	}
	return c.eval(dir, e.imports, e.Expr)
}

func (c constants) eval(dir string, imports map[string]string, e ast.Expr) (v constant.Value, isTime bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		return constant.MakeFromLiteral(e.Value, e.Kind, 0), false
	case *ast.ParenExpr:
		return c.eval(dir, imports, e.X)
	case *ast.Ident:
		return c.value(dir, e.Name)
	case *ast.SelectorExpr:
		from := imports[e.X.(*ast.Ident).Name]
		if from != "time" {
			return c.value(from, e.Sel.Name)
		}
		unit := map[string]time.Duration{"Microsecond": time.Microsecond, "Millisecond": time.Millisecond, "Second": time.Second, "Minute": time.Minute, "Hour": time.Hour}
		return constant.MakeInt64(int64(unit[e.Sel.Name])), true
	case *ast.BinaryExpr:
		x, timeX := c.eval(dir, imports, e.X)
		y, timeY := c.eval(dir, imports, e.Y)
		if x == nil || y == nil {
			return nil, false
		}
		switch e.Op {
		case token.SHL, token.SHR:
			n, _ := constant.Uint64Val(y)
			return constant.Shift(x, e.Op, uint(n)), timeX
		case token.QUO:
			return constant.BinaryOp(x, token.QUO_ASSIGN, y), timeX && !timeY // of integers
		}
		return constant.BinaryOp(x, e.Op, y), timeX || timeY
	case *ast.CallExpr: // a conversion, or min, of what the most is on systems of 64 bits
		return c.eval(dir, imports, e.Args[0])
	}
	return nil, false
}
