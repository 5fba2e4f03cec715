// The steady state allocates nothing.

package main

import (
	"runtime"
	"testing"
	"time"
)

// TestSteadyStateDoesNotAllocate counts the objects allocated by the whole
// process while some ten thousand requests pass. The server is another process.
// Asking the run how far it is allocates a message for each loop; beyond that a
// few are the runtime's own.
func TestSteadyStateDoesNotAllocate(t *testing.T) {
	const slack = 20
	server, err := startServer("1")
	if err != nil {
		t.Fatal(err)
	}
	defer server.stop()
	for _, args := range [][]string{{"-t", "1"}, {"-t", "2"}, {"-t", "1", "-p", "16"}, {"-t", "1", "-b", "a body"}} {
		p := planOf(t, false, append(args, "-c", "16", "-d", "1m", server.url)...)
		r, err := newRun(p)
		if err != nil {
			t.Fatal(err)
		}
		r.start(p.duration)
		begun, objects, _ := watch(t, r, 5000)
		ended, objectsLater, asked := watch(t, r, begun+10000)
		r.stop()
		r.finish()
		res := new(result)
		res.collect(r.shards)
		wantErrors(t, res, nil)
		if n := int(objectsLater - objects); n > asked*p.loops+slack {
			t.Errorf("%v: %d objects for %d requests, asked %d times", args, n, ended-begun, asked)
		}
	}
}

// watch waits until the run has more than n answers, and tells how many objects
// had been allocated by then.
func watch(t *testing.T, r *run, n int64) (answers int64, objects uint64, asked int) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); answers < n; asked++ {
		if time.Now().After(deadline) {
			t.Fatalf("%d answers in 20 s", answers)
		}
		r.publish()
		time.Sleep(20 * time.Millisecond) // sleep: a run is under way, and tells nobody how far it is
		answers, _ = r.seen()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return answers, m.Mallocs, asked
}
