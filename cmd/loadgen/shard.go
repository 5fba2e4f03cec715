// What the connections of one loop share: the requests they still have to send
// and what came of those they sent. On a loop only one coroutine runs at a time,
// so there is no lock; in a portable group connections are goroutines, and take
// one.

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

	left int64 // requests to send; unlimited
	mix  mixer
	pace *pacer // nil: nothing is due before it is asked for

	tallies  []tally // by class
	connects int64
	received int64 // bytes
	sent     int64
	errors   map[kind]int64 // requests, or connections where no request was under way

	head   bytesparse.Head // of the answer being looked at, by one connection at a time
	fields [32]bytesparse.Field

	// What anyone may look at meanwhile. A store once a batch costs less than asking
	// the loop.
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

// claim takes up to n requests to send off what is left.
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

// unclaim gives back what the server has announced it will not answer.
func (s *shard) unclaim(n int) {
	s.lock()
	if s.left >= 0 {
		s.left += int64(n)
	}
	s.unlock()
}

// record notes that an answer to each of the kinds has come after nanos. The lock
// must be held.
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

// fail notes an error that the requests of these kinds died of; none is a connection
// without any.
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

// lose notes requests that were under way when the run was cut off.
func (s *shard) lose(kinds []uint16) {
	s.lock()
	for _, i := range kinds {
		s.tallies[i].lost++
	}
	s.unlock()
}
