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
	p := res.plan
	what := p.methodName + " " + p.url
	if res.embedded {
		what += " (embedded server)"
	}
	fmt.Fprintf(w, "%s\n%s\n\n", what, res.shape())
	row := func(name, format string, args ...any) {
		fmt.Fprintf(w, "  %-12s %s\n", name, fmt.Sprintf(format, args...))
	}
	row("requests/s", "%.0f", res.rate())
	row("transfer", "%s/s in, %s/s out", size(res.perSecond(res.received)), size(res.perSecond(res.sent)))
	if res.answers > 0 {
		row("latency", "p50 %s   p90 %s   p99 %s   p99.9 %s   max %s", span(res.percentile(50)), span(res.percentile(90)),
			span(res.percentile(99)), span(res.percentile(99.9)), span(time.Duration(res.longest)))
	}
	row("statuses", "%s", res.statusLine())
	row("errors", "%s", res.errorLine())
	row("connects", "%d", res.connects)
	row("cpu/request", "%s", res.cpuLine())
	if note := res.endNote(); note != "" {
		fmt.Fprintf(w, "\n%s\n", note)
	}
}

// shape is how the run was made.
func (res *result) shape() string {
	p := res.plan
	s := fmt.Sprintf("%s on %s", count(p.connections, "connection"), count(p.loops, "loop"))
	if p.depth > 1 {
		s += fmt.Sprintf(", %d requests at once", p.depth)
	}
	return s + fmt.Sprintf(": %d answers in %.2f s", res.answers, res.elapsed.Seconds())
}

func (res *result) statusLine() string {
	var parts []string
	for status, n := range res.statuses {
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
	if res.answers == 0 {
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

// endNote says what was not as planned.
func (res *result) endNote() string {
	var notes []string
	switch res.ending {
	case endDied:
		notes = append(notes, "The target died: every connection was given up. What was done until then is above.")
	case endInterrupted:
		notes = append(notes, "Interrupted. What was done until then is above.")
	}
	if res.lost > 0 {
		notes = append(notes, fmt.Sprintf("%s under way at the end went unanswered for another %v.", count(int(res.lost), "request"), grace))
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

// span is a duration in three digits and the unit that suits it.
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

// size is a number of bytes in three digits and the unit that suits it.
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
