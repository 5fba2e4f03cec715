// What a round consists of.

package main

import (
	"context"
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"

	"github.com/gale-http/gale/bench/internal/drive"
	"github.com/gale-http/gale/bench/internal/work"
)

// scribe is a driver that records its jobs. Deliberately slow requests add 2 ms to the others.
type scribe struct{ jobs []drive.Job }

func (*scribe) Name() string { return "scribe" }

func (d *scribe) Run(_ context.Context, job drive.Job) (drive.Result, error) {
	d.jobs = append(d.jobs, job)
	r := drive.Result{Requests: 8000, Elapsed: 2 * time.Second, P99: time.Millisecond}
	if job.Workload.Slow != "" {
		r.P99, r.SlowP50, r.SlowP99 = 3*time.Millisecond, 10*time.Millisecond, 11*time.Millisecond
	}
	return r, nil
}

func TestRounds(t *testing.T) {
	type run struct {
		slow string
		rate float64
	}
	for name, want := range map[string][]run{
		"hello":     {{"", 0}},
		"hellohalf": {{"", 0}, {"", 2000}},
		"mixed":     {{"", 0}, {"/slow", 0}},
		"mixedhalf": {{"", 0}, {"", 2000}, {"/mixed?slow", 2000}},
		"compute":   {{"", 2000}, {"/compute", 2000}},
	} {
		d := new(scribe)
		m := &meter{driver: d, duration: 250 * time.Millisecond}
		self := &running{cmd: &exec.Cmd{Process: &os.Process{Pid: os.Getpid()}}}
		s, err := m.sample(t.Context(), self, work.Find(name))
		if err != nil {
			t.Fatal(err)
		}
		var got []run
		for _, job := range d.jobs {
			got = append(got, run{job.Workload.Slow, job.Rate})
			if job.Rate > 0 && work.Find(name).Rate > 0 && job.Rate*job.Duration.Seconds() < dueAtLeast {
				t.Errorf("%s: %v at %v are too few requests", name, job.Duration, job.Rate)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: it ran %v, want %v", name, got, want)
		}
		last := want[len(want)-1]
		if last.slow != "" && (s[figAdded] != 2000 || s[figCalmP99] != 1000 || s[figP99] != 3000) {
			t.Errorf("%s: %v", name, s)
		}
		if _, there := s[figAdded]; there != (last.slow != "") || s[figDue] != last.rate {
			t.Errorf("%s: %v", name, s)
		}
	}
}
