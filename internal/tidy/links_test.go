// Links in the documentation: what a page points at is there, and a test that a
// table calls its witness exists under that name.

package tidy

import (
	"path"
	"regexp"
	"strings"
)

var ruleLinks = rule{
	name:  "links",
	check: checkLinks,
	bad: []snippet{
		{"README.md", "See [it](engine/none.go).", "README.md:1: engine/none.go is not there"},
		{"bench/README.md", "\n[up](../gone)", "bench/README.md:2: gone is not there"},
		{"README.md", "[`TestX`](README.md#x)", "README.md:1: README.md has no TestX"},
	},
	good: map[string]string{
		"README.md":       "[a](a), [it](a/a_test.go#L1), [TestX](a/a_test.go), [`ExampleY_z`](a/a_test.go), [far](https://x.example/y), [here](#here)",
		"a/README.md":     "[up](../README.md) [x](a_test.go)",
		"a/a_test.go":     "package a\nfunc TestX(t *testing.T) {}\nfunc ExampleY_z() {}",
		"a/testdata/x.md": "[y](y)",
	},
}

var (
	link    = regexp.MustCompile(`\[([^\]]*)\]\(([^)\s]+)\)`)
	witness = regexp.MustCompile(`^(Test|Example|Fuzz|Benchmark)\w*$`)
)

func checkLinks(t *tree, report reporter) {
	sources := map[string]string{}
	t.files(func(f *file) { sources[f.path] = f.src })
	for _, page := range sortedKeys(t.texts) {
		if path.Ext(page) != ".md" || strings.Contains(page, "testdata/") {
			continue
		}
		for i, line := range strings.Split(t.texts[page], "\n") {
			for _, found := range link.FindAllStringSubmatch(line, -1) {
				target, _, _ := strings.Cut(found[2], "#")
				if target == "" || strings.Contains(target, ":") {
					continue
				}
				target = path.Join(path.Dir(page), target)
				name := strings.Trim(found[1], "`")
				switch {
				case !t.has(target):
					report(page, i+1, target+" is not there: correct the link")
				case witness.MatchString(name) && !strings.Contains(sources[target], "\nfunc "+name+"("):
					report(page, i+1, target+" has no "+name+": name a test that is there")
				}
			}
		}
	}
}

// has reports whether the tree has a file, or a directory, of that name.
func (t *tree) has(name string) bool {
	for known := range t.names {
		if within(known, name) {
			return true
		}
	}
	return false
}
