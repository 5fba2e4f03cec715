// Charts: one SVG per workload, one bar per peer, the shortest first, of the figure that
// the table's ratios are taken from. Less is better in all of them.

package main

import (
	"bytes"
	"cmp"
	"image/color"
	"os"
	"path/filepath"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

var (
	colourBase  = color.RGBA{R: 0x1f, G: 0x6f, B: 0xb5, A: 0xff} // the row that the others are compared to
	colourOther = color.RGBA{R: 0xa9, G: 0xb4, B: 0xc0, A: 0xff}
	colourFloor = color.RGBA{R: 0xdd, G: 0xdd, B: 0xdd, A: 0xff} // not an HTTP server, only the limit of one
)

// basis returns the column of the figure that the table's ratios are taken from; ok is
// false if the table has none.
func (t *Table) basis() (column, bool) {
	for _, name := range t.ratioOf() {
		if t.has(name) {
			return columnOf(name), true
		}
	}
	return column{}, false
}

// bases returns the basis and, where that is CPU time, also the stepped instructions, which
// do not depend on other load on the machine.
func (t *Table) bases() []column {
	basis, ok := t.basis()
	switch {
	case !ok:
		return nil
	case basis.figure == figCPU && t.has(figStepped):
		return []column{basis, columnOf(figStepped)}
	}
	return []column{basis}
}

func (t *Table) has(figure string) bool {
	return slices.ContainsFunc(t.Rows, func(r *Row) bool { return r.Median[figure] > 0 })
}

func columnOf(figure string) column {
	return columns[slices.IndexFunc(columns, func(c column) bool { return c.figure == figure })]
}

// ranked returns the rows that have the figure, the lowest first.
func (t *Table) ranked(figure string) []*Row {
	rows := slices.DeleteFunc(slices.Clone(t.Rows), func(r *Row) bool { return r.Median[figure] <= 0 })
	slices.SortStableFunc(rows, func(a, b *Row) int { return cmp.Compare(a.Median[figure], b.Median[figure]) })
	return rows
}

// chartFile is the name of a table's chart.
func (t *Table) chartFile() string { return t.Workload + ".svg" }

// drawCharts writes a chart into dir for each table that has a figure to show.
func (rep *Report) drawCharts(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, t := range rep.Tables {
		basis, ok := t.basis()
		if !ok {
			continue
		}
		if err := t.draw(filepath.Join(dir, t.chartFile()), basis); err != nil {
			return err
		}
	}
	return nil
}

// unit names a column's figure on the axis of a chart.
var unit = map[string]string{
	figTotal: "instructions per request, user and kernel",
	figCPU:   "CPU time per request, µs",
	figP99:   "99th percentile of the latency, µs; where some are slow on purpose, of the others",
	figIdle:  "resident bytes per connection at rest",
}

func (t *Table) draw(name string, basis column) error {
	p := plot.New()
	p.Title.Text = t.Workload + ": " + t.About
	p.X.Label.Text = unit[basis.figure] + " (less is better)"
	p.X.Min = 0
	rows := t.ranked(basis.figure)
	slices.Reverse(rows) // a chart draws its first row at the bottom
	names := make([]string, len(rows))
	labels := plotter.XYLabels{XYs: make(plotter.XYs, len(rows)), Labels: make([]string, len(rows))}
	for i, r := range rows {
		v := r.Median[basis.figure]
		bar, err := plotter.NewBarChart(plotter.Values{v}, vg.Points(16))
		if err != nil {
			return err
		}
		bar.Horizontal, bar.XMin, bar.LineStyle.Width, bar.Color = true, float64(i), 0, t.colour(r)
		p.Add(bar)
		names[i] = r.Peer
		labels.XYs[i], labels.Labels[i] = plotter.XY{X: v, Y: float64(i)}, basis.format(v)
	}
	values, err := plotter.NewLabels(labels)
	if err != nil {
		return err
	}
	for i := range values.TextStyle {
		values.TextStyle[i].YAlign, values.TextStyle[i].Font.Variant = text.YCenter, "Sans"
	}
	for _, style := range []*text.Style{&p.Title.TextStyle, &p.X.Label.TextStyle, &p.X.Tick.Label, &p.Y.Tick.Label} {
		style.Font.Variant = "Sans"
	}
	p.Title.Padding = vg.Points(6)
	values.Offset.X = vg.Points(4)
	p.Add(values)
	p.NominalY(names...)
	p.X.Max = 1.12 * rows[0].Median[basis.figure] // room for the longest bar's label
	return save(p, name, vg.Points(float64(96+26*len(rows))))
}

func (t *Table) colour(r *Row) color.Color {
	switch r.Peer {
	case t.Base:
		return colourBase
	case "floor":
		return colourFloor
	}
	return colourOther
}

func save(p *plot.Plot, name string, height vg.Length) error {
	canvas := vgsvg.New(vg.Points(560), height)
	const margin = 8
	p.Draw(draw.Crop(draw.New(canvas), margin, -margin, margin, -margin))
	var svg bytes.Buffer
	if _, err := canvas.WriteTo(&svg); err != nil {
		return err
	}
	// If the font is not installed, a similar one is used.
	const family = "font-family:Liberation Sans"
	text := bytes.ReplaceAll(svg.Bytes(), []byte(family+";"), []byte(family+",Arial,Helvetica,sans-serif;"))
	return os.WriteFile(name, text, 0o644)
}
