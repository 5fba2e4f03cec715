// Shortcuts that are not taken: silent skips, notes to self, silenced linters,
// platform branches in the middle of code, stubs, and build tags nobody sets.

package tidy

import (
	"go/ast"
	"go/build/constraint"
	"go/token"
	"regexp"
	"slices"
	"strings"
)

var ruleSkip = rule{
	name:  "skips",
	check: checkSkip,
	bad: []snippet{
		{"a/a_test.go", "package a\nfunc f(t *testing.T) {\n\tt.Skip()\n}", "a_test.go:3: Skip without a reason"},
		{"a/a_test.go", "package a\nfunc f(t *testing.T) { t.Skip(\"\") }", "Skip without a reason"},
		{"a/a_test.go", "package a\nfunc f(t *testing.T) { t.SkipNow() }", "SkipNow without a reason"},
	},
	good: map[string]string{"a/a_test.go": "package a\nfunc f(t *testing.T) { t.Skip(\"no wrk here\"); t.Skipf(\"no %s\", x) }"},
}

func checkSkip(t *tree, report reporter) {
	t.files(func(f *file) {
		if !f.test() {
			return
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			sel, ok := call.Fun.(*ast.SelectorExpr)
			if !ok || sel.Sel.Name != "Skip" && sel.Sel.Name != "SkipNow" && sel.Sel.Name != "Skipf" {
				return true
			}
			if x, ok := sel.X.(*ast.Ident); !ok || !slices.Contains([]string{"t", "b", "f", "tb"}, x.Name) {
				return true
			}
			if len(call.Args) == 0 || isEmptyString(call.Args[0]) {
				report.at(f, call.Pos(), sel.Sel.Name+" without a reason: say in one line what is missing")
			}
			return true
		})
	})
}

func isEmptyString(e ast.Expr) bool {
	lit, ok := e.(*ast.BasicLit)
	return ok && lit.Kind == token.STRING && strings.TrimSpace(unquote(lit.Value)) == ""
}

// marker finds notes to self and silenced linters in comments.
var marker = regexp.MustCompile(`\b(TODO|FIXME|XXX|HACK)\b|//\s*nolint|//lint:`)

var ruleMarkers = rule{
	name:  "markers",
	check: checkMarkers,
	bad: []snippet{
		{"a/a.go", "package a\n\n// TODO: later.\nfunc f() {}", "a.go:3: TODO"},
		{"a/a.go", "package a\n\nfunc f() {} //nolint:errcheck", "a.go:3: //nolint"},
		{"a/a.go", "package a\n/*\nFIXME this\n*/", "a.go:2: FIXME"},
		{"a/a_test.go", "package a\n// XXX", "XXX"},
	},
	good: map[string]string{"a/a.go": "package a\n\n// TODOs are none. mXXX.\nvar s = \"TODO\""},
}

func checkMarkers(t *tree, report reporter) {
	t.files(func(f *file) {
		eachComment(f, func(c *ast.Comment) {
			if found := marker.FindString(c.Text); found != "" {
				report.at(f, c.Pos(), found+": do it now, or file it as an issue")
			}
		})
	})
}

var rulePlatformBranch = rule{
	name:  "platform branches",
	check: checkPlatformBranch,
	bad: []snippet{
		{"a/a.go", "package a\nimport \"runtime\"\nfunc f() {\n\tif runtime.GOOS == \"linux\" {\n\t}\n}", "a.go:4: runtime.GOOS"},
		{"a/a_test.go", "package a\nimport \"runtime\"\nfunc f() {\n\tswitch runtime.GOARCH {\n\t}\n}", "a_test.go:4: runtime.GOARCH"},
		{"a/a.go", "package a\nimport \"runtime\"\nvar linux = runtime.GOOS == \"linux\"", "runtime.GOOS"},
	},
	good: map[string]string{"a/a.go": "package a\nimport \"runtime\"\nfunc f() { println(runtime.GOOS, runtime.GOARCH) }"},
}

