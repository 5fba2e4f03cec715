// The state that the connections of one loop share: the requests still to be sent, and the
// results of those that were. On a loop only one coroutine runs at a time, so no lock is
// needed; in a portable group connections are goroutines, and take one.

package main

import (
	"sync"
	"sync/atomic"

	"github.com/gale-http/gale/bytesparse"
)

const unlimited = -1

// shard is one loop's share of the run.
type shard struct {
	mu     sync.Mutex
	shared bool // connections are goroutines

	left int64 // requests to send, or unlimited
	mix  mixer
	pace *pacer // nil without -r

	tallies  []tally // by class
	connects int64
	received int64 // bytes
	sent     int64
	errors   map[kind]int64 // failed requests, or connections that failed without one

	head   bytesparse.Head // of the answer being parsed, for one connection at a time
	fields [32]bytesparse.Field

	// Counts for the progress line. A store per batch costs less than asking the loop.
	answers                 int64
	seenAnswers, seenErrors atomic.Int64
}

func newShard(requests int64, classes []class, shared bool) *shard {
	s := &shard{
		shared:  shared,
		left:    requests,
		mix:     newMixer(classes),
		tallies: newTallies(len(classes)),
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

// claim takes up to n of the requests that are left, and returns how many.
func (s *shard) claim(n int) int {
	s.lock()
	n = s.take(n)
	s.unlock()
	return n
}

// take is claim with the lock held.
func (s *shard) take(n int) int {
	if s.left >= 0 {
		n = int(min(int64(n), s.left))
		s.left -= int64(n)
	}
	return n
}

// unclaim gives back n requests that the server has announced it will not answer, or that
// were not sent.
func (s *shard) unclaim(n int) {
	s.lock()
	if s.left >= 0 {
		s.left += int64(n)
	}
	s.unlock()
}

// record counts an answer, after nanos, for each of the given classes. The lock must be
// held.
func (s *shard) record(kinds []uint16, nanos int64, late bool) {
	s.answers += int64(len(kinds))
	s.seenAnswers.Store(s.answers)
	if len(s.tallies) == 1 {
		s.tallies[0].record(int64(len(kinds)), nanos, late)
		return
	}
	for _, i := range kinds {
		s.tallies[i].record(1, nanos, late)
	}
}

// fail counts an error that ended the requests of the given classes; with none, it ended a
// connection without requests.
func (s *shard) fail(k kind, kinds []uint16) {
	s.lock()
	for _, i := range kinds {
		s.tallies[i].failed++
	}
	n := int64(max(len(kinds), 1))
	s.errors[k] += n
	s.seenErrors.Add(n)
	s.unlock()
}

// lose counts requests that were under way when the run was cut off.
func (s *shard) lose(kinds []uint16) {
	s.lock()
	for _, i := range kinds {
		s.tallies[i].lost++
	}
	s.unlock()
}
