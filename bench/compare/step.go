// Stepping: counting instructions one by one, in separate processes, after all timing is
// done. Other load on the machine does not affect the count, so both cores step.

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/gale-http/gale/bench/internal/stepped"
	"github.com/gale-http/gale/bench/internal/work"
)

// stepJob is one row whose instructions are to be counted.
type stepJob struct {
	table    *Table
	row      *Row
	kind     *peerKind
	workload *work.Workload
	weight   float64 // roughly proportional to the time it takes
}

// stepAll counts for all rows whose peer is to be stepped through. Its error ends the
// run; a row that cannot be counted gets a note.
func (s *session) stepAll(ctx context.Context, tables []*Table) error {
	jobs := make(chan stepJob)
	var group sync.WaitGroup
	for _, core := range slices.Compact([]int{s.serverCore, s.clientCore}) {
		group.Go(func() {
			for job := range jobs {
				s.stepOne(ctx, job, core)
			}
		})
	}
	for _, job := range s.stepJobs(tables) {
		jobs <- job
	}
	close(jobs)
	group.Wait()
	return ctx.Err()
}

// stepJobs returns the rows to step through, the longest job first.
func (s *session) stepJobs(tables []*Table) (jobs []stepJob) {
	for _, t := range tables {
		w := work.Find(t.Workload)
		for _, row := range t.Rows {
			i := slices.IndexFunc(s.steps, func(k *peerKind) bool { return k.name == row.Peer })
			if i < 0 || row.Void != "" || w == nil || !w.CanStep() {
				continue
			}
			jobs = append(jobs, stepJob{t, row, s.steps[i], w, row.Samples[0][figCPU] * float64(w.Depth*max(w.Per, 1))})
		}
	}
	slices.SortStableFunc(jobs, func(a, b stepJob) int { return cmp.Compare(b.weight, a.weight) })
	return jobs
}

func (s *session) stepOne(ctx context.Context, job stepJob, core int) {
	if ctx.Err() != nil {
		return
	}
	w := job.workload
	fmt.Fprintf(s.progress, "%s steps %s\n", w.Name, job.kind.name)
	n, err := s.stepServer(ctx, job, core)
	s.noting.Lock()
	defer s.noting.Unlock()
	if err != nil {
		job.table.Notes = append(job.table.Notes, fmt.Sprintf("%s was not stepped through: %v", job.row.Peer, err))
		return
	}
	for _, sample := range job.row.Samples {
		sample[figStepped] = n
	}
}

func (s *session) stepServer(ctx context.Context, job stepJob, core int) (n float64, err error) {
	behind := ""
	upstream, err := s.startUpstream(ctx, job.workload)
	if err != nil {
		return 0, err
	}
	if upstream != nil {
		defer upstream.end()
		behind = upstream.addr
	}
	p, err := s.start(ctx, job.kind, job.workload, behind, core, stepped.Env...)
	if err != nil {
		return 0, err
	}
	defer p.end()
	n, err = s.step(ctx, p, job.workload, s.stepLimit)
	if err != nil {
		return 0, errors.Join(err, ctx.Err())
	}
	return n, nil
}
