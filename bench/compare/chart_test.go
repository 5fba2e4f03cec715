// Charts are well-formed SVG that names each peer which has a figure.

package main

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCharts(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "charts")
	if err := sampleReport().drawCharts(dir); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(dir, "hello.svg"))
	if err != nil {
		t.Fatal(err)
	}
	decoder := xml.NewDecoder(strings.NewReader(string(b)))
	for err == nil {
		_, err = decoder.Token()
	}
	if !errors.Is(err, io.EOF) {
		t.Error(err)
	}
	svg := string(b)
	for _, want := range []string{">gale<", ">fasthttp<", ">12.0<", ">24.0<", "less is better", "Sans,Arial", "hello: 13 bytes", "CPU time per request"} {
		if !strings.Contains(svg, want) {
			t.Errorf("no %q in the chart", want)
		}
	}
	if strings.Contains(svg, "h2o") {
		t.Error("a peer without figures is in the chart")
	}
	if strings.Index(svg, ">gale<") < strings.Index(svg, ">fasthttp<") { // drawn from the bottom
		t.Error("the lowest is not the first")
	}
}