// checkPlatformBranch looks at conditions and comparisons: printing the
// platform is fine, deciding by it is not.
func checkPlatformBranch(t *tree, report reporter) {
	t.files(func(f *file) {
		name := importName(f, "runtime")
		if name == "" {
			return
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			var tested []ast.Expr
			switch n := n.(type) {
			case *ast.BinaryExpr:
				if n.Op == token.EQL || n.Op == token.NEQ {
					tested = []ast.Expr{n.X, n.Y}
				}
			case *ast.SwitchStmt:
				tested = []ast.Expr{n.Tag}
			case *ast.IndexExpr:
				tested = []ast.Expr{n.Index}
			}
			for _, e := range tested {
				sel, ok := e.(*ast.SelectorExpr)
				if !ok || sel.Sel.Name != "GOOS" && sel.Sel.Name != "GOARCH" {
					continue
				}
				if x, ok := sel.X.(*ast.Ident); ok && x.Name == name {
					report.at(f, sel.Pos(), "runtime."+sel.Sel.Name+" decides here: make it a leaf file, x_linux.go and x_other.go")
				}
			}
			return true
		})
	})
}

// stub finds the words of code that was not written.
var stub = regexp.MustCompile(`(?i)\b(not (yet )?implemented|unimplemented|placeholder|stub)\b`)

var ruleStubs = rule{
	name:  "stubs",
	check: checkStubs,
	bad: []snippet{
		{"a/a.go", "package a\nfunc f() {\n\tpanic(\"not implemented\")\n}", "a.go:3: a stub"},
		{"a/a.go", "package a\nimport \"errors\"\nvar err = errors.New(\"a: x is not yet implemented\")", "a.go:3: a stub"},
	},
	good: map[string]string{"a/a.go": "package a\nvar s = status(501, \"Not Implemented\")"},
}

func checkStubs(t *tree, report reporter) {
	t.files(func(f *file) {
		if f.test() {
			return
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) == 0 {
				return true
			}
			name := ""
			switch fun := call.Fun.(type) {
			case *ast.Ident:
				name = fun.Name
			case *ast.SelectorExpr:
				name = fun.Sel.Name
			}
			lit, ok := call.Args[0].(*ast.BasicLit)
			if ok && slices.Contains([]string{"panic", "New", "Errorf"}, name) && stub.MatchString(lit.Value) {
				report.at(f, call.Pos(), "a stub: write it, or leave it out until it exists")
			}
			return true
		})
	})
}

// ownTags are this project's build tags; platforms and the toolchain's are
// known besides.
var ownTags = []string{"purego", "galedebug", "galekqueue"}

var platformTags = []string{
	"linux", "darwin", "freebsd", "netbsd", "openbsd", "dragonfly", "windows", "solaris", "illumos", "aix", "plan9", "js", "wasip1",
	"android", "ios", "unix", "amd64", "arm64", "386", "arm", "loong64", "riscv64", "ppc64", "ppc64le", "s390x", "wasm", "mips", "mipsle",
	"mips64", "mips64le", "race", "msan", "asan", "cgo", "gc", "ignore",
}

var ruleTags = rule{
	name:  "build tags",
	check: checkTags,
	bad: []snippet{
		{"a/a.go", "//go:build linux && !debugging\n\npackage a", "a.go:1: the build tag debugging"},
		{"a/b.go", "// +build linux\n\npackage a", "b.go:1: // +build"},
	},
	good: map[string]string{"a/a.go": "//go:build (amd64 || arm64) && !purego && go1.26\n\npackage a"},
}

func checkTags(t *tree, report reporter) {
	t.files(func(f *file) {
		eachComment(f, func(c *ast.Comment) {
			if c.Pos() > f.ast.Package {
				return
			}
			if constraint.IsPlusBuild(c.Text) {
				report.at(f, c.Pos(), "// +build is out of use: write //go:build")
				return
			}
			if !constraint.IsGoBuild(c.Text) {
				return
			}
			expr, err := constraint.Parse(c.Text)
			if err != nil {
				report.at(f, c.Pos(), err.Error())
				return
			}
			expr.Eval(func(tag string) bool {
				if !slices.Contains(ownTags, tag) && !slices.Contains(platformTags, tag) && !strings.HasPrefix(tag, "go1.") {
					report.at(f, c.Pos(), "the build tag "+tag+" is not one of ours: use purego or galedebug, or add it to internal/tidy with its reason")
				}
				return false
			})
		})
	})
}
