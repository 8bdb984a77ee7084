package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"slices"
	"strings"
	"testing"
)

// TestPrinters: what the command line prints goes through a printer, which escapes what others
// said. Elsewhere nobody reaches the standard output or error; no format is made of what others
// said; and what a printer does not escape, or escapes but for the ends of lines, is printed by
// those alone that are named here.
func TestPrinters(t *testing.T) {
	may := map[string][]string{
		"plain":               {"backup.go"},                                   // a ring file, for a pipe
		"lines":               {"demo_screen.go", "flag_groups.go", "main.go"}, // help, and the demo's own screen
		"back":                {"demo_screen.go"},
		"sink":                {},
		"tabwriter.NewWriter": {},
		"secret":              {"keygen.go"},
		"OutOrStdout":         {}, "OutOrStderr": {}, "ErrOrStderr": {}, "SetOut": {}, "SetErr": {},
		"os.Stdout": {}, "os.Stderr": {},
		"fmt.Print": {}, "fmt.Printf": {}, "fmt.Println": {},
		"cmd.Print": {}, "cmd.Printf": {}, "cmd.Println": {}, "cmd.PrintErr": {}, "cmd.PrintErrf": {}, "cmd.PrintErrln": {},
	}
	printed := 0
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		name := file.Name()
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") || name == "printer.go" {
			continue
		}
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.SelectorExpr:
				what := n.Sel.Name
				if x, ok := n.X.(*ast.Ident); ok && may[x.Name+"."+what] != nil {
					what = x.Name + "." + what
				}
				if who, is := may[what]; is && !slices.Contains(who, name) {
					t.Errorf("%s: %s is for printer.go: use a method of printer that escapes", fset.Position(n.Pos()), what)
				}
			case *ast.CallExpr:
				if s, ok := n.Fun.(*ast.SelectorExpr); ok && (s.Sel.Name == "printf" || s.Sel.Name == "rewrite") {
					printed++
					if !constant(n.Args[0]) {
						t.Errorf("%s: the format is no constant", fset.Position(n.Pos()))
					}
				}
				if x, ok := n.Fun.(*ast.Ident); ok && (x.Name == "print" || x.Name == "println") && len(n.Args) > 0 {
					t.Errorf("%s: %s escapes nothing", fset.Position(n.Pos()), x.Name)
				}
			case *ast.CompositeLit:
				if x, ok := n.Type.(*ast.Ident); ok && x.Name == "printer" && name != "demo_screen.go" {
					t.Errorf("%s: printers are made by stdout and stderr", fset.Position(n.Pos()))
				}
			}
			return true
		})
	}
	if printed < 40 {
		t.Errorf("only %d formats were looked at", printed)
	}
}

// constant says whether an expression is made of literals alone.
func constant(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.BasicLit:
		return true
	case *ast.BinaryExpr:
		return constant(e.X) && constant(e.Y)
	}
	return false
}
