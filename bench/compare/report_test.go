// Figures, ratios, tables and targets.

package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func sampleReport() *Report {
	t := &Table{Workload: "hello", About: "13 bytes", Base: "gale", Rows: []*Row{
		{Peer: "gale", Samples: []Sample{{figCPU: 10, figRequests: 1000}, {figCPU: 20, figRequests: 500}, {figCPU: 12, figRequests: 12345678}}},
		{Peer: "fasthttp", Samples: []Sample{{figCPU: 15}, {figCPU: 30}, {figCPU: 24}}},
		{Peer: "h2o", Void: "it is not there"},
	}}
	t.settle()
	return &Report{Schema: 1, Time: "now", Machine: "m", Driver: "d", Versions: map[string]string{"gale": "this tree", "a": "1"}, Tables: []*Table{t}}
}

func TestRatiosAreTakenWithinARound(t *testing.T) {
	rows := sampleReport().Tables[0].Rows
	if got := rows[0].Median[figCPU]; got != 12 {
		t.Errorf("the median is %v, want 12", got)
	}
	if got := rows[1].Ratio[figCPU]; got != 1.5 { // of 1.5, 1.5 and 2; the medians' own ratio is 2
		t.Errorf("the ratio is %v, want 1.5", got)
	}
	if got := rows[0].Spread[figCPU]; got != 10.0/12 {
		t.Errorf("the spread is %v", got)
	}
	if got := median([]float64{4, 1, 3, 2}); got != 2.5 {
		t.Errorf("the median of four is %v", got)
	}
}

func TestTables(t *testing.T) {
	rep := sampleReport()
	var text, md strings.Builder
	rep.print(&text)
	rep.markdown(&md)
	for _, want := range []string{"hello     req/s  CPU µs  to gale  spread", "gale      1 000    12.0        1", "fasthttp      –    24.0    1.50×", "h2o       – it is not there"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %q in\n%s", want, text.String())
		}
	}
	for _, want := range []string{"| hello | req/s | CPU µs | to gale | spread |\n|---|---:|---:|---:|---:|\n| gale |", "- h2o: – (it is not there)", "a 1, gale this tree."} {
		if !strings.Contains(md.String(), want) {
			t.Errorf("no %q in\n%s", want, md.String())
		}
	}
	for v, want := range map[float64]string{0: "0", 999: "999", 1000: "1 000", 1234567: "1 234 567", -1234: "-1 234"} {
		if got := whole(v); got != want {
			t.Errorf("whole(%v) = %q", v, got)
		}
	}
}

func TestJSON(t *testing.T) {
	name := filepath.Join(t.TempDir(), "report")
	if err := sampleReport().writeJSON(name); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var back Report
	if read, err := readJSON(name); err != nil || read.Tables[0].Base != "gale" {
		t.Errorf("%+v, %v", read, err)
	}
	if err := os.WriteFile(name+"2", []byte(`{"schema":2}`), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := readJSON(name + "2"); err == nil {
		t.Error("read a schema that is not known")
	}
	if err := json.Unmarshal(b, &back); err != nil || back.Schema != 1 || back.Tables[0].Rows[1].Ratio[figCPU] != 1.5 {
		t.Errorf("%+v, %v", back, err)
	}
}

func TestTargets(t *testing.T) {
	rep := sampleReport()
	for _, c := range []struct {
		target
		want     float64
		measured bool
	}{
		{target{Workload: "hello", Figure: figCPU, Max: 12}, 12, true},
		{target{Workload: "hello", Figure: figCPU, Of: "fasthttp", Max: 1}, 1 / 1.5, true},
		{target{Workload: "hello", Figure: figUser, Max: 1}, 0, false},
		{target{Workload: "hello", Figure: figCPU, Of: "h2o", Max: 1}, 0, false},
		{target{Workload: "other", Figure: figCPU, Max: 1}, 0, false},
	} {
		if got, measured := c.value(rep); got != c.want || measured != c.measured {
			t.Errorf("%+v: %v, %v", c.target, got, measured)
		}
	}
	for bound, want := range map[target]bool{{Max: 1}: false, {Max: 3}: true, {Min: 1}: true, {Min: 3}: false} {
		if kept, _ := bound.keeps(2); kept != want {
			t.Errorf("2 keeps to %+v: %v", bound, kept)
		}
	}
	var text strings.Builder
	kept, err := checkTargets(rep, &text)
	if err != nil || !kept || !strings.Contains(text.String(), "not measured") || !strings.Contains(text.String(), "0.6667") ||
		strings.Contains(text.String(), "idle") {
		t.Errorf("%v, %v:\n%s", kept, err, text.String())
	}
	rep.Tables[0].Rows[1].Ratio[figCPU] = 1.1
	if kept, err := checkTargets(rep, &text); err != nil || kept || !strings.Contains(text.String(), "MISSED") {
		t.Errorf("%v, %v", kept, err)
	}
}
