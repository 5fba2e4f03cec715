// Requests at a rate: their number, their connections, and the start of their latency.

package main

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestRateIsKept(t *testing.T) {
	eachDriver(t, func(t *testing.T, portable bool) {
		for _, flags := range []string{"-c 1 -t 1", "-c 64 -t 1", "-c 9 -t 2", "-c 8 -per 1", "-c 8 -per 3"} {
			res := load(t, portable, append(strings.Fields(flags), "-r", "1000", "-d", "300ms", rawServer(t, alwaysSays(ok)))...)
			// A busy machine may leave some unsent; none may be missing.
			if n := res.total.answers + res.unsent; n < 299 || n > 301 || res.total.answers == 0 || res.ending != endDuration {
				t.Errorf("%s: %d answers and %d unsent, ended by %s", flags, res.total.answers, res.unsent, res.ending)
			}
			if res.behind.TotalCount() != res.total.answers {
				t.Errorf("%s: %d times behind", flags, res.behind.TotalCount())
			}
			wantErrors(t, res, nil)
		}
	})
}

func TestRateAndNumber(t *testing.T) {
	eachDriver(t, func(t *testing.T, portable bool) {
		for _, flags := range []string{"-c 8 -t 1", "-c 8 -t 2", "-c 8 -per 2"} {
			var served atomic.Int64
			server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { served.Add(1) }))
			res := load(t, portable, append(strings.Fields(flags), "-r", "2000", "-n", "201", server.URL)...)
			server.Close()
			if res.total.answers != 201 || served.Load() != 201 || res.ending != endRequests || res.unsent != 0 {
				t.Errorf("%s: %d answers, %d served, %d unsent, ended by %s", flags, res.total.answers, served.Load(), res.unsent, res.ending)
			}
			if !strings.Contains(flags, "-per") && res.connects != 8 {
				t.Errorf("%s: %d connections", flags, res.connects)
			}
			if res.elapsed < 90*time.Millisecond {
				t.Errorf("%s: 201 requests at 2000 a second in %v", flags, res.elapsed)
			}
		}
	})
}

// A server that stands still delays all requests that are due meanwhile, not only those of the
// connections that exist; this is what coordinated omission hides.
func TestLatencyRunsFromWhenARequestWasDue(t *testing.T) {
	const pause = 200 * time.Millisecond
	eachDriver(t, func(t *testing.T, portable bool) {
		var served atomic.Int64
		url := rawServer(t, func(c net.Conn, r *bufio.Reader) {
			for !hungUp(r) {
				if served.Add(1) == 50 {
					time.Sleep(pause) // sleep: a server that stands still is the subject
				}
				_, _ = io.WriteString(c, ok)
			}
		})
		res := load(t, portable, "-c", "1", "-r", "1000", "-n", "250", url)
		// 200 were due during the pause; half of them waited for at least half of it.
		if got := res.total.percentile(70); got < pause/4 {
			t.Errorf("the 70th percentile is %v", got)
		}
		if res.mostBehind < int64(pause)*9/10 {
			t.Errorf("the last one left %v late", time.Duration(res.mostBehind))
		}
		served.Store(0)
		if politely := load(t, portable, "-c", "1", "-n", "250", url); politely.total.longest < int64(pause) || politely.total.percentile(99) > pause/2 {
			t.Errorf("without a rate one of 250 waits, and not the 99th percentile: %v", politely.total.percentile(99))
		}
	})
}

func TestWhatFindsNoFreeConnectionIsUnsent(t *testing.T) {
	eachDriver(t, func(t *testing.T, portable bool) {
		url := rawServer(t, func(_ net.Conn, r *bufio.Reader) { _, _ = io.Copy(io.Discard, r) }) // reads everything, sends nothing
		res := load(t, portable, "-c", "2", "-r", "20", "-d", "1s", url)
		if res.total.answers != 0 || res.total.lost != 2 || res.unsent < 17 || res.unsent > 19 {
			t.Errorf("%d answers, %d lost, %d unsent", res.total.answers, res.total.lost, res.unsent)
		}
	})
}

func TestServerMayCloseConnectionsAtRest(t *testing.T) {
	eachDriver(t, func(t *testing.T, portable bool) {
		url := rawServer(t, func(c net.Conn, r *bufio.Reader) {
			if !hungUp(r) { // answers one request, then closes without announcing it
				_, _ = io.WriteString(c, ok)
			}
		})
		// Each connection notices the close long before its next turn, even on a busy machine.
		res := load(t, portable, "-c", "4", "-r", "4", "-n", "6", url)
		if res.total.answers != 6 || res.connects < 6 {
			t.Errorf("%d answers on %d connections", res.total.answers, res.connects)
		}
		wantErrors(t, res, nil)
	})
}

func TestBytesOnAConnectionAtRestAreAnError(t *testing.T) {
	eachDriver(t, func(t *testing.T, portable bool) {
		url := rawServer(t, func(c net.Conn, r *bufio.Reader) {
			for !hungUp(r) {
				_, _ = io.WriteString(c, ok)
				time.Sleep(5 * time.Millisecond) // sleep: when nothing is under way, until half a second later
				_, _ = io.WriteString(c, "x")
			}
		})
		res := load(t, portable, "-c", "1", "-r", "2", "-n", "3", url)
		if res.total.answers != 3 || res.errors[kindUnasked] < 2 || len(res.errors) != 1 {
			t.Errorf("%d answers, errors: %v", res.total.answers, res.errors)
		}
	})
}

func TestDeadTargetAtARate(t *testing.T) {
	eachDriver(t, func(t *testing.T, portable bool) {
		for _, more := range []string{"", "-per 1"} {
			m := newMortal(t, func(_ *mortal, c net.Conn, r *bufio.Reader) { alwaysSays(ok)(c, r) })
			p := planOf(t, portable, append(strings.Fields(more), "-c", "4", "-r", "1000", "-d", "1m", m.Addr().String())...)
			m.die()
			res, err := measure(t.Context(), p, nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			if res.ending != endDied || res.total.answers != 0 || res.errors[kindRefused] == 0 || res.exitCode() != exitFailed {
				t.Errorf("%q: ended by %s, %d answers, errors %v", more, res.ending, res.total.answers, res.errors)
			}
		}
	})
}

func TestInterruptionAtARate(t *testing.T) {
	eachDriver(t, func(t *testing.T, portable bool) {
		for _, rate := range []string{"0.01", "1000"} { // the next turn comes after a long time, or soon
			ctx, cancel := context.WithCancel(t.Context())
			timer := time.AfterFunc(50*time.Millisecond, cancel)
			res := loadUntil(t, ctx, portable, "-c", "8", "-r", rate, "-d", "1h", rawServer(t, alwaysSays(ok)))
			timer.Stop()
			if res.ending != endInterrupted || res.elapsed > 30*time.Second || len(res.errors) > 0 {
				t.Errorf("-r %s: ended by %s after %v, errors %v", rate, res.ending, res.elapsed, res.errors)
			}
		}
	})
}

func TestScheduleOfSeveralLoopsIsEven(t *testing.T) {
	p := planOf(t, true, "-c", "4", "-t", "4", "-r", "1000", rawServer(t, alwaysSays(ok)))
	r, err := newRun(p)
	if err != nil {
		t.Fatal(err)
	}
	defer r.group.Stop()
	for i := range 100 {
		s := r.shards[i%4].pace
		if got, want := s.due(), int64(i)*1_000_000; got != want {
			t.Fatalf("request %d is due at %d, want %d", i, got, want)
		}
		s.taken++
	}
}
