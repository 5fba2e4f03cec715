// The steady state allocates nothing.

package main

import (
	"runtime"
	"testing"
	"time"
)

// TestSteadyStateDoesNotAllocate counts the objects allocated by the whole process during ten
// thousand requests. The server is another process. A few objects are the runtime's own: a new
// thread costs five, and a busy machine makes more threads. One object for each of the largest
// batches would be 600.
func TestSteadyStateDoesNotAllocate(t *testing.T) {
	const slack = 100
	server, err := startServer("1")
	if err != nil {
		t.Fatal(err)
	}
	defer server.stop()
	for _, args := range [][]string{{"-t", "1"}, {"-t", "2"}, {"-t", "1", "-p", "16"}, {"-t", "1", "-b", "a body"},
		{"-t", "1", "-p", "3", "2=" + server.url + "a", server.url + "b"}} {
		p := planOf(t, false, append(args, "-c", "16", "-d", "1m", server.url)...)
		r, err := newRun(p)
		if err != nil {
			t.Fatal(err)
		}
		r.start(t.Context(), p.duration)
		begun, objects := watch(t, r, 5000)
		ended, objectsLater := watch(t, r, begun+10000)
		r.stop()
		r.finish()
		res := &result{plan: p}
		res.collect(r.shards)
		wantErrors(t, res, nil)
		if n := int(objectsLater - objects); n > slack {
			t.Errorf("%v: %d objects for %d requests", args, n, ended-begun)
		}
	}
}

// watch waits until the run has at least n answers, and returns their number and the number of
// objects allocated by then.
func watch(t *testing.T, r *run, n int64) (answers int64, objects uint64) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); answers < n; answers, _ = r.seen() {
		if time.Now().After(deadline) {
			t.Fatalf("%d answers in 20 s", answers)
		}
		time.Sleep(5 * time.Millisecond) // sleep: a run is under way, and tells nobody how far it is
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return answers, m.Mallocs
}
