// Who may import whom: the layers as a table of ranks, the purity of the
// parsing packages, and the short list of outside modules.

package tidy

import (
	"path"
	"slices"
	"strconv"
	"strings"
)

// ranks places every package of the root module. A package imports only from
// ranks below its own: neighbours are strangers, so engine never sees agent.
var ranks = map[string]int{
	"bytesparse": 0, "pool": 0, "internal/sys": 0,
	"internal/h1": 1, "internal/loop": 1, "writer": 1,
	"internal/exchange": 2,
	"engine":            3, "agent": 3,
	"engine/nethttp": 4, "agent/nethttp": 4,
	"cmd/loadgen": 5,
}

// beside lists what stands outside the ranks: it may import any of them, and
// none of them imports it, tests excepted.
var beside = map[string]bool{"fuzz": true, "internal/simnet": true, "internal/tidy": true, "bench": true, "examples": true}

// closed gives what a package's rank would allow it to import and its purpose
// does not.
var closed = map[string][]string{
	"internal/h1":    {"pool", "internal/sys"},
	"engine/nethttp": {"agent"},
	"agent/nethttp":  {"engine"},
}

// outside maps each permitted outside module to the directories that may use
// it; an empty list means the whole root module.
var outside = map[string][]string{
	"github.com/valyala/bytebufferpool":       {"pool"},
	"github.com/klauspost/cpuid/v2":           {"bytesparse"},
	"golang.org/x/sys":                        {},
	"github.com/HdrHistogram/hdrhistogram-go": {"cmd/loadgen"},
}

var ruleLayers = rule{
	name:  "layers",
	check: checkLayers,
	bad: []snippet{
		{"bytesparse/a.go", `package bytesparse; import _ "github.com/gale-http/gale/writer"`, "may not import writer"},
		{"engine/a.go", "package engine\nimport _ \"github.com/gale-http/gale/agent\"", "a.go:2: engine may not import agent"},
		{"internal/loop/a.go", `package loop; import _ "github.com/gale-http/gale/internal/h1"`, "may not import internal/h1"},
		{"internal/h1/a.go", `package h1; import _ "github.com/gale-http/gale/pool"`, "may not import pool"},
		{"pool/a.go", `package pool; import _ "github.com/gale-http/gale/internal/simnet"`, "may not import internal/simnet"},
		{"agent/nethttp/a.go", `package nethttp; import _ "github.com/gale-http/gale/engine"`, "may not import engine"},
		{"internal/novel/a.go", `package novel`, "has no place in the layout"},
	},
	good: map[string]string{
		"engine/a.go":      `package engine; import _ "github.com/gale-http/gale/internal/exchange"`,
		"engine/a_test.go": `package engine_test; import _ "github.com/gale-http/gale/agent"`,
		"bench/b/a.go":     `package b; import _ "github.com/gale-http/gale/engine"`,
	},
}

func checkLayers(t *tree, report reporter) {
	t.files(func(f *file) {
		from, known := placeOf(f.dir())
		if !known {
			report(f.path, 1, f.dir()+" has no place in the layout: add it to ranks or beside in internal/tidy")
			return
		}
		if f.test() || beside[from] {
			return
		}
		for _, spec := range f.ast.Imports {
			to, ours := strings.CutPrefix(unquote(spec.Path.Value), modulePath+"/")
			if ours && !mayImport(from, to) {
				report.at(f, spec.Pos(), from+" may not import "+to+": arrows point down only")
			}
		}
	})
}

// placeOf gives the layout entry that dir belongs to: itself, the nearest
// beside directory above it, or the parent for a command's own packages.
func placeOf(dir string) (string, bool) {
	for d := dir; d != "."; d = path.Dir(d) {
		if _, ok := ranks[d]; ok && (d == dir || strings.HasPrefix(d, "cmd/")) {
			return d, true
		}
		if beside[d] {
			return d, true
		}
	}
	return dir, false
}

func mayImport(from, to string) bool {
	if within(to, from) && strings.HasPrefix(from, "cmd/") {
		return true
	}
	rank, ranked := ranks[to]
	if !ranked || rank >= ranks[from] {
		return false
	}
	return !slices.Contains(closed[from], to)
}

var rulePure = rule{
	name:  "pure",
	check: checkPure,
	bad: []snippet{
		{"bytesparse/a.go", `package bytesparse; import _ "net/http"`, "may not import net/http"},
		{"internal/h1/a.go", `package h1; import _ "time"`, "may not import time"},
		{"internal/h1/a.go", `package h1; import _ "sync/atomic"`, "may not import sync/atomic"},
		{"bytesparse/a.go", `package bytesparse; import _ "os"`, "may not import os"},
	},
	good: map[string]string{
		"bytesparse/a.go":      `package bytesparse; import _ "math/bits"`,
		"bytesparse/a_test.go": `package bytesparse; import _ "os"`,
	},
}

