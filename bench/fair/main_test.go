// Each way of doing the work, for a moment.

package main

import (
	"runtime"
	"slices"
	"testing"
	"time"
)

func TestMeasure(t *testing.T) {
	for _, by := range []string{"loops", "goroutines", "nothing"} {
		before := runtime.NumGoroutine()
		r, err := measure(&options{loops: 2, span: 50 * time.Millisecond, by: by})
		if err != nil {
			t.Fatal(err)
		}
		if (r.turns > 0) != (by != "nothing") {
			t.Errorf("%s: %.0f answers", by, r.turns)
		}
		for range 20 { // in a moment, on a busy machine, the watchdog may not run at all
			if r.watch == nil || r.watch.spent > 0 || err != nil {
				break
			}
			r, err = measure(&options{loops: 2, span: 50 * time.Millisecond, by: by})
		}
		if err != nil || (r.watch != nil) != (by == "loops") || r.watch != nil && (r.watch.spent <= 0 || r.watch.over <= 0 || r.watch.atRest < 0) {
			t.Errorf("%s: %+v, %v", by, r.watch, err)
		}
		for _, probe := range []string{"go statement", "timer", "TCP round trip"} {
			if d := r.delays[probe]; len(d) == 0 || slices.Max(d) <= 0 {
				t.Errorf("%s, %s: %v", by, probe, d)
			}
		}
		for deadline := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > before; runtime.Gosched() {
			if time.Now().After(deadline) {
				t.Fatalf("%s: %d goroutines are left of %d", by, runtime.NumGoroutine(), before)
			}
		}
	}
	if _, err := measure(&options{by: "magic"}); err == nil {
		t.Error("magic does no work")
	}
}

func TestQuantile(t *testing.T) {
	d := []time.Duration{5, 1, 4, 2, 3}
	if a, b, c := quantile(d, 0.5), quantile(d, 1), quantile(nil, 0.5); a != 3 || b != 5 || c != 0 {
		t.Errorf("%v, %v, %v", a, b, c)
	}
}
