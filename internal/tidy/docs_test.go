// Documentation: what is exported says what it is, packages say what they are
// for, and files say what they hold.

package tidy

import (
	"go/ast"
	"go/token"
	"strings"
)

var ruleDocs = rule{
	name:  "doc comments",
	check: checkDocs,
	bad: []snippet{
		{"a/a.go", "package a\n\nfunc F() {}", "a.go:3: F has no doc comment"},
		{"a/a.go", "package a\n\n// Does things.\nfunc F() {}", `a.go:4: the doc comment of F must begin with "F"`},
		{"a/a.go", "package a\ntype T int", "a.go:2: T has no doc comment"},
		{"a/a.go", "package a\n// T is.\ntype T int\nfunc (T) M() {}", "a.go:4: M has no doc comment"},
		{"a/a.go", "package a\nconst C = 1", "a.go:2: C has no doc comment"},
		{"a/a.go", "package a\nvar (\n\tV int\n)", "a.go:3: V has no doc comment"},
		{"a/a.go", "package a\n\n//go:noinline\nfunc F() {}", "a.go:4: F has no doc comment"},
	},
	good: map[string]string{
		"a/a.go": "package a\n// F does.\nfunc F() {}\n// A T is.\ntype T int\n// Kinds of things.\nconst (\n\tC = 1\n\tD\n)\n" +
			"var (\n\t// V is.\n\tV int\n\tW int // W is.\n)\ntype u int\nfunc (u) M() {}\n// L is one, in several languages.\nfunc L[T any]() {}",
		"a/a_test.go": "package a\nfunc F() {}",
		"b/main.go":   "package main\nfunc F() {}",
	},
}

func checkDocs(t *tree, report reporter) {
	for _, p := range t.pkgs {
		if p.name == "main" {
			continue
		}
		for _, f := range p.files {
			if f.test() {
				continue
			}
			for _, decl := range f.ast.Decls {
				switch d := decl.(type) {
				case *ast.FuncDecl:
					if d.Name.IsExported() && (d.Recv == nil || ast.IsExported(receiverName(d))) {
						judgeDoc(f, d.Name, d.Doc, report)
					}
				case *ast.GenDecl:
					checkGroup(f, d, report)
				}
			}
		}
	}
}

// checkGroup judges types, constants and variables. One declared alone has a
// comment of its own that begins with its name; within a parenthesised group
// the group's comment, one above the line or one behind it will do.
func checkGroup(f *file, d *ast.GenDecl, report reporter) {
	for _, spec := range d.Specs {
		switch s := spec.(type) {
		case *ast.TypeSpec:
			if s.Name.IsExported() {
				judgeDoc(f, s.Name, either(s.Doc, d.Doc), report)
			}
		case *ast.ValueSpec:
			for _, name := range s.Names {
				if !name.IsExported() {
					continue
				}
				if !d.Lparen.IsValid() {
					judgeDoc(f, name, d.Doc, report)
				} else if either(s.Doc, s.Comment, d.Doc) == nil {
					report.at(f, name.Pos(), name.Name+" has no doc comment: say what it is")
				}
			}
		}
	}
}

func either(groups ...*ast.CommentGroup) *ast.CommentGroup {
	for _, g := range groups {
		if g != nil && strings.TrimSpace(g.Text()) != "" {
			return g
		}
	}
	return nil
}

func judgeDoc(f *file, name *ast.Ident, doc *ast.CommentGroup, report reporter) {
	text := strings.TrimSpace(doc.Text())
	if text == "" {
		report.at(f, name.Pos(), name.Name+" has no doc comment: say what it is, who owns its bytes, what it costs")
		return
	}
	for _, article := range []string{"", "A ", "An ", "The "} {
		if rest, ok := strings.CutPrefix(text, article+name.Name); ok && (rest == "" || !identByte(rest[0])) {
			return
		}
	}
	report.at(f, name.Pos(), "the doc comment of "+name.Name+" must begin with \""+name.Name+"\"")
}

func identByte(c byte) bool {
	return c == '_' || '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z'
}

var ruleFieldDocs = rule{
	name:  "field comments",
	check: checkFieldDocs,
	bad: []snippet{
		{"engine/a.go", "package engine\ntype Server struct {\n\tLoops int\n}", "a.go:3: the field Loops"},
		{"agent/a.go", "package agent\ntype I interface {\n\tDo()\n}", "a.go:3: the field Do"},
	},
	good: map[string]string{
		"engine/a.go": "package engine\ntype Server struct {\n\tLoops int // how many\n\t// Backlog is.\n\tBacklog int\n\tx int\n}",
		"pool/a.go":   "package pool\ntype T struct{ A int }",
	},
}

