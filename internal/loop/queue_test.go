// The containers of a loop: its ring, its inbox, its table.

package loop

import (
	"runtime"
	"sync"
	"testing"
)

func TestQueueIsFirstInFirstOut(t *testing.T) {
	r := newRand(t)
	var q queue[*int]
	var model []*int
	for i := range 20000 {
		if r.IntN(100) < 40+20*(i/1000%2) { // it grows and shrinks in turn
			v := new(int)
			q.push(v)
			model = append(model, v)
		} else if v, ok := q.pop(); ok != (len(model) > 0) {
			t.Fatalf("pop of a queue of %d reported %v", len(model), ok)
		} else if ok {
			if v != model[0] {
				t.Fatal("pop gave another than the oldest")
			}
			model = model[1:]
		}
		if q.len() != len(model) {
			t.Fatalf("the queue has %d instead of %d", q.len(), len(model))
		}
	}
	for range model {
		q.pop()
	}
	for _, v := range q.ring {
		if v != nil {
			t.Fatal("an empty queue still holds what was in it")
		}
	}
}

// Each message that push took comes out, once, each producer's in its order, until
// the inbox is sealed; none after that.
func TestInboxLosesNothingWhenSealed(t *testing.T) {
	const producers, rounds = 4, 20
	for range rounds {
		var b inbox
		var wg sync.WaitGroup
		var taken, ran [producers]int
		for i := range producers {
			wg.Go(func() {
				for n := 0; ; n++ {
					m := &message{run: func(*Loop) {
						if ran[i] != n {
							t.Errorf("message %d of producer %d came in place of %d", n, i, ran[i])
						}
						ran[i]++
					}}
					if !b.push(m) {
						taken[i] = n
						return
					}
					if n%16 == 0 {
						runtime.Gosched()
					}
				}
			})
		}
		total := 0
		run := func(m *message) {
			for ; m != nil; m = m.next {
				m.run(nil)
				total++
			}
		}
		for total < 2000 {
			if b.empty() {
				runtime.Gosched()
			}
			run(b.take())
		}
		run(b.seal())
		run(b.seal()) // again: nothing
		wg.Wait()
		if taken != ran {
			t.Fatalf("%v messages were taken, %v ran", taken, ran)
		}
	}
}

// A token finds its stream as long as that is open, and nothing afterwards.
func TestTableForgetsClosedStreams(t *testing.T) {
	r := newRand(t)
	var table table
	type token struct{ index, gen uint32 }
	live, dead := map[token]*Stream{}, map[token]bool{}
	var streams []*Stream
	for range 5000 {
		if len(streams) == 0 || r.IntN(5) < 3 { // the table grows
			s := &Stream{}
			if full := table.add(s); full != uint64(s.gen)<<32|uint64(s.index) {
				t.Fatalf("token %x for slot %d, generation %d", full, s.index, s.gen)
			}
			streams = append(streams, s)
			live[token{s.index, s.gen}] = s
		} else {
			i := r.IntN(len(streams))
			s := streams[i]
			streams[i] = streams[len(streams)-1]
			streams = streams[:len(streams)-1]
			table.remove(s)
			if table.at(s.index).stream != nil {
				t.Fatal("a free slot keeps its last stream")
			}
			delete(live, token{s.index, s.gen})
			dead[token{s.index, s.gen}] = true
		}
		if table.used != len(live) {
			t.Fatalf("%d slots are in use for %d streams", table.used, len(live))
		}
	}
	for at, s := range live {
		if table.find(at.index, at.gen) != s {
			t.Fatal("an open stream was not found")
		}
	}
	for at := range dead {
		if table.find(at.index, at.gen) != nil {
			t.Fatal("the token of a closed stream found another")
		}
	}
	if int(table.made) <= slotsPerPage {
		t.Fatalf("%d slots are one page", table.made)
	}
	for _, index := range []uint32{table.made, uint32(len(table.pages)) * slotsPerPage, 1<<32 - 1} {
		if table.find(index, 0) != nil {
			t.Fatalf("a token from nowhere, %d, found a stream", index)
		}
	}
	if len(dead) == 0 || len(live) == 0 {
		t.Fatal("nothing was tried")
	}
}
