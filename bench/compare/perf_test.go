// The generated parts of PERF.md and README.md: only the text between the marker comments
// changes, and it says where gale is not first.

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestReplaceMeasured(t *testing.T) {
	const text = "above\n" + measuredBegin + "\nold\n" + measuredEnd + "\nbelow\n"
	once, err := replaceMeasured(text, "\nnew\n")
	if want := "above\n" + measuredBegin + "\nnew\n" + measuredEnd + "\nbelow\n"; once != want || err != nil {
		t.Errorf("%q, %v", once, err)
	}
	for _, bad := range []string{"", measuredBegin, measuredEnd + measuredBegin, text + text} {
		if _, err := replaceMeasured(bad, "new"); err == nil {
			t.Errorf("replaced in %q", bad)
		}
	}
}

func TestPerf(t *testing.T) {
	root := t.TempDir()
	if err := checkPerf(root); err == nil {
		t.Error("found a place for it in nothing")
	}
	for _, name := range []string{"PERF.md", "README.md"} {
		if err := os.WriteFile(filepath.Join(root, name), []byte("# A\n\n"+measuredBegin+measuredEnd+"\n\n## B\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := checkPerf(root); err != nil {
		t.Error(err)
	}
	rep := sampleReport()
	rep.Notes, rep.Command = []string{"no counters today"}, "go run ./compare -perf .."
	rep.Tables[0].Rows[1].Samples = []Sample{{figCPU: 5}, {figCPU: 5}, {figCPU: 5}}
	rep.Tables[0].settle()
	if err := rep.writePerf(root); err != nil {
		t.Fatal(err)
	}
	for name, wants := range map[string][]string{
		"PERF.md": {"# A", "## B", "go run ./compare -perf ..", "no counters today", "m, driven by d", "a 1, gale this tree", "| hello | req/s",
			"- hello: fasthttp 5.0, gale 12.0 (CPU µs)", "- h2o: – (it is not there)", "![hello](bench/charts/hello.svg)", "Not in this run: hello1,"},
		"README.md": {"# A", "## B", "go run ./compare -perf ..", "![hello](bench/charts/hello.svg)", "| | gale | fasthttp | h2o |",
			"| hello, CPU µs | 12.0 | **5.0** | – |", "- – h2o (it is not there): hello", "- hello: fasthttp 5.0, gale 12.0 (CPU µs)"},
		"bench/charts/hello.svg": {"<svg"},
	} {
		b, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range wants {
			if !strings.Contains(string(b), want) {
				t.Errorf("%s has no %q:\n%s", name, want, b)
			}
		}
	}
	rep.Tables[0].Rows[1].Samples = []Sample{{figCPU: 50}}
	rep.Tables[0].settle()
	var text strings.Builder
	rep.behind(&text)
	if !strings.Contains(text.String(), "gale is first wherever") {
		t.Error(text.String())
	}
}
