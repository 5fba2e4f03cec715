// Clocks: library code is told the time, it does not look; and nobody sleeps
// where waiting for the thing itself is possible.

package tidy

import (
	"go/ast"
	"path"
	"slices"
	"strings"
)

// clockFiles may read the clock: path patterns and the reason.
var clockFiles = map[string]string{
	"internal/loop/clock*.go": "the one place where a loop reads time, once per turn",
}

// sleepers may call time.Sleep: files or directories and the reason.
var sleepers = map[string]string{
	"internal/sys/sleep_other.go": "sys.Sleep where no system call is at hand",
	"internal/simnet/wait.go":     "where the tests poll for what no event announces",
	"bench":                       "a measuring window is a span of time, and the block workload's handlers sleep",
}

func allowed(list map[string]string, name string) bool {
	for pattern := range list {
		if ok, err := path.Match(pattern, name); ok && err == nil {
			return true
		}
	}
	return false
}

var ruleClock = rule{
	name:  "clock",
	check: checkClock,
	bad: []snippet{
		{"engine/a.go", "package engine\nimport \"time\"\nvar t = time.Now()", "a.go:3: time.Now"},
		{"internal/loop/a.go", "package loop\nimport tm \"time\"\nvar t = tm.Since(x)", "time.Since"},
		{"pool/a.go", "package pool\nimport \"time\"\nvar f = time.Tick", "time.Tick"},
	},
	good: map[string]string{
		"internal/loop/clock.go": "package loop\nimport \"time\"\nvar t = time.Now()",
		"cmd/x/a.go":             "package main\nimport \"time\"\nvar t = time.Now()",
		"engine/a_test.go":       "package engine\nimport \"time\"\nvar t = time.Now()",
		"engine/a.go":            "package engine\nimport \"time\"\nvar t = time.Second",
	},
}

func checkClock(t *tree, report reporter) {
	clocks := []string{"Now", "Since", "Until", "After", "Tick", "NewTicker"}
	t.files(func(f *file) {
		if f.test() || f.under("cmd") || f.under("bench") || f.under("internal/simnet") || allowed(clockFiles, f.path) {
			return
		}
		selectors(f, "time", func(sel *ast.SelectorExpr) {
			if slices.Contains(clocks, sel.Sel.Name) {
				report.at(f, sel.Pos(), "time."+sel.Sel.Name+" in library code: take the loop's time or its wheel")
			}
		})
	})
}

var ruleSleep = rule{
	name:  "sleep",
	check: checkSleep,
	bad:   []snippet{{"cmd/x/a.go", "package main\nimport \"time\"\nfunc f() {\n\ttime.Sleep(1)\n}", "a.go:4: time.Sleep"}},
	good: map[string]string{
		"bench/serve/x/a.go": "package main\nimport \"time\"\nfunc f() { time.Sleep(1) }",
		"pool/a_test.go":     "package pool\nimport \"time\"\nfunc f() { time.Sleep(1) }",
	},
}

func checkSleep(t *tree, report reporter) {
	t.files(func(f *file) {
		if f.test() {
			return
		}
		for place := range sleepers {
			if within(f.path, place) {
				return
			}
		}
		selectors(f, "time", func(sel *ast.SelectorExpr) {
			if sel.Sel.Name == "Sleep" {
				report.at(f, sel.Pos(), "time.Sleep: wait for the event itself")
			}
		})
	})
}

var ruleTestSleep = rule{
	name:  "sleep in tests",
	check: checkTestSleep,
	bad: []snippet{
		{"a/a_test.go", "package a\nimport \"time\"\nfunc f() {\n\ttime.Sleep(1)\n}", "a_test.go:4: time.Sleep"},
		{"a/a_test.go", "package a\nimport \"time\"\nfunc f() {\n\ttime.Sleep(1) // sleep:\n}", "a_test.go:4: time.Sleep"},
	},
	good: map[string]string{
		"a/a_test.go": "package a\nimport \"time\"\nfunc f() {\n\ttime.Sleep(1) // sleep: the handler under test blocks\n\t// sleep: polls /proc, which tells nobody\n\ttime.Sleep(1)\n}",
	},
}

// checkTestSleep wants the reason beside each sleep of a test, in the form
// "sleep: why": a handler that blocks is a subject, a wait for another
// goroutine is a race.
func checkTestSleep(t *tree, report reporter) {
	t.files(func(f *file) {
		if !f.test() {
			return
		}
		reasons := map[int]bool{}
		eachComment(f, func(c *ast.Comment) {
			if _, why, ok := strings.Cut(c.Text, "sleep: "); ok && strings.TrimSpace(why) != "" {
				line := f.line(c.Pos())
				reasons[line], reasons[line+1] = true, true
			}
		})
		selectors(f, "time", func(sel *ast.SelectorExpr) {
			if sel.Sel.Name == "Sleep" && !reasons[f.line(sel.Pos())] {
				report.at(f, sel.Pos(), "time.Sleep does not synchronise: wait on a channel or a deadline; a sleep that is the subject says \"// sleep: why\"")
			}
		})
	})
}
