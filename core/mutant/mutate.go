package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
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
		"add", "allowance", "claim", "clock", "establish", "gossip", "guest", "hello", "leave", "lost", "membership",
		"operator", "presence", "react", "receive", "ring", "skew", "snapshot", "takeover", "timer", "turn",
	}
)

// mutant is one change of one file.
type mutant struct {
	file     string
	line     int
	from, to int // the bytes of the source that are
	now      string
	src      []byte
}

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
	put := func(from, to token.Pos, now string) {
		p := fset.Position(from)
		all = append(all, mutant{file: file, line: p.Line, from: p.Offset, to: fset.Position(to).Offset, now: now, src: src})
	}
	text := func(n ast.Node) string {
		return string(src[fset.Position(n.Pos()).Offset:fset.Position(n.End()).Offset])
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ImportSpec, *ast.ArrayType:
			return false
		case *ast.IfStmt:
			put(n.Cond.Pos(), n.Cond.End(), "!("+text(n.Cond)+")")
		case *ast.CaseClause:
			for _, e := range n.List {
				if _, ok := e.(*ast.BinaryExpr); ok {
					put(e.Pos(), e.End(), "!("+text(e)+")")
				}
			}
		case *ast.BinaryExpr:
			if other, ok := opposite[n.Op]; ok {
				put(n.OpPos, n.OpPos+token.Pos(len(n.Op.String())), other)
			}
		case *ast.ExprStmt:
			put(n.Pos(), n.End(), "")
		case *ast.BasicLit:
			if v, err := strconv.ParseInt(n.Value, 0, 32); err == nil && n.Kind == token.INT {
				put(n.Pos(), n.End(), changed(v))
			}
		case *ast.ReturnStmt:
			for _, e := range n.Results {
				if id, ok := e.(*ast.Ident); ok && id.Name == "true" {
					put(e.Pos(), e.End(), "false")
				} else if ok && id.Name == "false" {
					put(e.Pos(), e.End(), "true")
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
