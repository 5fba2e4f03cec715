// The progress line: on a terminal only, drawn with one write, cleared at the end. Each line
// overwrites the previous one, with blanks where it is shorter, so that nothing flickers and
// no escape sequence is needed.

package main

import (
	"fmt"
	"os"
	"strings"
	"time"
)

// tickEvery is how often the line is drawn.
const tickEvery = 200 * time.Millisecond

// progress draws on a terminal. Nil draws nothing.
type progress struct {
	out     *os.File
	width   int   // of the current line
	answers int64 // the count at the last drawing, at the time at
	at      int64
}

// newProgress returns nil when out is not a terminal.
func newProgress(out *os.File) *progress {
	if terminalWidth(out) == 0 {
		return nil
	}
	return &progress{out: out}
}

// drawer returns a function that draws the state of a run, nil when p is nil.
func (p *progress) drawer(r *run, plan *plan) func() {
	if p == nil {
		return nil
	}
	return func() { p.draw(r, plan) }
}

func (p *progress) draw(r *run, plan *plan) {
	now := r.clock()
	answers, errors := r.seen()
	rate := 0.0
	if dt := now - max(p.at, r.begun); dt > 0 {
		rate = float64(answers-p.answers) / (float64(dt) / 1e9)
	}
	p.answers, p.at = answers, now
	p.put(progressLine(plan, time.Duration(now-r.begun), answers, errors, rate))
}

// progressLine formats the state of a run.
func progressLine(plan *plan, elapsed time.Duration, answers, errors int64, rate float64) string {
	s := fmt.Sprintf("%.1f s", elapsed.Seconds())
	if plan.duration > 0 {
		s += fmt.Sprintf(" of %.1f s", plan.duration.Seconds())
	}
	s += fmt.Sprintf("   %d", answers)
	if plan.requests > 0 {
		s += fmt.Sprintf(" of %d", plan.requests)
	}
	s += fmt.Sprintf(" answers   %.0f/s", rate)
	if errors > 0 {
		s += fmt.Sprintf("   %d errors", errors)
	}
	return s
}

// put replaces the line by s, cut to the terminal's width minus the last column, where some
// terminals wrap.
func (p *progress) put(s string) {
	if most := terminalWidth(p.out) - 1; len(s) > most {
		s = s[:max(most, 0)]
	}
	line := "\r" + s
	if n := p.width - len(s); n > 0 {
		line += strings.Repeat(" ", n)
	}
	p.width = len(s)
	_, _ = p.out.WriteString(line)
}

// clear leaves an empty line with the cursor at its start.
func (p *progress) clear() {
	if p == nil {
		return
	}
	_, _ = p.out.WriteString("\r" + strings.Repeat(" ", p.width) + "\r")
	p.width = 0
}
