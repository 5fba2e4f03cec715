// Unsafe code: only in files whose name says so, and each use with its proof.

package tidy

import (
	"go/ast"
	"go/token"
	"strings"
)

// safetyReach is how many lines a SAFETY comment above a use covers.
const safetyReach = 12

var ruleUnsafeFiles = rule{
	name:  "unsafe files",
	check: checkUnsafeFiles,
	bad: []snippet{
		{"pool/a.go", "package pool\n\nimport \"unsafe\"\nvar _ unsafe.Pointer", "a.go:3: unsafe"},
		{"pool/a_test.go", "package pool\nimport \"unsafe\"\nvar _ = unsafe.String(nil, 0)", "a_test.go:3: unsafe.String"},
	},
	good: map[string]string{
		"pool/unsafe.go":            `package pool; import _ "unsafe"`,
		"internal/loop/g_unsafe.go": `package loop; import _ "unsafe"`,
		"internal/sys/sys.go":       `package sys; import _ "unsafe"`,
		"pool/a_test.go":            "package pool\nimport \"unsafe\"\nvar _ = unsafe.Sizeof(0)",
	},
}

func checkUnsafeFiles(t *tree, report reporter) {
	t.files(func(f *file) {
		if f.base() == "unsafe.go" || strings.HasSuffix(strings.TrimSuffix(f.base(), "_test.go"), "_unsafe") ||
			strings.HasSuffix(f.base(), "_unsafe.go") || f.under("internal/sys") {
			return
		}
		if f.test() { // a test may measure sizes, and nothing else
			selectors(f, "unsafe", func(sel *ast.SelectorExpr) {
				if !measures(sel) {
					report.at(f, sel.Pos(), "unsafe."+sel.Sel.Name+" in a test: move it to a file called *_unsafe_test.go")
				}
			})
			return
		}
		for _, spec := range f.ast.Imports {
			if unquote(spec.Path.Value) == "unsafe" {
				report.at(f, spec.Pos(), "unsafe belongs in unsafe.go or *_unsafe.go: move the code there behind a safe function")
			}
		}
	})
}

func measures(sel *ast.SelectorExpr) bool {
	return sel.Sel.Name == "Sizeof" || sel.Sel.Name == "Alignof" || sel.Sel.Name == "Offsetof"
}

var ruleUnsafeComment = rule{
	name:  "SAFETY comments",
	check: checkUnsafeComment,
	bad: []snippet{
		{"pool/unsafe.go", "package pool\nimport \"unsafe\"\n\nfunc f(b []byte) string {\n\treturn unsafe.String(&b[0], 1)\n}", "unsafe.go:5: unsafe.String"},
		{"pool/unsafe.go", "package pool\nimport \"unsafe\"\n// SAFETY: far away.\n" + strings.Repeat("\n", 20) + "var x = unsafe.String(nil, 0)", "unsafe.String"},
	},
	good: map[string]string{
		"pool/unsafe.go": "package pool\nimport \"unsafe\"\n\n// f views.\n//\n// SAFETY: b is not changed.\nfunc f(b []byte) string {\n" +
			strings.Repeat("\n", 20) + "\treturn unsafe.String(&b[0], 1)\n}\n\nfunc g(b []byte) string {\n\treturn unsafe.String(&b[0], 1) // SAFETY: as f.\n}\n" +
			"var n = unsafe.Sizeof(0)",
	},
}

// checkUnsafeComment wants a comment with SAFETY: in the doc of the enclosing
// declaration, on the line, or within a few lines above.
func checkUnsafeComment(t *tree, report reporter) {
	t.files(func(f *file) {
		covered := map[int]bool{}
		for _, group := range f.ast.Comments {
			if strings.Contains(group.Text(), "SAFETY:") {
				for line := f.line(group.Pos()); line <= f.line(group.End())+safetyReach; line++ {
					covered[line] = true
				}
			}
		}
		selectors(f, "unsafe", func(sel *ast.SelectorExpr) {
			if !measures(sel) && !covered[f.line(sel.Pos())] && !docHasSafety(f.ast, sel.Pos()) {
				report.at(f, sel.Pos(), "unsafe."+sel.Sel.Name+" without a SAFETY: comment: say why it is sound")
			}
		})
	})
}

func docHasSafety(f *ast.File, at token.Pos) bool {
	for _, decl := range f.Decls {
		if at < decl.Pos() || at > decl.End() {
			continue
		}
		switch d := decl.(type) {
		case *ast.FuncDecl:
			return strings.Contains(d.Doc.Text(), "SAFETY:")
		case *ast.GenDecl:
			return strings.Contains(d.Doc.Text(), "SAFETY:")
		}
	}
	return false
}

var ruleLinkname = rule{
	name:  "linkname",
	check: checkLinkname,
	bad:   []snippet{{"pool/a.go", "package pool\n\n//go:linkname f runtime.f\nfunc f()", "a.go:3: //go:linkname"}},
	good: map[string]string{
		"pool/a.go":                   "package pool\n\n//go:noinline\nfunc f() {}",
		"internal/sys/sleep_linux.go": "package sys\n\n//go:linkname exitsyscall runtime.exitsyscall\nfunc exitsyscall()",
	},
}

// linknamed are functions that may be linked to all the same: the runtime keeps their names because
// others need them (go.dev/issue/67401), and no exported function does what they do.
var linknamed = map[string]string{
	"exitsyscall runtime.exitsyscall":             "internal/sys/sleep_linux.go",
	"entersyscallblock runtime.entersyscallblock": "internal/sys/sleep_linux.go",
}

func checkLinkname(t *tree, report reporter) {
	t.files(func(f *file) {
		eachComment(f, func(c *ast.Comment) {
			if what, ok := strings.CutPrefix(c.Text, "//go:linkname "); ok && linknamed[what] != f.path {
				report.at(f, c.Pos(), "//go:linkname reaches into another package: use what is exported")
			}
		})
	})
}

func eachComment(f *file, yield func(*ast.Comment)) {
	for _, group := range f.ast.Comments {
		for _, c := range group.List {
			yield(c)
		}
	}
}
