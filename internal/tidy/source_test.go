// How the rules see the repository: every Go file parsed once, grouped by
// directory and package name, with paths relative to the repository's root.

package tidy

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"sort"
	"strings"
	"sync"
	"testing"
)

const modulePath = "github.com/gale-http/gale"

// file is one parsed source file.
type file struct {
	path string // slash-separated, relative to the root
	ast  *ast.File
	src  string
	fset *token.FileSet
}

func (f *file) dir() string  { return path.Dir(f.path) }
func (f *file) base() string { return path.Base(f.path) }
func (f *file) test() bool   { return strings.HasSuffix(f.path, "_test.go") }

func (f *file) line(p token.Pos) int { return f.fset.Position(p).Line }

// under says whether the file lies in dir or below it.
func (f *file) under(dir string) bool { return within(f.dir(), dir) }

func within(dir, top string) bool { return dir == top || strings.HasPrefix(dir, top+"/") }

// pkg is the files of one directory that share a package name.
type pkg struct {
	dir, name string
	files     []*file
}

// tree is a set of packages: the repository, or a snippet in a self-test.
type tree struct {
	pkgs    []*pkg
	broken  []problem         // files that do not parse
	texts   map[string]string // go.mod files, assembly and documentation, by path
	names   map[string]bool   // every file, also those that no rule reads
	fileSet *token.FileSet
}

func (t *tree) files(yield func(*file)) {
	for _, p := range t.pkgs {
		for _, f := range p.files {
			yield(f)
		}
	}
}

// problem is one violation.
type problem struct {
	path string
	line int
	text string
}

func (p problem) String() string { return fmt.Sprintf("%s:%d: %s", p.path, p.line, p.text) }

// parseTree parses sources, keyed by path. What is not Go is kept as text.
func parseTree(sources map[string]string) *tree {
	t := &tree{texts: map[string]string{}, names: map[string]bool{}, fileSet: token.NewFileSet()}
	byKey := map[string]*pkg{}
	for _, name := range sortedKeys(sources) {
		src := sources[name]
		t.names[name] = true
		if !strings.HasSuffix(name, ".go") {
			t.texts[name] = src
			continue
		}
		parsed, err := parser.ParseFile(t.fileSet, name, src, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.broken = append(t.broken, problem{name, 1, err.Error()})
			continue
		}
		key := path.Dir(name) + " " + parsed.Name.Name
		if byKey[key] == nil {
			byKey[key] = &pkg{dir: path.Dir(name), name: parsed.Name.Name}
			t.pkgs = append(t.pkgs, byKey[key])
		}
		byKey[key].files = append(byKey[key].files, &file{path: name, ast: parsed, src: src, fset: t.fileSet})
	}
	return t
}

var repository = sync.OnceValues(func() (*tree, error) {
	root, err := findRoot()
	if err != nil {
		return nil, err
	}
	sources, names := map[string]string{}, map[string]bool{}
	err = filepath.WalkDir(root, func(full string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, full)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		if d.IsDir() {
			return skipDir(rel, d.Name())
		}
		names[rel] = true
		if ext := path.Ext(rel); ext != ".go" && ext != ".s" && ext != ".md" && d.Name() != "go.mod" ||
			strings.Contains(rel, "testdata/") {
			return nil
		}
		src, err := os.ReadFile(full)
		sources[rel] = string(src)
		return err
	})
	t := parseTree(sources)
	maps.Copy(t.names, names)
	return t, err
})

// skipDir leaves out hidden directories and what the benchmarks write.
func skipDir(rel, name string) error {
	if rel == "." {
		return nil
	}
	if name[0] == '.' || name[0] == '_' || rel == "bench/out" {
		return fs.SkipDir
	}
	return nil
}

// findRoot climbs from the test's directory to the root module's go.mod.
func findRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && strings.HasPrefix(string(mod), "module "+modulePath+"\n") {
			return dir, nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", fmt.Errorf("no go.mod of %s above the working directory", modulePath)
		}
		dir = up
	}
}

func loadRepository(t *testing.T) *tree {
	t.Helper()
	repo, err := repository()
	if err != nil {
		t.Fatal(err)
	}
	return repo
}

// importName gives the name under which f imports the package, "" when it
// does not. A dot import answers ".".
func importName(f *file, importPath string) string {
	for _, spec := range f.ast.Imports {
		if strings.Trim(spec.Path.Value, `"`) != importPath {
			continue
		}
		if spec.Name != nil {
			return spec.Name.Name
		}
		return path.Base(importPath)
	}
	return ""
}

// selectors calls yield for each use X.Name in f where X is the package at
// importPath.
func selectors(f *file, importPath string, yield func(*ast.SelectorExpr)) {
	name := importName(f, importPath)
	if name == "" {
		return
	}
	ast.Inspect(f.ast, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok {
			if id, ok := sel.X.(*ast.Ident); ok && id.Name == name {
				yield(sel)
			}
		}
		return true
	})
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
