// What the connections of one loop share: the requests they still have to send
// and what came of those they sent. On a loop only one coroutine runs at a time,
// so there is no lock; in a portable group connections are goroutines, and take
// one.

package main

import (
	"sync"
	"sync/atomic"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/gale-http/gale/bytesparse"
)

// Latencies are kept in nanoseconds with three significant digits, up to an
// hour.
const (
	slowestNanos = 3600 * 1e9
	digits       = 3
)

const unlimited = -1

// shard is one loop's share of the run.
type shard struct {
	mu     sync.Mutex
	shared bool // connections are goroutines

	left int64 // requests to send; unlimited

	latency  *hdrhistogram.Histogram
	longest  int64 // exact, what the histogram rounds
	answers  int64
	late     int64 // answers after the end of the run
	lost     int64 // requests that were under way at the end and not answered
	failed   int64 // requests that ended in an error
	connects int64
	received int64 // bytes
	sent     int64
	statuses [1000]int64
	errors   map[kind]int64 // requests, or connections where no request was under way

	head   bytesparse.Head // of the answer being looked at, by one connection at a time
	fields [32]bytesparse.Field

	// What anyone may look at meanwhile. A store once a batch costs less than asking
	// the loop.
	seenAnswers, seenErrors atomic.Int64
}

func newShard(requests int64, shared bool) *shard {
	s := &shard{
		shared:  shared,
		left:    requests,
		latency: hdrhistogram.New(1, slowestNanos, digits),
		errors:  map[kind]int64{},
	}
	s.head.Fields = s.fields[:0]
	return s
}

func (s *shard) lock() {
	if s.shared {
		s.mu.Lock()
	}
}

func (s *shard) unlock() {
	if s.shared {
		s.mu.Unlock()
	}
}

// claim takes up to n requests to send off what is left.
func (s *shard) claim(n int) int {
	s.lock()
	if s.left >= 0 {
		n = int(min(int64(n), s.left))
		s.left -= int64(n)
	}
	s.unlock()
	return n
}

// unclaim gives back what the server has announced it will not answer.
func (s *shard) unclaim(n int) {
	s.lock()
	if s.left >= 0 {
		s.left += int64(n)
	}
	s.unlock()
}

// record notes n answers that took nanos. The lock must be held.
func (s *shard) record(n, nanos int64, late bool) {
	s.answers += n
	s.seenAnswers.Store(s.answers)
	if late {
		s.late += n
	}
	s.longest = max(s.longest, nanos)
	_ = s.latency.RecordValues(min(nanos, slowestNanos), n) // in range: the clock does not go back
}

// fail notes an error that n requests died of; 0 is a connection without any.
func (s *shard) fail(k kind, n int) {
	s.lock()
	s.failed += int64(n)
	s.errors[k] += int64(max(n, 1))
	s.seenErrors.Add(int64(max(n, 1)))
	s.unlock()
}
