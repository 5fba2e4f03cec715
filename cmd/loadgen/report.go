// The report for people.

package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

func (res *result) print(w io.Writer) {
	what := res.plan.methodName + " " + res.plan.url()
	if res.embedded {
		what += " (embedded server)"
	}
	fmt.Fprintf(w, "%s\n%s\n\n", what, res.shape())
	row := func(name, format string, args ...any) {
		fmt.Fprintf(w, "  %-12s %s\n", name, fmt.Sprintf(format, args...))
	}
	row("requests/s", "%s", res.rateLine())
	row("transfer", "%s/s in, %s/s out", size(res.perSecond(res.received)), size(res.perSecond(res.sent)))
	if res.total.answers > 0 {
		row("latency", "%s", res.total.latencyLine())
	}
	if res.plan.rate > 0 && res.behind.TotalCount() > 0 {
		row("behind", "p50 %s   p99 %s   max %s", span(quantile(res.behind, 50, res.mostBehind)),
			span(quantile(res.behind, 99, res.mostBehind)), span(time.Duration(res.mostBehind)))
	}
	row("statuses", "%s", res.total.statusLine())
	row("errors", "%s", res.errorLine())
	row("connects", "%d", res.connects)
	row("cpu/request", "%s", res.cpuLine())
	res.printClasses(w)
	res.printVerdicts(w)
	if note := res.endNote(); note != "" {
		fmt.Fprintf(w, "\n%s\n", note)
	}
}

// printClasses prints each class separately, if there are several.
func (res *result) printClasses(w io.Writer) {
	if len(res.tallies) < 2 {
		return
	}
	fmt.Fprintln(w)
	for i := range res.tallies {
		t := &res.tallies[i]
		fmt.Fprintf(w, "  %s\n    %.0f requests/s   statuses %s", res.plan.classes[i].url, res.rateOf(t), t.statusLine())
		if t.failed > 0 {
			fmt.Fprintf(w, "   failed %d", t.failed)
		}
		if t.answers > 0 {
			fmt.Fprintf(w, "\n    %s", t.latencyLine())
		}
		fmt.Fprintln(w)
	}
}

func (res *result) printVerdicts(w io.Writer) {
	for i, v := range res.judge() {
		if i == 0 {
			fmt.Fprintln(w)
		}
		fmt.Fprintf(w, "  %v\n", v)
	}
}

func (t *tally) latencyLine() string {
	return fmt.Sprintf("p50 %s   p90 %s   p99 %s   p99.9 %s   max %s", span(t.percentile(50)), span(t.percentile(90)),
		span(t.percentile(99)), span(t.percentile(99.9)), span(time.Duration(t.longest)))
}

func (res *result) rateLine() string {
	line := fmt.Sprintf("%.0f", res.rate())
	if res.plan.rate > 0 {
		line += fmt.Sprintf(" of %.5g that were due", res.plan.rate)
	}
	return line
}

// shape describes how the run was made.
func (res *result) shape() string {
	p := res.plan
	s := fmt.Sprintf("%s on %s", count(p.connections, "connection"), count(p.loops, "loop"))
	if p.depth > 1 {
		s += fmt.Sprintf(", %d requests at once", p.depth)
	}
	if p.per > 0 {
		s += fmt.Sprintf(", %s on each", count(p.per, "request"))
	}
	return s + fmt.Sprintf(": %d answers in %.2f s", res.total.answers, res.elapsed.Seconds())
}

func (t *tally) statusLine() string {
	var parts []string
	for status, n := range t.statuses {
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d: %d", status, n))
		}
	}
	if parts == nil {
		return "none"
	}
	return strings.Join(parts, "   ")
}

func (res *result) errorLine() string {
	if len(res.errors) == 0 {
		return "none"
	}
	kinds := make([]kind, 0, len(res.errors))
	for k := range res.errors {
		kinds = append(kinds, k)
	}
	slices.SortFunc(kinds, func(a, b kind) int {
		if res.errors[a] != res.errors[b] {
			return int(max(min(res.errors[b]-res.errors[a], 1), -1))
		}
		return strings.Compare(string(a), string(b))
	})
	var parts []string
	for _, k := range kinds {
		parts = append(parts, fmt.Sprintf("%s: %d", k, res.errors[k]))
	}
	return strings.Join(parts, "   ")
}

func (res *result) cpuLine() string {
	if res.total.answers == 0 {
		return "no requests"
	}
	s := "client " + res.cpuPer(res.client)
	if res.hasServer {
		s += "   server " + res.cpuPer(res.server)
	}
	return s
}

func (res *result) cpuPer(t cpuTime) string {
	return fmt.Sprintf("%s (user %s, system %s)", span(res.perRequest(t.total())), span(res.perRequest(t.user)), span(res.perRequest(t.system)))
}

// endNote says what did not go as planned.
func (res *result) endNote() string {
	var notes []string
	switch res.ending {
	case endDied:
		notes = append(notes, "The target died: every connection was given up. What was done until then is above.")
	case endInterrupted:
		notes = append(notes, "Interrupted. What was done until then is above.")
	}
	if n := res.total.lost; n > 0 {
		notes = append(notes, fmt.Sprintf("%s under way at the end went unanswered for another %v.", count(int(n), "request"), grace))
	}
	if res.unsent > 0 {
		notes = append(notes, fmt.Sprintf("%s due before the end found no free connection and had not left: no latency counts them.", count(int(res.unsent), "request")))
	}
	return strings.Join(notes, "\n")
}

func (res *result) perSecond(n int64) float64 {
	if res.elapsed <= 0 {
		return 0
	}
	return float64(n) / res.elapsed.Seconds()
}

func count(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

// span formats a duration with three digits and a suitable unit.
func span(d time.Duration) string {
	switch {
	case d < time.Microsecond:
		return fmt.Sprintf("%dns", d.Nanoseconds())
	case d < time.Millisecond:
		return three(float64(d)/1e3) + "µs"
	case d < time.Second:
		return three(float64(d)/1e6) + "ms"
	}
	return three(float64(d)/1e9) + "s"
}

// size formats a number of bytes with three digits and a suitable unit.
func size(n float64) string {
	for _, unit := range []string{"B", "kB", "MB"} {
		if n < 1000 {
			return three(n) + " " + unit
		}
		n /= 1000
	}
	return three(n) + " GB"
}

func three(x float64) string {
	switch {
	case x < 10:
		return fmt.Sprintf("%.2f", x)
	case x < 100:
		return fmt.Sprintf("%.1f", x)
	}
	return fmt.Sprintf("%.0f", x)
}
