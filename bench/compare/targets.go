// Targets: the figures that gale is to keep, in a file beside the program, and
// whether it does.

package main

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
)

//go:embed targets.json
var targetsFile []byte

// target is a bound on one of gale's figures. Of is empty for the figure itself,
// or the name of a peer to whose figure in the same round it stands in that ratio.
type target struct {
	Workload string  `json:"workload"`
	Figure   string  `json:"figure"`
	Of       string  `json:"of,omitempty"`
	Max      float64 `json:"max"`
}

// checkTargets says how each target stands that has been measured, and whether
// all are kept.
func checkTargets(rep *Report, w io.Writer) (kept bool, err error) {
	var targets []target
	if err := json.Unmarshal(targetsFile, &targets); err != nil {
		return false, fmt.Errorf("targets.json: %w", err)
	}
	kept = true
	fmt.Fprintln(w, "\ntargets")
	for _, g := range targets {
		value, measured := g.value(rep)
		verdict := "kept"
		switch {
		case !measured:
			verdict = "not measured"
		case value > g.Max:
			verdict, kept = "MISSED", false
		}
		name := g.Figure
		if g.Of != "" {
			name += " to " + g.Of
		}
		if measured {
			fmt.Fprintf(w, "  %-12s %-32s %10.4g  of %8.4g  %s\n", g.Workload, name, value, g.Max, verdict)
		} else {
			fmt.Fprintf(w, "  %-12s %-32s %10s  of %8.4g  %s\n", g.Workload, name, "–", g.Max, verdict)
		}
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
