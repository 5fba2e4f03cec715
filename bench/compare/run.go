// The order of a run: for each workload, all peers are started and checked; then, in each
// round, every peer is measured once.

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/gale-http/gale/bench/internal/drive"
	"github.com/gale-http/gale/bench/internal/proc"
	"github.com/gale-http/gale/bench/internal/work"
)

// session is one run of compare.
type session struct {
	*site
	*meter
	peers     []*peerKind
	workloads []*work.Workload
	clients   []*clientKind // for the client table; nil: none
	rounds    int
	steps     []*peerKind // whose instructions are counted by stepping
	stepLimit time.Duration
	noting    sync.Mutex // guards the tables while servers are stepped in parallel
	progress  io.Writer
}

func (s *session) run(ctx context.Context) (*Report, error) {
	rep := &Report{Schema: 1, Time: time.Now().UTC().Format(time.RFC3339), Machine: machine(), Driver: s.driver.Name(), Versions: map[string]string{}}
	for _, p := range s.peers {
		rep.Versions[p.name] = p.version(s.site)
	}
	for _, w := range s.workloads {
		t, err := s.table(ctx, w)
		if err != nil {
			return nil, err
		}
		rep.Tables = append(rep.Tables, t)
	}
	if err := s.stepAll(ctx, rep.Tables); err != nil {
		return nil, err
	}
	for _, t := range rep.Tables {
		t.settle()
	}
	if s.clients != nil {
		for _, k := range s.clients {
			if version := k.version(s.site); version != "" {
				rep.Versions[k.name] = version
			}
		}
		t, err := s.clientTable(ctx, s.clients)
		if err != nil {
			return nil, err
		}
		rep.Tables = append(rep.Tables, t)
	}
	return rep, nil
}

// entry is a peer that takes part in a workload.
type entry struct {
	*running
	row *Row
}

func (s *session) table(ctx context.Context, w *work.Workload) (*Table, error) {
	t := &Table{Workload: w.Name, About: w.About, Base: "gale"}
	upstream, err := s.startUpstream(ctx, w)
	if err != nil {
		return nil, err
	}
	behind := ""
	if upstream != nil {
		defer upstream.end()
		behind = upstream.addr
	}
	var entries []*entry
	defer func() {
		for _, e := range entries {
			e.end()
		}
	}()
	for _, kind := range s.peers {
		row := &Row{Peer: kind.name}
		t.Rows = append(t.Rows, row)
		if why := kind.cannot(w); why != "" {
			row.void(why)
			continue
		}
		p, err := s.start(ctx, kind, w, behind, s.serverCore)
		if err != nil {
			row.void(err.Error())
			continue
		}
		e := &entry{p, row}
		entries = append(entries, e)
		s.judge(ctx, e, w)
	}
	rounds := s.rounds
	if w.Kind == work.Idle {
		rounds = 1 // a second one would find the memory of the first
	}
	for round := range rounds {
		for _, e := range entries {
			if e.row.Void != "" {
				continue
			}
			fmt.Fprintf(s.progress, "%s %d/%d %s\n", w.Name, round+1, rounds, e.kind.name)
			if err := s.round(ctx, e, w); err != nil {
				return nil, err
			}
		}
	}
	s.verify(entries, w)
	return t, ctx.Err()
}

// judge checks the peer's answers before anything is timed, and warms the peer up.
func (s *session) judge(ctx context.Context, e *entry, w *work.Workload) {
	if err := w.Check(e.addr); err != nil {
		e.row.void("wrong answer: " + err.Error())
		return
	}
	if err := s.warm(ctx, e.running, w); err != nil {
		e.row.void("fails under load: " + err.Error())
	}
}

// round adds a sample to a row, or voids it. Its error ends the run.
func (s *session) round(ctx context.Context, e *entry, w *work.Workload) error {
	var sample Sample
	var err error
	if w.Kind == work.Idle {
		sample, err = s.idle(ctx, e.running, w)
	} else {
		sample, err = s.sample(ctx, e.running, w)
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case proc.Ended(e.pid()):
		e.row.void("it ended under load" + e.lastWords())
	case err != nil:
		e.row.void(err.Error() + e.lastWords())
	case sample[figErrors] > 0 && sample[figErrors] > sample[figRequests]/1000:
		e.row.void(fmt.Sprintf("%.0f errors in a round", sample[figErrors]))
	default:
		e.row.Samples = append(e.row.Samples, sample)
	}
	return nil
}

// verify checks the answers once more: a server that went wrong under load gets no
// figures.
func (s *session) verify(entries []*entry, w *work.Workload) {
	for _, e := range entries {
		if e.row.Void != "" {
			continue
		}
		if err := w.Check(e.addr); err != nil {
			e.row.void("wrong answer after the load: " + err.Error())
		}
	}
}

// newSite creates the directory for a run's files.
func newSite(serverCore, clientCore int) (*site, error) {
	dir, err := os.MkdirTemp("", "gale-compare-")
	if err != nil {
		return nil, err
	}
	s := &site{dir: dir, serverCore: serverCore, clientCore: clientCore}
	return s, errors.Join(os.Chmod(dir, 0o755), s.prepare()) // peers that give up root still read it
}

func (s *site) remove() { _ = os.RemoveAll(s.dir) } // temporary files are not worth an error

// newDriver returns the driver of that name; loadgen must have been built into the site.
func (s *site) newDriver(name string) (drive.Driver, error) {
	switch name {
	case "wrk":
		return drive.NewWrk()
	case "loadgen":
		return drive.NewLoadgen(filepath.Join(s.dir, "loadgen")), nil
	}
	return nil, errors.New("-driver is loadgen or wrk")
}

func machine() string {
	return fmt.Sprintf("%s, %d cores, %s", proc.Processor(), proc.Cores(), proc.Kernel())
}

func sortedNames[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// runForeground runs a command with this program's own output until it ends or
// ctx is done.
func runForeground(ctx context.Context, args []string) error {
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	return proc.Await(ctx, cmd, -1)
}
