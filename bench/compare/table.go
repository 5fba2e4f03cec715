// Tables, for a terminal and for Markdown: the columns that have a figure in any row,
// one row per peer, and last the peers without figures, with the reason.

package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/gale-http/gale/bench/internal/work"
)

// column is one figure of a table and how it is written.
type column struct {
	figure, head string
	format       func(float64) string
}

var columns = []column{
	{figDue, "due/s", whole}, {figRequests, "req/s", whole}, {figUser, "user instr", whole}, {figKernel, "kernel instr", whole}, {figTotal, "total instr", whole},
	{figCycles, "cycles", whole}, {figStepped, "user instr (stepped)", whole}, {figPerCPU, "req/CPU s", whole}, {figCPU, "CPU µs", tenths}, {figUserCPU, "of it user", tenths},
	{figP50, "p50 µs", whole}, {figP99, "p99 µs", whole}, {figP999, "p99.9 µs", whole}, {figCalmP99, "p99 without µs", whole}, {figAdded, "p99 added µs", whole}, {figSlowP50, "slow p50 µs", whole}, {figSlowP99, "slow p99 µs", whole}, {figRSS, "RSS", size}, {figPeak, "peak RSS", size},
	{figIdle, "bytes/conn", whole}, {figErrors, "errors", whole},
}

// ratioOf returns the candidates for the figure of a table's ratio column: the first that
// the table has is used.
func (t *Table) ratioOf() []string {
	if w := work.Find(t.Workload); w != nil && w.Tail {
		return []string{figP99}
	}
	return []string{figTotal, figCPU, figIdle}
}

// whole groups the digits by three.
func whole(v float64) string {
	s := fmt.Sprintf("%.0f", v)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + " " + s[i:]
	}
	return s
}

func tenths(v float64) string { return fmt.Sprintf("%.1f", v) }

func size(v float64) string { return fmt.Sprintf("%.1f MB", v/1e6) }

// cells lays the table out: a line of heads, then the rows.
func (t *Table) cells() [][]string {
	heads, used := []string{t.Workload}, []column{}
	for _, c := range columns {
		for _, r := range t.Rows {
			if v, ok := r.Median[c.figure]; ok && (c.figure != figErrors || v > 0) {
				used, heads = append(used, c), append(heads, c.head)
				break
			}
		}
	}
	basis := ""
	for _, name := range t.ratioOf() {
		if slices.ContainsFunc(t.Rows, func(r *Row) bool { return r.Ratio[name] > 0 }) {
			basis = name
			heads = append(heads, "to "+t.Base, "spread")
			break
		}
	}
	lines := [][]string{heads}
	for _, r := range t.Rows {
		line := []string{r.Peer}
		for _, c := range used {
			if v, ok := r.Median[c.figure]; ok {
				line = append(line, c.format(v))
			} else {
				line = append(line, "–")
			}
		}
		if basis != "" {
			line = append(line, t.ratioCell(r, basis), fmt.Sprintf("±%.0f %%", r.Spread[basis]*50))
		}
		if r.Void == "" {
			lines = append(lines, line)
		}
	}
	return lines
}

func (t *Table) ratioCell(r *Row, figure string) string {
	if r.Peer == t.Base {
		return "1"
	}
	if v, ok := r.Ratio[figure]; ok {
		return fmt.Sprintf("%.2f×", v)
	}
	return "–"
}

// print writes the table for a terminal.
func (t *Table) print(w io.Writer) {
	lines := t.cells()
	widths := make([]int, len(lines[0]))
	for _, line := range lines {
		for i, cell := range line {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	fmt.Fprintf(w, "\n%s: %s\n", t.Workload, t.About)
	for _, line := range lines {
		var b strings.Builder
		for i, cell := range line {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if i == 0 {
				b.WriteString("  " + cell + pad)
			} else {
				b.WriteString("  " + pad + cell)
			}
		}
		fmt.Fprintln(w, strings.TrimRight(b.String(), " "))
	}
	t.voids(func(peer, why string) { fmt.Fprintf(w, "  %-*s  – %s\n", widths[0], peer, why) })
	for _, note := range t.Notes {
		fmt.Fprintf(w, "  note: %s\n", note)
	}
}

// markdown writes the table for PERF.md.
func (t *Table) markdown(w io.Writer) {
	fmt.Fprintf(w, "\n### %s: %s\n\n", t.Workload, t.About)
	for i, line := range t.cells() {
		fmt.Fprintf(w, "| %s |\n", strings.Join(line, " | "))
		if i == 0 {
			fmt.Fprintf(w, "|---|%s\n", strings.Repeat("---:|", len(line)-1))
		}
	}
	first := true
	t.voids(func(peer, why string) {
		if first {
			fmt.Fprintln(w)
			first = false
		}
		fmt.Fprintf(w, "- %s: – (%s)\n", peer, why)
	})
	for _, note := range t.Notes {
		fmt.Fprintf(w, "\n%s.\n", note)
	}
}

func (t *Table) voids(yield func(peer, why string)) {
	for _, r := range t.Rows {
		if r.Void != "" {
			yield(r.Peer, r.Void)
		}
	}
}

func (rep *Report) print(w io.Writer) {
	fmt.Fprintf(w, "%s, driven by %s\n", rep.Machine, rep.Driver)
	for _, note := range rep.Notes {
		fmt.Fprintf(w, "note: %s\n", note)
	}
	for _, t := range rep.Tables {
		t.print(w)
	}
}

func (rep *Report) markdown(w io.Writer) {
	rep.preamble(w)
	for _, t := range rep.Tables {
		t.markdown(w)
	}
}