// checkFieldDocs wants a word on each exported field and interface method of
// the two public surfaces, where every one of them is configuration or API.
func checkFieldDocs(t *tree, report reporter) {
	eachType(t, func(f *file, spec *ast.TypeSpec) {
		if f.test() || !spec.Name.IsExported() || !f.under("engine") && !f.under("agent") {
			return
		}
		var list *ast.FieldList
		switch s := spec.Type.(type) {
		case *ast.StructType:
			list = s.Fields
		case *ast.InterfaceType:
			list = s.Methods
		default:
			return
		}
		for _, field := range list.List {
			for _, name := range field.Names {
				if name.IsExported() && either(field.Doc, field.Comment) == nil {
					report.at(f, name.Pos(), "the field "+name.Name+" has no comment: say what it means, its unit and its zero value")
				}
			}
		}
	})
}

var rulePackageDoc = rule{
	name:  "package comments",
	check: checkPackageDoc,
	bad: []snippet{
		{"a/a.go", "package a", "package a has no comment"},
		{"a/a.go", "// Some words.\npackage a", `must begin with "Package a "`},
		{"cmd/x/main.go", "// Package main runs.\npackage main", `must begin with "Command "`},
	},
	good: map[string]string{
		"a/doc.go":      "// Package a is.\npackage a",
		"a/b.go":        "// The rule of this file.\n\npackage a",
		"cmd/x/main.go": "// Command x runs.\npackage main",
		"a/a_test.go":   "package a_test",
	},
}

func checkPackageDoc(t *tree, report reporter) {
	for _, p := range t.pkgs {
		want := "Package " + p.name + " "
		if p.name == "main" {
			want = "Command "
		}
		var first *file // the first file that is no test
		documented := ""
		for _, f := range p.files {
			if f.test() {
				continue
			}
			if first == nil {
				first = f
			}
			text := f.ast.Doc.Text()
			switch {
			case text == "":
			case !strings.HasPrefix(text, want):
				report.at(f, f.ast.Package, "the package comment must begin with \""+want+"\"; if it is about the file, leave an empty line under it")
				documented = f.path
			case documented != "":
				report.at(f, f.ast.Package, "a second package comment beside "+documented+": keep one")
			default:
				documented = f.path
			}
		}
		if first != nil && documented == "" {
			report.at(first, first.ast.Package, "package "+p.name+" has no comment: add doc.go")
		}
	}
}

var ruleFileOpening = rule{
	name:  "file opening",
	check: checkFileOpening,
	bad: []snippet{
		{"a/a.go", "package a\n\n// F does.\nfunc F() {}", "a.go:1: the file does not open"},
		{"a/a.go", "//go:build linux\n\npackage a\n\nimport \"os\"", "the file does not open"},
		{"a/a_test.go", "package a\n\nfunc f() {} // late", "the file does not open"},
		{"a/a.s", "#include \"textflag.h\"\n", "a.s:1: the file does not open"},
		{"a/b.s", "//go:build amd64\n\nTEXT ·f(SB), 4, $0\n", "the file does not open"},
	},
	good: map[string]string{
		"a/a.go": "// What this file holds.\n\npackage a",
		"a/b.go": "//go:build linux\n\npackage a\n\n// What this file holds.\n\nimport \"os\"",
		"a/c.go": "package a\n\nimport \"os\"\n\n// What this file holds.\n\n// F does.\nfunc F() {}",
		"a/a.s":  "//go:build amd64\n\n// What this file holds.\n\nTEXT ·f(SB), 4, $0\n",
	},
}

// checkFileOpening wants a comment, not a build constraint, that stands before
// the first declaration and is not that declaration's own.
func checkFileOpening(t *tree, report reporter) {
	const advice = "the file does not open with a comment: say its rule or strategy in a few lines"
	t.files(func(f *file) {
		limit, own := firstDeclaration(f.ast)
		for _, group := range f.ast.Comments {
			if group.Pos() < limit && group != own && strings.TrimSpace(group.Text()) != "" {
				return
			}
		}
		report(f.path, 1, advice)
	})
	for _, name := range sortedKeys(t.texts) {
		if strings.HasSuffix(name, ".s") && !assemblyOpens(t.texts[name]) {
			report(name, 1, advice)
		}
	}
}

// firstDeclaration gives where the first declaration other than an import
// begins, and its doc comment.
func firstDeclaration(f *ast.File) (token.Pos, *ast.CommentGroup) {
	for _, decl := range f.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			return d.Pos(), d.Doc
		case *ast.GenDecl:
			if d.Tok != token.IMPORT {
				return d.Pos(), d.Doc
			}
		}
	}
	return f.FileEnd, nil
}

func assemblyOpens(src string) bool {
	for line := range strings.Lines(src) {
		line = strings.TrimSpace(line)
		switch {
		case line == "", strings.HasPrefix(line, "//go:"), strings.HasPrefix(line, "// +build"):
		case strings.HasPrefix(line, "//"), strings.HasPrefix(line, "/*"):
			return true
		default:
			return false
		}
	}
	return false
}
