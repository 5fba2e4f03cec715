// PERF.md and README.md: the text between two marker comments in each is generated here,
// from one run, and never edited by hand. PERF.md gets all tables; README.md gets one
// chart, the command, and a line for each workload and figure.

package main

import (
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gale-http/gale/bench/internal/work"
)

// The comments that enclose the generated part of a file.
const (
	measuredBegin = "<!-- measured -->"
	measuredEnd   = "<!-- /measured -->"
)

// chartDir is the directory of the charts, relative to the files that show them.
const chartDir = "bench/charts"

// replaceMeasured returns the text with the part between the comments replaced.
func replaceMeasured(text, section string) (string, error) {
	before, rest, ok := strings.Cut(text, measuredBegin)
	_, after, closed := strings.Cut(rest, measuredEnd)
	if !ok || !closed || strings.Contains(after, measuredBegin) {
		return "", fmt.Errorf("there must be one %s and, after it, one %s", measuredBegin, measuredEnd)
	}
	return before + measuredBegin + "\n" + strings.TrimSpace(section) + "\n" + measuredEnd + after, nil
}

// writePerf writes the charts and the generated parts of PERF.md and README.md
// of the repository at root.
func (rep *Report) writePerf(root string) error {
	if err := rep.drawCharts(filepath.Join(root, filepath.FromSlash(chartDir))); err != nil {
		return err
	}
	for name, write := range map[string]func(io.Writer){"PERF.md": rep.perfSection, "README.md": rep.readmeSection} {
		name = filepath.Join(root, name)
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		var section strings.Builder
		write(&section)
		replaced, err := replaceMeasured(string(text), section.String())
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if err := os.WriteFile(name, []byte(replaced), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// checkPerf checks, before anything is measured, that both files have the marker comments.
func checkPerf(root string) error {
	for _, name := range []string{"PERF.md", "README.md"} {
		text, err := os.ReadFile(filepath.Join(root, name))
		if err == nil {
			_, err = replaceMeasured(string(text), "")
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func (rep *Report) perfSection(w io.Writer) {
	fmt.Fprintf(w, "## Measured\n\nEverything from here to the end of this part was written by\n\n```\ncd bench\n%s\n```\n\n", rep.Command)
	rep.preamble(w)
	rep.behind(w)
	for _, t := range rep.Tables {
		t.markdown(w)
		if _, ok := t.basis(); ok {
			fmt.Fprintf(w, "\n![%s](%s)\n", t.Workload, path.Join(chartDir, t.chartFile()))
		}
	}
	if missing := rep.unmeasured(); len(missing) > 0 {
		fmt.Fprintf(w, "\nNot in this run: %s.\n", strings.Join(missing, ", "))
	}
}

func (rep *Report) readmeSection(w io.Writer) {
	if len(rep.Tables) > 0 {
		first := rep.Tables[0]
		fmt.Fprintf(w, "![%s](%s)\n\n", first.Workload, path.Join(chartDir, first.chartFile()))
	}
	fmt.Fprintf(w, "%s, servers on one core, the driver (%s) on another. Less is better; every table, with memory and latency, is in [PERF.md](PERF.md).\n\n", rep.Machine, rep.Driver)
	rep.summary(w)
	rep.behind(w)
	fmt.Fprintf(w, "\nThis section is written by its own command, on any Linux machine with two cores\n(other servers take part when they are [installed](bench/README.md)):\n\n```\ncd bench\n%s\n```\n", rep.Command)
}

// summary writes a table with one line per workload and figure, one column per server.
func (rep *Report) summary(w io.Writer) {
	var peers []string
	for _, t := range rep.serverTables() {
		for _, r := range t.Rows {
			if !slices.Contains(peers, r.Peer) {
				peers = append(peers, r.Peer)
			}
		}
	}
	fmt.Fprintf(w, "| | %s |\n|---|%s\n", strings.Join(peers, " | "), strings.Repeat("---:|", len(peers)))
	dashes := map[string][]string{} // workloads by peer and reason
	for _, t := range rep.serverTables() {
		for _, basis := range t.bases() {
			fmt.Fprintf(w, "| %s, %s |", t.Workload, basis.head)
			for _, peer := range peers {
				fmt.Fprintf(w, " %s |", t.cell(peer, basis, dashes))
			}
			fmt.Fprintln(w)
		}
	}
	fmt.Fprintln(w)
	for _, reason := range sortedNames(dashes) {
		fmt.Fprintf(w, "- – %s: %s\n", reason, strings.Join(dashes[reason], ", "))
	}
}

// cell returns a peer's figure, in bold if no other server has a lower one.
func (t *Table) cell(peer string, basis column, dashes map[string][]string) string {
	i := slices.IndexFunc(t.Rows, func(r *Row) bool { return r.Peer == peer })
	if i < 0 || t.Rows[i].Median[basis.figure] <= 0 {
		why := peer + " did not take part"
		if i >= 0 && t.Rows[i].Void != "" {
			why = peer + " (" + t.Rows[i].Void + ")"
		} else if i >= 0 {
			why = peer + " (not stepped through)"
		}
		if !slices.Contains(dashes[why], t.Workload) {
			dashes[why] = append(dashes[why], t.Workload)
		}
		return "–"
	}
	text := basis.format(t.Rows[i].Median[basis.figure])
	if servers := t.servers(basis.figure); len(servers) > 0 && servers[0].Peer == peer {
		return "**" + text + "**"
	}
	return text
}

// servers returns the ranked rows without the floor, which is not an HTTP server.
func (t *Table) servers(figure string) []*Row {
	return slices.DeleteFunc(t.ranked(figure), func(r *Row) bool { return r.Peer == "floor" })
}

// serverTables returns the tables that compare servers.
func (rep *Report) serverTables() []*Table {
	return slices.DeleteFunc(slices.Clone(rep.Tables), func(t *Table) bool { return t.Base != "gale" })
}

// preamble writes when, where, with which versions and which counters the run was made.
func (rep *Report) preamble(w io.Writer) {
	fmt.Fprintf(w, "%s, %s, driven by %s.\n\n", rep.Time, rep.Machine, rep.Driver)
	for _, note := range rep.Notes {
		fmt.Fprintf(w, "- %s\n", note)
	}
	fmt.Fprintf(w, "- Versions:")
	for i, name := range sortedNames(rep.Versions) {
		if i > 0 {
			fmt.Fprint(w, ",")
		}
		fmt.Fprintf(w, " %s %s", name, rep.Versions[name])
	}
	fmt.Fprintln(w, ".")
}

// behind writes where gale is not the first of the servers, or has no figure.
func (rep *Report) behind(w io.Writer) {
	var lines []string
	for _, t := range rep.Tables {
		for _, basis := range t.bases() {
			if line := t.behind(basis); line != "" {
				lines = append(lines, line)
			}
		}
	}
	fmt.Fprintln(w)
	if len(lines) == 0 {
		fmt.Fprintln(w, "gale is first wherever it was measured.")
		return
	}
	fmt.Fprintln(w, "Where gale is not first:")
	fmt.Fprintln(w)
	for _, line := range lines {
		fmt.Fprintf(w, "- %s\n", line)
	}
}

// behind returns a line that names the servers ahead of the base in one figure, "" if
// there are none.
func (t *Table) behind(basis column) string {
	servers := t.servers(basis.figure)
	at := slices.IndexFunc(servers, func(r *Row) bool { return r.Peer == t.Base })
	if at < 0 {
		return fmt.Sprintf("%s: %s has no figure (%s)", t.Workload, t.Base, basis.head)
	}
	var ahead []string
	for _, r := range servers[:at] {
		ahead = append(ahead, fmt.Sprintf("%s %s", r.Peer, basis.format(r.Median[basis.figure])))
	}
	if ahead == nil {
		return ""
	}
	return fmt.Sprintf("%s: %s, %s %s (%s)", t.Workload, strings.Join(ahead, ", "), t.Base, basis.format(servers[at].Median[basis.figure]), basis.head)
}

// unmeasured returns the names of the workloads that were not measured.
func (rep *Report) unmeasured() (names []string) {
	for _, w := range work.All() {
		if !slices.ContainsFunc(rep.Tables, func(t *Table) bool { return t.Workload == w.Name }) {
			names = append(names, w.Name)
		}
	}
	return names
}
