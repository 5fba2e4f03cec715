// Several URLs: each in its proportion, and counted separately; and connections that end after a
// number of requests.

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestWeights(t *testing.T) {
	for _, weights := range [][]int{{1}, {1, 1}, {99, 1}, {5, 3, 2}, {1, 1000}} {
		var list []class
		total := 0
		for _, w := range weights {
			list = append(list, class{weight: w})
			total += w
		}
		m, got := newMixer(list), make([]int, len(list))
		for n := 1; n <= 2*total; n++ {
			got[m.next()]++
			for i, w := range weights { // at any time, not only at the end
				if fair := float64(n) * float64(w) / float64(total); float64(got[i]) < fair-1 || float64(got[i]) > fair+1 {
					t.Fatalf("%v: %d of %d are of kind %d", weights, got[i], n, i)
				}
			}
		}
	}
}

// counter is a server that counts by path, and sleeps on /slow.
type counter struct {
	mu    sync.Mutex
	paths map[string]int
	last  map[string]int // requests with Connection: close
}

func (c *counter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	c.paths[r.URL.Path]++
	if r.Close {
		c.last[r.URL.Path]++
	}
	c.mu.Unlock()
	switch r.URL.Path {
	case "/slow":
		time.Sleep(20 * time.Millisecond) // sleep: the subject
	case "/bad":
		w.WriteHeader(http.StatusNotFound)
	}
}

// seen returns how often each path was requested, and how often as the last on a connection.
func (c *counter) seen() (paths string, last map[string]int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return fmt.Sprint(c.paths), maps.Clone(c.last)
}

func newCounter(t *testing.T) (*counter, string) {
	c := &counter{paths: map[string]int{}, last: map[string]int{}}
	server := httptest.NewServer(c)
	t.Cleanup(server.Close)
	return c, server.URL
}

func TestSeveralURLs(t *testing.T) {
	eachDriver(t, func(t *testing.T, portable bool) {
		for _, flags := range []string{"-c 4", "-c 4 -p 7", "-c 4 -r 5000", "-c 4 -per 3", "-c 4 -p 5 -per 7", "-c 8 -t 2"} {
			c, url := newCounter(t)
			res := load(t, portable, append(strings.Fields(flags), "-n", "400", "18="+url+"/", url+"/slow", url+"/bad")...)
			if got, _ := c.seen(); got != "map[/:360 /bad:20 /slow:20]" {
				t.Errorf("%s: asked for %s", flags, got)
			}
			fast, slow, bad := &res.tallies[0], &res.tallies[1], &res.tallies[2]
			if fast.answers != 360 || fast.statuses[200] != 360 || slow.answers != 20 || slow.statuses[200] != 20 || bad.answers != 20 || bad.statuses[404] != 20 {
				t.Errorf("%s: %d, %d and %d answers", flags, fast.answers, slow.answers, bad.answers)
			}
			if slow.latency.Min() < int64(20*time.Millisecond) {
				t.Errorf("%s: the fastest of the slow took %v", flags, time.Duration(slow.latency.Min()))
			}
			if !strings.Contains(flags, "-p ") && fast.latency.Min() >= int64(20*time.Millisecond) {
				t.Errorf("%s: the fastest of the fast took %v", flags, time.Duration(fast.latency.Min()))
			}
			if res.total.answers != 400 || res.total.statuses[404] != 20 || res.total.longest != max(fast.longest, slow.longest, bad.longest) {
				t.Errorf("%s: in all %d answers, %d not found", flags, res.total.answers, res.total.statuses[404])
			}
			wantErrors(t, res, nil)
		}
	})
}

func TestRequestsPerConnection(t *testing.T) {
	eachDriver(t, func(t *testing.T, portable bool) {
		for flags, want := range map[string]struct{ connects, last int }{
			"-per 1": {100, 100}, "-per 10": {10, 10}, "-per 7 -p 3": {15, 14}, "-per 10 -p 10": {10, 10}, "-per 1000": {1, 0},
		} {
			c, url := newCounter(t)
			res := load(t, portable, append(strings.Fields(flags), "-c", "1", "-n", "100", url)...)
			if paths, last := c.seen(); paths != "map[/:100]" || last["/"] != want.last || res.total.answers != 100 || res.connects != int64(want.connects) {
				t.Errorf("%s: %d answers, asked for %s, %d the last of %d connections", flags, res.total.answers, paths, last["/"], res.connects)
			}
			wantErrors(t, res, nil)
		}
	})
}

func TestConnectingCountsWhereItIsAskedFor(t *testing.T) {
	// A connection to a listener succeeds at once even if it is never accepted, so a slow connect
	// cannot be staged; but it can be checked when the latency begins.
	c := &conn{run: &run{depth: 1, per: 1}, shard: newShard(unlimited, []class{{weight: 1}}, false), now: 5}
	c.run.end.Store(10)
	if k := c.next(nil); k != 1 || c.begun != 5 {
		t.Errorf("%d requests since %d", k, c.begun)
	}
	c.used = 1
	if k := c.next(nil); k != 0 {
		t.Errorf("%d requests on a connection that has had its own", k)
	}
}

func TestBounds(t *testing.T) {
	_, url := newCounter(t)
	for bounds, code := range map[string]int{
		"-max p99=10s -max errors=0 -max max=10s -max mean=10s -min rate=1": exitDone,
		"-max p50=1ns":           exitFailed,
		"-min rate=100000000000": exitFailed,
		"-max non2xx=10":         exitDone,
		"-max non2xx=9":          exitFailed,
		"-max non2xx=10%":        exitDone,
		"-max non2xx=9.9%":       exitFailed,
		"-max /:non2xx=0":        exitDone,
		"-max /bad:non2xx=99%":   exitFailed,
		"-max /slow:p50=15ms":    exitFailed,
		"-max /slow:p1=20s":      exitDone,
		"-max unsent=0":          exitDone,
	} {
		args := append(strings.Fields(bounds), "-c", "2", "-n", "100", "8="+url+"/", url+"/slow", url+"/bad", "-json", "-")
		code2, stdout, stderr := runProgram(t, args...)
		var d document
		if err := json.Unmarshal([]byte(stdout), &d); err != nil || stderr != "" {
			t.Fatalf("%v, on stderr %q", err, stderr)
		}
		missed := 0
		for _, b := range d.Bounds {
			if !b.Kept {
				missed++
			}
		}
		if code2 != code || (missed > 0) != (code == exitFailed) || len(d.Bounds) != strings.Count(bounds, "=") {
			t.Errorf("%s: exit code %d, %+v", bounds, code2, d.Bounds)
		}
	}
}

func TestReportOfSeveral(t *testing.T) {
	_, url := newCounter(t)
	res := load(t, false, "-c", "2", "-n", "40", "-r", "1000", "-max", "/bad:non2xx=1%", "3="+url+"/", url+"/bad")
	var b bytes.Buffer
	res.print(&b)
	for _, want := range []string{"GET " + url + "/ and 1 more\n", "requests/s", " of 1000 that were due", "behind ",
		"\n  " + url + "/bad\n", "statuses 404: 10\n", "statuses 200: 30\n", "  -max /bad:non2xx=1%: 100%, MISSED\n"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, &b)
		}
	}
}