func checkPure(t *tree, report reporter) {
	t.files(func(f *file) {
		if f.test() || !f.under("bytesparse") && !f.under("internal/h1") {
			return
		}
		for _, spec := range f.ast.Imports {
			name := unquote(spec.Path.Value)
			for _, banned := range []string{"net", "os", "sync", "time", "syscall", "runtime", "golang.org/x/sys"} {
				if within(name, banned) {
					report.at(f, spec.Pos(), f.dir()+" may not import "+name+": bytes in, events out, nothing else")
				}
			}
		}
	})
}

var ruleHotImports = rule{
	name:  "hot imports",
	check: checkHotImports,
	bad: []snippet{
		{"writer/a.go", `package writer; import _ "fmt"`, "fmt"},
		{"internal/loop/a.go", `package loop; import _ "reflect"`, "reflect"},
	},
	good: map[string]string{
		"writer/errors.go":   `package writer; import _ "fmt"`,
		"writer/a_test.go":   `package writer; import _ "fmt"`,
		"pool/debug.go":      `package pool; import _ "fmt"`,
		"cmd/loadgen/run.go": `package main; import _ "fmt"`,
	},
}

func checkHotImports(t *tree, report reporter) {
	hot := []string{"bytesparse", "pool", "writer", "internal/h1", "internal/loop", "internal/exchange", "internal/sys"}
	t.files(func(f *file) {
		if f.test() || f.base() == "errors.go" || strings.HasSuffix(f.base(), "_errors.go") || f.base() == "debug.go" {
			return
		}
		for _, dir := range hot {
			for _, name := range []string{"fmt", "reflect"} {
				if f.under(dir) && importName(f, name) != "" {
					report.at(f, f.ast.Name.Pos(), name+" allocates: append bytes instead, or move this to errors.go")
				}
			}
		}
	})
}

var ruleDependencies = rule{
	name:  "dependencies",
	check: checkDependencies,
	bad: []snippet{
		{"engine/a.go", "package engine\n\nimport _ \"github.com/some/thing\"", "a.go:3: github.com/some/thing"},
		{"engine/a.go", `package engine; import _ "github.com/HdrHistogram/hdrhistogram-go"`, "only cmd/loadgen"},
		{"engine/a_test.go", `package engine; import _ "github.com/stretchr/testify/assert"`, "testify"},
	},
	good: map[string]string{
		"cmd/loadgen/a.go":  `package main; import _ "github.com/HdrHistogram/hdrhistogram-go"`,
		"internal/sys/a.go": `package sys; import _ "golang.org/x/sys/unix"`,
		"bench/x/a.go":      `package x; import _ "github.com/valyala/fasthttp"`,
	},
}

func checkDependencies(t *tree, report reporter) {
	t.files(func(f *file) {
		if f.under("bench") {
			return
		}
		for _, spec := range f.ast.Imports {
			name := unquote(spec.Path.Value)
			if within(name, modulePath) || !strings.Contains(strings.Split(name, "/")[0], ".") {
				continue
			}
			if text := judgeModule(f.dir(), name); text != "" {
				report.at(f, spec.Pos(), text)
			}
		}
	})
}

func judgeModule(dir, name string) string {
	for module, dirs := range outside {
		if !within(name, module) {
			continue
		}
		for _, d := range dirs {
			if within(dir, d) {
				return ""
			}
		}
		if len(dirs) == 0 {
			return ""
		}
		return name + ": only " + strings.Join(dirs, ", ") + " may use it"
	}
	return name + " is not a module gale depends on: write it, or move it to bench/"
}

var ruleModuleFile = rule{
	name:  "go.mod",
	check: checkModuleFile,
	bad: []snippet{
		{"go.mod", "module m\n\nrequire github.com/some/thing v1.0.0\n", "go.mod:3: github.com/some/thing"},
		{"go.mod", "module m\n\nrequire (\n\tgolang.org/x/net v0.1.0\n)\n", "go.mod:4: golang.org/x/net"},
		{"go.mod", "module m\n\nreplace golang.org/x/sys => ../sys\n", "go.mod:3: replace"},
	},
	good: map[string]string{
		"go.mod":       "module m\n\nrequire (\n\tgolang.org/x/sys v0.1.0\n\texample.org/far v0.1.0 // indirect\n)\n",
		"bench/go.mod": "module b\n\nrequire github.com/valyala/fasthttp v1.74.0\n",
	},
}

func checkModuleFile(t *tree, report reporter) {
	block := false
	for i, line := range strings.Split(t.texts["go.mod"], "\n") {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		if words[0] == "replace" || words[0] == "exclude" {
			report("go.mod", i+1, words[0]+": an importer would not see it: remove it")
		}
		if words[0] == "require" {
			words, block = words[1:], words[1] == "("
		} else if !block {
			continue
		}
		if words[0] == ")" {
			block = false
		} else if _, ok := outside[words[0]]; words[0] != "(" && !ok && !strings.HasSuffix(line, "// indirect") {
			report("go.mod", i+1, words[0]+" is not a module gale depends on: remove it")
		}
	}
}

func unquote(s string) string {
	text, err := strconv.Unquote(s)
	if err != nil {
		return s
	}
	return text
}
