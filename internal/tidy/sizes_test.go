// Sizes: files, functions, method sets and configuration structs stay small
// enough to be read. They count non-test code; a table in a test may be long.

package tidy

import (
	"fmt"
	"go/ast"
	"strings"
)

const (
	maxFileLines = 400 // a file has fewer
	maxFuncLines = 70  // a function has fewer
	maxMethods   = 20  // exported methods of a type
	maxFields    = 12  // fields of a configuration struct
)

// wideTypes are the types whose method count the seed dictates.
var wideTypes = map[string]string{
	"engine.Request":      "the seed's http.IncomingMessage, one method per property",
	"engine.Response":     "the seed's http.ServerResponse",
	"agent.Response":      "the seed's http.IncomingMessage, one method per property",
	"agent.ClientRequest": "the seed's http.ClientRequest",
	"exchange.Incoming":   "the seed's IncomingMessage, for engine and agent both",
	"exchange.Outgoing":   "the seed's OutgoingMessage, for engine and agent both",
	"loop.Stream":         "a socket from its opening to its close, for every role that serves one",
}

var ruleFileSize = rule{
	name:  "file size",
	check: checkFileSize,
	bad:   []snippet{{"a/a.go", "package a\n" + strings.Repeat("\n", 399), "400 lines"}},
	good: map[string]string{
		"a/a.go":      "package a\n" + strings.Repeat("\n", 398),
		"a/a_test.go": "package a\n" + strings.Repeat("\n", 600),
	},
}

func checkFileSize(t *tree, report reporter) {
	t.files(func(f *file) {
		if n := strings.Count(f.src, "\n"); !f.test() && n >= maxFileLines {
			report(f.path, n, fmt.Sprintf("%d lines: split the file by role, below %d", n, maxFileLines))
		}
	})
}

var ruleFuncSize = rule{
	name:  "function size",
	check: checkFuncSize,
	bad: []snippet{
		{"a/a.go", "package a\n\nfunc (t T) f() {" + strings.Repeat("\n", 69) + "}", "a.go:3: f has 70 lines"},
		{"a/a.go", "package a\nvar g = func() {" + strings.Repeat("\n", 69) + "}", "a.go:2: a function literal has 70 lines"},
	},
	good: map[string]string{"a/a.go": "package a\nfunc f() {" + strings.Repeat("\n", 68) + "}"},
}

func checkFuncSize(t *tree, report reporter) {
	t.files(func(f *file) {
		if f.test() {
			return
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			name := "a function literal"
			switch n := n.(type) {
			case *ast.FuncDecl:
				name = n.Name.Name
			case *ast.FuncLit:
			default:
				return true
			}
			if lines := f.line(n.End()) - f.line(n.Pos()) + 1; lines >= maxFuncLines {
				report.at(f, n.Pos(), fmt.Sprintf("%s has %d lines: split it by role, below %d", name, lines, maxFuncLines))
			}
			return true
		})
	})
}

var ruleMethodCount = rule{
	name:  "method count",
	check: checkMethodCount,
	bad:   []snippet{{"a/a.go", "package a\ntype T int\n" + methods("*T", maxMethods+1), "T has 21 exported methods"}},
	good: map[string]string{
		"a/a.go":      "package a\ntype T int\nfunc (t T) small() {}\n" + methods("T", maxMethods),
		"engine/a.go": "package engine\ntype Request int\n" + methods("*Request", 40),
	},
}

func methods(receiver string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "func (t %s) M%d() {}\n", receiver, i)
	}
	return b.String()
}

func checkMethodCount(t *tree, report reporter) {
	for _, p := range t.pkgs {
		counts := map[string]map[string]bool{} // a set: platforms declare the same method several times
		eachFunc(p, func(f *file, fn *ast.FuncDecl) {
			name := receiverName(fn)
			if f.test() || !ast.IsExported(name) || !fn.Name.IsExported() || wideTypes[p.name+"."+name] != "" {
				return
			}
			if counts[name] == nil {
				counts[name] = map[string]bool{}
			}
			counts[name][fn.Name.Name] = true
			if len(counts[name]) == maxMethods+1 {
				report.at(f, fn.Pos(), fmt.Sprintf("%s has %d exported methods: split the type, at most %d", name, len(counts[name]), maxMethods))
			}
		})
	}
}

var ruleFieldCount = rule{
	name:  "field count",
	check: checkFieldCount,
	bad: []snippet{
		{"engine/a.go", "package engine\ntype Server struct { A, B, C, D, E, F, G, H, I, J, K, L, M int }", "a.go:2: Server has 13 exported fields"},
		{"internal/h1/a.go", "package h1\ntype Limits struct { A, B, C, D, E, F, G, H, I, J, K, L, M int }", "Limits has 13"},
	},
	good: map[string]string{
		"engine/a.go": "package engine\ntype Server struct { A, B, C, D, E, F, G, H, I, J, K, L int; m, n, o int }",
		"pool/a.go":   "package pool\ntype table struct { A, B, C, D, E, F, G, H, I, J, K, L, M int }",
	},
}

// checkFieldCount counts the exported fields of every exported struct of the
// two public surfaces, and of configuration structs by name elsewhere.
func checkFieldCount(t *tree, report reporter) {
	eachType(t, func(f *file, spec *ast.TypeSpec) {
		st, ok := spec.Type.(*ast.StructType)
		if !ok || f.test() || !spec.Name.IsExported() {
			return
		}
		if !f.under("engine") && !f.under("agent") && !configName(spec.Name.Name) {
			return
		}
		n := 0
		for _, field := range st.Fields.List {
			for _, name := range field.Names {
				if name.IsExported() {
					n++
				}
			}
		}
		if n > maxFields {
			report.at(f, spec.Pos(), fmt.Sprintf("%s has %d exported fields: nest related ones, at most %d", spec.Name.Name, n, maxFields))
		}
	})
}

func configName(name string) bool {
	for _, suffix := range []string{"Limits", "Timeouts", "Events", "Options", "Config", "Server", "Agent"} {
		if strings.HasSuffix(name, suffix) {
			return true
		}
	}
	return false
}

// receiverName gives the type a method is declared on, "" for a function.
func receiverName(fn *ast.FuncDecl) string {
	if fn.Recv == nil || len(fn.Recv.List) == 0 {
		return ""
	}
	expr := fn.Recv.List[0].Type
	for {
		switch e := expr.(type) {
		case *ast.StarExpr:
			expr = e.X
		case *ast.IndexExpr:
			expr = e.X
		case *ast.IndexListExpr:
			expr = e.X
		case *ast.Ident:
			return e.Name
		default:
			return ""
		}
	}
}

func eachFunc(p *pkg, yield func(*file, *ast.FuncDecl)) {
	for _, f := range p.files {
		for _, decl := range f.ast.Decls {
			if fn, ok := decl.(*ast.FuncDecl); ok {
				yield(f, fn)
			}
		}
	}
}

func eachType(t *tree, yield func(*file, *ast.TypeSpec)) {
	t.files(func(f *file) {
		for _, decl := range f.ast.Decls {
			gen, ok := decl.(*ast.GenDecl)
			if !ok {
				continue
			}
			for _, spec := range gen.Specs {
				if ts, ok := spec.(*ast.TypeSpec); ok {
					yield(f, ts)
				}
			}
		}
	})
}
