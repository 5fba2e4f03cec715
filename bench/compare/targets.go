// Targets: the figures that gale must meet, from targets.json, and whether it does.

package main

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"slices"
)

//go:embed targets.json
var targetsFile []byte

// target is a bound on one of gale's figures or, if Of names a peer, on its ratio to that
// peer's figure in the same round. The bound is Min if that is given, otherwise Max.
type target struct {
	Workload string  `json:"workload"`
	Figure   string  `json:"figure"`
	Of       string  `json:"of,omitempty"`
	Max      float64 `json:"max,omitempty"`
	Min      float64 `json:"min,omitempty"`
}

// keeps reports whether value is within the bound, and returns the bound as text.
func (g target) keeps(value float64) (bool, string) {
	if g.Min > 0 {
		return value >= g.Min, fmt.Sprintf("≥ %8.4g", g.Min)
	}
	return value <= g.Max, fmt.Sprintf("≤ %8.4g", g.Max)
}

// checkTargets prints the state of each target of the workloads measured, and reports
// whether all are met.
func checkTargets(rep *Report, w io.Writer) (kept bool, err error) {
	var targets []target
	if err := json.Unmarshal(targetsFile, &targets); err != nil {
		return false, fmt.Errorf("targets.json: %w", err)
	}
	kept = true
	fmt.Fprintln(w, "\ntargets")
	for _, g := range targets {
		if !slices.ContainsFunc(rep.Tables, func(t *Table) bool { return t.Workload == g.Workload }) {
			continue
		}
		value, measured := g.value(rep)
		keeps, bound := g.keeps(value)
		figure, verdict := fmt.Sprintf("%10.4g", value), "kept"
		switch {
		case !measured:
			figure, verdict = fmt.Sprintf("%10s", "–"), "not measured"
		case !keeps:
			verdict, kept = "MISSED", false
		}
		name := g.Figure
		if g.Of != "" {
			name += " to " + g.Of
		}
		fmt.Fprintf(w, "  %-12s %-32s %s  %s  %s\n", g.Workload, name, figure, bound, verdict)
	}
	return kept, nil
}

func (g target) value(rep *Report) (float64, bool) {
	for _, t := range rep.Tables {
		if t.Workload != g.Workload {
			continue
		}
		for _, r := range t.Rows {
			if g.Of == "" && r.Peer == "gale" {
				v, ok := r.Median[g.Figure]
				return v, ok
			}
			if g.Of != "" && r.Peer == g.Of && r.Ratio[g.Figure] > 0 {
				return 1 / r.Ratio[g.Figure], true
			}
		}
	}
	return 0, false
}
