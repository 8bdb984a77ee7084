package main

import (
	"bytes"
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"slices"
	"strconv"
	"strings"
)

// owners are the files of the core in which state has its owners; glue is the
// rest that decides anything.
var (
	owners = []string{
		"replica", "asserter", "census", "deadline", "standing", "stored", "tombstone",
		"detector", "ack", "ask", "contest", "disbelief", "dispute", "doubt", "health", "silence", "suspicion",
		"overlay", "conn", "dial", "refusal", "route", "shun",
		"reconciler", "answer", "ranges", "sync", "trust",
		"debt", "rumor",
	}
	glue = []string{
		"add", "allowance", "claim", "clock", "cordon", "establish", "gossip", "guest", "hello", "leave", "lost", "membership",
		"operator", "presence", "react", "receive", "ring", "skew", "snapshot", "takeover", "timer", "turn",
	}
)

// mutant is one change of one file.
type mutant struct {
	file     string
	line     int
	from, to int    // the bytes of the source that are
	now      string // what is there instead
	choice   string // of both, by chosen(id): the same binary for many; "" if that cannot be
	src      []byte
}

// choices of an expression, and of a statement: %[1]s is chosen(id), %[2]s what is
// there, %[3]s what is there instead.
const (
	ofBool = "(%[1]s && (%[3]s) || !%[1]s && (%[2]s))"
	ofCall = "if !%[1]s {%[2]s}"
)

// mutants returns all that there are of a file.
func mutants(file string) ([]mutant, error) {
	src, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, file, src, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	var all []mutant
	put := func(n ast.Node, now, choice string) {
		from, to := fset.Position(n.Pos()), fset.Position(n.End())
		all = append(all, mutant{file: file, line: from.Line, from: from.Offset, to: to.Offset, now: now, choice: choice, src: src})
	}
	text := func(from, to token.Pos) string {
		return string(src[fset.Position(from).Offset:fset.Position(to).Offset])
	}
	not := func(e ast.Expr) { put(e, "!("+text(e.Pos(), e.End())+")", ofBool) }
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ImportSpec, *ast.ArrayType:
			return false
		case *ast.IfStmt:
			not(n.Cond)
		case *ast.CaseClause:
			for _, e := range n.List {
				if b, ok := e.(*ast.BinaryExpr); ok && opposite[b.Op] != "" {
					not(e)
				}
			}
		case *ast.BinaryExpr:
			if other := opposite[n.Op]; other != "" {
				put(n, text(n.Pos(), n.OpPos)+other+text(n.OpPos+token.Pos(len(n.Op.String())), n.End()), ofBool)
			}
		case *ast.ExprStmt:
			put(n, "", ofCall)
		case *ast.BasicLit:
			if v, err := strconv.ParseInt(n.Value, 0, 32); err == nil && n.Kind == token.INT {
				put(n, changed(v), "")
			}
		case *ast.ReturnStmt:
			for _, e := range n.Results {
				if id, ok := e.(*ast.Ident); ok && (id.Name == "true" || id.Name == "false") {
					not(e)
				}
			}
		}
		return true
	})
	return all, nil
}

var opposite = map[token.Token]string{
	token.LAND: "||", token.LOR: "&&",
	token.LSS: "<=", token.LEQ: "<", token.GTR: ">=", token.GEQ: ">",
	token.EQL: "!=", token.NEQ: "==",
}

// changed is another constant: 0 for 1, and twice as much of what is larger, as a time may be.
func changed(v int64) string {
	switch v {
	case 0, 1:
		return strconv.FormatInt(1-v, 10)
	}
	return strconv.FormatInt(2*v, 10)
}

// source is the file with the change.
func (m *mutant) source() []byte {
	return bytes.Join([][]byte{m.src[:m.from], []byte(m.now), m.src[m.to:]}, nil)
}

// chooser is what an overlay with many mutants has beside them.
const chooser = `package core

import "os"

var choice = os.Getenv("MUTANT")

func chosen(id string) bool { return id == choice }
`

// choosing returns the files with all mutants that can be chosen, by their ids:
// one at a time, none without one.
func choosing(all []mutant) map[string][]byte {
	files := map[string][]byte{"core/mutant_chosen.go": []byte(chooser)}
	of := make(map[string][]*mutant)
	for i := range all {
		if m := &all[i]; m.choice != "" {
			of[m.file] = append(of[m.file], m)
		}
	}
	for file, some := range of {
		slices.SortStableFunc(some, func(a, b *mutant) int { return cmp.Or(a.from-b.from, b.to-a.to) })
		text, _ := woven(some[0].src, 0, len(some[0].src), some)
		files[file] = []byte(text)
	}
	return files
}

// woven returns a part of a source with the choices in it, outer ones first, and
// those that come behind it.
func woven(src []byte, from, to int, some []*mutant) (string, []*mutant) {
	var b strings.Builder
	for len(some) > 0 && some[0].to <= to {
		m := some[0]
		b.Write(src[from:m.from])
		inner, rest := woven(src, m.from, m.to, some[1:])
		fmt.Fprintf(&b, m.choice, fmt.Sprintf("chosen(%q)", m.id()), inner, m.now)
		from, some = m.to, rest
	}
	b.Write(src[from:to])
	return b.String(), some
}

func (m *mutant) id() string { return fmt.Sprintf("%s:%d:%d:%s", m.file, m.from, m.to, m.now) }

// lines returns the line that changes, before and after.
func (m *mutant) lines() (before, after string) {
	begin := bytes.LastIndexByte(m.src[:m.from], '\n') + 1
	end := len(m.src)
	if n := bytes.IndexByte(m.src[m.to:], '\n'); n >= 0 {
		end = m.to + n
	}
	return oneLine(string(m.src[begin:end])), oneLine(string(m.src[begin:m.from]) + m.now + string(m.src[m.to:end]))
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

func (m *mutant) String() string {
	before, after := m.lines()
	return fmt.Sprintf("%s:%d:%d\n\t- %s\n\t+ %s", m.file, m.line, m.from, before, after)
}
