package nanoring

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// logCalls are the methods of slog.Logger that take keys, and at which argument the first is.
var logCalls = map[string]int{"Debug": 1, "Info": 1, "Warn": 1, "Error": 1, "With": 0, "Log": 3}

var logKey = regexp.MustCompile(`^[a-z][a-z_]*$`)

// TestLogKeys: what reads the log finds each value by a key that is one word, and a constant.
func TestLogKeys(t *testing.T) {
	calls := 0
	for _, room := range []string{"native", "cmd", "host"} {
		err := filepath.WalkDir(room, func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			set := token.NewFileSet()
			file, err := parser.ParseFile(set, path, nil, 0)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(node ast.Node) bool {
				call, ok := node.(*ast.CallExpr)
				if !ok {
					return true
				}
				method, ok := call.Fun.(*ast.SelectorExpr)
				if !ok {
					return true
				}
				first, ok := logCalls[method.Sel.Name]
				if !ok || !isLog(method.X) {
					return true
				}
				calls++
				if wrong := wrongKeys(call, first); wrong != "" {
					t.Errorf("%s: %s", set.Position(call.Pos()), wrong)
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if calls < 30 {
		t.Errorf("only %d lines of logs are found", calls)
	}
}

// isLog says whether an expression is a logger, by its name: log, n.log, config.Log.
func isLog(x ast.Expr) bool {
	name := ""
	switch x := x.(type) {
	case *ast.Ident:
		name = x.Name
	case *ast.SelectorExpr:
		name = x.Sel.Name
	case *ast.CallExpr: // slog.New(…)
		if of, ok := x.Fun.(*ast.SelectorExpr); ok {
			from, _ := of.X.(*ast.Ident)
			return from != nil && from.Name == "slog"
		}
	}
	return strings.EqualFold(name, "log")
}

func wrongKeys(call *ast.CallExpr, first int) string {
	if call.Ellipsis.IsValid() {
		return "its keys are not here to be read"
	}
	for i := first; i < len(call.Args); i += 2 {
		key, ok := call.Args[i].(*ast.BasicLit)
		if !ok || key.Kind != token.STRING {
			return "a key is no constant"
		}
		if text, err := strconv.Unquote(key.Value); err != nil || !logKey.MatchString(text) {
			return "a key is not one word: " + key.Value
		}
	}
	if (len(call.Args)-first)%2 != 0 {
		return "a key has no value"
	}
	return ""
}
