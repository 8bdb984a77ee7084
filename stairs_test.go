package nanoring

import (
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestStairs expects of the core's files what the house asks of packages: calls go
// one way between two of them. A pair that has to call each other both ways says
// why, in a comment of one of the files that begins with "Both ways with" and the
// name of the other.
func TestStairs(t *testing.T) {
	for _, dir := range []string{"core", "core/lww", "core/wire"} {
		calls, comments := callsBetween(t, dir)
		var both []string
		for from, all := range calls {
			for to := range all {
				if from < to && calls[to][from] != nil {
					both = append(both, from+" and "+to+" call each other:\n\t"+
						strings.Join(all[to], ", ")+"\n\t"+strings.Join(calls[to][from], ", "))
					if strings.Contains(comments[from], "Both ways with "+to) || strings.Contains(comments[to], "Both ways with "+from) {
						both = both[:len(both)-1]
					}
				}
			}
		}
		slices.Sort(both)
		for _, pair := range both {
			t.Errorf("%s: %s", dir, pair)
		}
	}
}

// callsBetween returns whom each file calls in which other, and all its comments.
func callsBetween(t *testing.T, dir string) (calls map[string]map[string][]string, comments map[string]string) {
	t.Helper()
	fset := token.NewFileSet()
	var files []*ast.File
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	comments = make(map[string]string)
	for _, e := range entries {
		if name := e.Name(); strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") {
			f, err := parser.ParseFile(fset, filepath.Join(dir, name), nil, parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, f)
			for _, c := range f.Comments {
				comments[name] += c.Text()
			}
		}
	}
	info := &types.Info{Uses: make(map[*ast.Ident]types.Object)}
	cfg := types.Config{Importer: importer.ForCompiler(fset, "source", nil)}
	if _, err := cfg.Check(module+"/"+dir, fset, files, info); err != nil {
		t.Fatal(err)
	}
	calls = make(map[string]map[string][]string)
	for id, obj := range info.Uses {
		f, ok := obj.(*types.Func)
		if !ok || f.Pkg() == nil || f.Pkg().Path() != module+"/"+dir {
			continue
		}
		from, to := filepath.Base(fset.Position(id.Pos()).Filename), filepath.Base(fset.Position(f.Pos()).Filename)
		if from == to {
			continue
		}
		if calls[from] == nil {
			calls[from] = make(map[string][]string)
		}
		if what := from + ": " + f.Name(); !slices.Contains(calls[from][to], what) {
			calls[from][to] = append(calls[from][to], what)
		}
	}
	return calls, comments
}

// TestRingIsSmall holds the Ring to what is left of it beside the owners of its state.
func TestRingIsSmall(t *testing.T) {
	const mostFields, mostMethods = 28, 86
	fset := token.NewFileSet()
	pkgs, err := filepath.Glob("core/*.go")
	if err != nil {
		t.Fatal(err)
	}
	fields, methods := 0, 0
	for _, path := range pkgs {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(fset, path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Recv != nil && receiver(d) == "Ring" {
					methods++
				}
			case *ast.GenDecl:
				for _, s := range d.Specs {
					if ts, ok := s.(*ast.TypeSpec); ok && ts.Name.Name == "Ring" {
						for _, field := range ts.Type.(*ast.StructType).Fields.List {
							fields += max(1, len(field.Names))
						}
					}
				}
			}
		}
	}
	if fields == 0 || fields > mostFields || methods == 0 || methods > mostMethods {
		t.Errorf("Ring has %d fields and %d methods, of which %d and %d are enough: does each state have an owner?", fields, methods, mostFields, mostMethods)
	}
}

func receiver(d *ast.FuncDecl) string {
	switch t := d.Recv.List[0].Type.(type) {
	case *ast.StarExpr:
		if id, ok := t.X.(*ast.Ident); ok {
			return id.Name
		}
	case *ast.Ident:
		return t.Name
	}
	return ""
}
