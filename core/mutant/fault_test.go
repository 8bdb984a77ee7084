package main

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestFaultsComeBack: each fault can be put back still, and compiles then.
func TestFaultsComeBack(t *testing.T) {
	t.Chdir("../..")
	files, err := faultFiles(nil)
	if err != nil || len(files) == 0 {
		t.Fatalf("%d faults: %v", len(files), err)
	}
	var check checker
	for _, file := range files {
		f, err := readFault(file)
		if err != nil {
			t.Error(err)
			continue
		}
		sources, err := f.apply()
		if err != nil {
			t.Error(err)
			continue
		}
		for changed := range sources {
			if err := check.types(path.Dir(changed), sources); err != nil {
				t.Errorf("%s: it does not compile: %v", file, err)
			}
		}
	}
	if _, err := equivalents(); err != nil {
		t.Error(err)
	}
}

// TestSearchesRun: each search of a fault names a test that there is: one that runs none would find nothing, and not say so.
func TestSearchesRun(t *testing.T) {
	t.Chdir("../..")
	files, err := faultFiles(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		f, err := readFault(file)
		if err != nil {
			t.Error(err)
			continue
		}
		for _, s := range f.searches {
			i := slices.Index(s.args, "-run")
			if i < 0 || i+1 == len(s.args) || len(s.args) < 3 {
				t.Errorf("%s: %v runs no test of its own", file, s.args)
				continue
			}
			test, _, _ := strings.Cut(s.args[i+1], "/")
			sources, err := filepath.Glob(path.Join(s.args[2], "*_test.go"))
			if err != nil || !slices.ContainsFunc(sources, func(source string) bool { return declares(t, source, test) }) {
				t.Errorf("%s: there is no test %s in %s, %v", file, test, s.args[2], err)
			}
		}
	}
}

var testName = regexp.MustCompile(`(?m)^func (Test\w+)\(`)

func declares(t *testing.T, source, test string) bool {
	t.Helper()
	text, err := os.ReadFile(source)
	if err != nil {
		t.Fatal(err)
	}
	want := regexp.MustCompile(test)
	return slices.ContainsFunc(testName.FindAllSubmatch(text, -1), func(m [][]byte) bool { return want.Match(m[1]) })
}

// checker checks types of packages with other sources, which is all that compiling may fail by.
type checker struct {
	fset *token.FileSet
	imp  types.Importer
	pkgs map[string]pkg // by folder
}

type pkg struct {
	ImportPath, Dir, Export string
	GoFiles                 []string
}

func (c *checker) types(dir string, sources map[string][]byte) error {
	if c.fset == nil {
		if err := c.load(); err != nil {
			return err
		}
	}
	p := c.pkgs[dir]
	var files []*ast.File
	for _, name := range p.GoFiles {
		var src any
		if b, ok := sources[path.Join(dir, name)]; ok {
			src = b
		}
		f, err := parser.ParseFile(c.fset, filepath.Join(p.Dir, name), src, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		files = append(files, f)
	}
	_, err := (&types.Config{Importer: c.imp}).Check(p.ImportPath, c.fset, files, nil)
	return err
}

// load has the go command build what the packages import.
func (c *checker) load() error {
	c.fset, c.pkgs = token.NewFileSet(), make(map[string]pkg)
	exports := make(map[string]string)
	out, err := exec.Command("go", "list", "-export", "-deps", "-json=ImportPath,Dir,Export,GoFiles", "./core", "./native/...").Output()
	if err != nil {
		return err
	}
	wd, err := os.Getwd()
	if err != nil {
		return err
	}
	for dec := json.NewDecoder(bytes.NewReader(out)); dec.More(); {
		var p pkg
		if err := dec.Decode(&p); err != nil {
			return err
		}
		exports[p.ImportPath] = p.Export
		if dir, err := filepath.Rel(wd, p.Dir); err == nil {
			c.pkgs[filepath.ToSlash(dir)] = p
		}
	}
	c.imp = importer.ForCompiler(c.fset, "gc", func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) })
	return nil
}
