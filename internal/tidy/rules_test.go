// The table of rules, the run over the repository, and the test of the rules
// themselves.

package tidy

import (
	"go/token"
	"regexp"
	"strings"
	"testing"
)

// rule is one house rule with the proof that it can fail.
type rule struct {
	name  string
	check func(*tree, reporter)
	bad   []snippet         // each must be rejected
	good  map[string]string // must pass: the same shape, done right
}

// snippet is source that a rule must reject, saying so with want at path:line.
type snippet struct {
	path, src string
	want      string
}

// reporter takes a violation: where, and what to do about it.
type reporter func(path string, line int, text string)

func (r reporter) at(f *file, p token.Pos, text string) { r(f.path, f.line(p), text) }

// rules is every rule there is; TestRulesAreListed sees that none is left out.
func rules() []rule {
	return []rule{
		ruleLayers, rulePure, ruleHotImports, ruleDependencies, ruleModuleFile,
		ruleFileSize, ruleFuncSize, ruleMethodCount, ruleFieldCount,
		ruleDocs, ruleFieldDocs, rulePackageDoc, ruleFileOpening,
		ruleUnsafeFiles, ruleUnsafeComment, ruleLinkname,
		ruleClock, ruleSleep, ruleTestSleep,
		ruleSkip, ruleMarkers, rulePlatformBranch, ruleStubs, ruleTags,
		ruleLinks,
	}
}

func (r rule) run(t *tree) []problem {
	var found []problem
	r.check(t, func(path string, line int, text string) {
		found = append(found, problem{path, line, text})
	})
	return found
}

func TestRepository(t *testing.T) {
	repo := loadRepository(t)
	for _, p := range repo.broken {
		t.Errorf("%v: does not parse: mend it", p)
	}
	for _, r := range rules() {
		t.Run(r.name, func(t *testing.T) {
			for _, p := range r.run(repo) {
				t.Error(p)
			}
		})
	}
}

func TestRulesCanFail(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range rules() {
		if seen[r.name] {
			t.Errorf("two rules are called %q", r.name)
		}
		seen[r.name] = true
		t.Run(r.name, func(t *testing.T) {
			if len(r.bad) == 0 || len(r.good) == 0 {
				t.Fatal("the rule has no snippet to reject or none to accept: add them")
			}
			for _, s := range r.bad {
				checkRejects(t, r, s)
			}
			good := parseTree(r.good)
			for _, p := range append(good.broken, r.run(good)...) {
				t.Errorf("rejects what is right: %v", p)
			}
		})
	}
}

func checkRejects(t *testing.T, r rule, s snippet) {
	t.Helper()
	bad := parseTree(map[string]string{s.path: s.src})
	for _, p := range bad.broken {
		t.Fatalf("the snippet does not parse: %v", p)
	}
	found := r.run(bad)
	for _, p := range found {
		if p.path == s.path && p.line > 0 && strings.Contains(p.String(), s.want) {
			return
		}
	}
	t.Errorf("does not say %q about\n%s\nbut %v", s.want, s.src, found)
}

func TestRulesAreListed(t *testing.T) {
	declared := 0
	loadRepository(t).files(func(f *file) {
		if f.dir() == "internal/tidy" {
			declared += len(regexp.MustCompile(`(?m)^var rule[A-Z]\w* = rule\{`).FindAllString(f.src, -1))
		}
	})
	if listed := len(rules()); declared != listed {
		t.Errorf("%d rules are declared and %d listed in rules()", declared, listed)
	}
}

func TestSyntaxErrorIsReported(t *testing.T) {
	if broken := parseTree(map[string]string{"a/a.go": "package a\nfunc {"}).broken; len(broken) != 1 {
		t.Errorf("a file that does not parse gave %v", broken)
	}
}

// TestRepositoryIsSeen guards against rules that pass because they see nothing.
func TestRepositoryIsSeen(t *testing.T) {
	repo := loadRepository(t)
	for _, dir := range []string{"bytesparse", "internal/tidy"} {
		found := false
		for _, p := range repo.pkgs {
			found = found || p.dir == dir
		}
		if !found {
			t.Errorf("the rules see no package in %s", dir)
		}
	}
	if repo.texts["go.mod"] == "" {
		t.Error("the rules do not see go.mod")
	}
}
