// The only reader of clocks in the engine. A loop reads one once a turn; everything else is told
// the time by the loop.

package loop

import "time"

// base anchors the monotonic clock, so that ticks are small numbers.
var base = time.Now()

// monotonic returns nanoseconds since the process began, never going back.
func monotonic() int64 { return int64(time.Since(base)) }

// Millis returns the milliseconds of the clock that ticks count, for callers that have no loop to
// ask. It reads the system's clock.
func Millis() int64 { return monotonic() / tickNanos }

// wall returns the current second of the civil clock, and how many nanoseconds are left of it.
func wall() (unix, left int64) {
	t := time.Now()
	return t.Unix(), int64(time.Second) - int64(t.Nanosecond())
}

// wallUnix returns the current second of the civil clock.
func wallUnix() int64 { return time.Now().Unix() }

// DeadlineIn returns the instant ms milliseconds from now.
func DeadlineIn(ms int64) time.Time { return deadlineAt(ms * tickNanos) }

// deadlineAt returns the instant d nanoseconds from now, for sockets that keep their own deadlines.
func deadlineAt(d int64) time.Time { return time.Now().Add(time.Duration(d)) }

// tickNanos is a tick of the wheel in nanoseconds.
const tickNanos = int64(time.Millisecond)

// noDeadline removes a deadline.
var noDeadline time.Time

// instantOf returns t in nanoseconds of monotonic, at least 1, and capped so that arithmetic on it
// does not overflow; 0 for the zero time.
func instantOf(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return min(max(1, int64(t.Sub(base))), 1<<61)
}

// timeOf is the inverse of instantOf.
func timeOf(instant int64) time.Time { return base.Add(time.Duration(instant)) }

// past is a deadline that ends a wait at once.
var past = time.Unix(1, 0)
