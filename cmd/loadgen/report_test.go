// Reports: figures in the right place, in words and in JSON.

package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// sample is a result with a different figure everywhere.
func sample() *result {
	classes := []class{{url: "http://h/", path: "/", weight: 1}}
	s := newShard(unlimited, classes, false)
	for i := range int64(1000) {
		s.record([]uint16{0}, (i+1)*1000, i >= 990)
	}
	s.connects, s.received, s.sent = 70, 2_500_000, 40_000
	s.tallies[0].statuses[200], s.tallies[0].statuses[404] = 900, 100
	s.lose(make([]uint16, 3))
	s.fail(kindReset, make([]uint16, 2))
	s.fail(kindRefused, nil)
	s.fail("bad response: malformed start line", make([]uint16, 4))
	res := &result{
		plan:   &plan{classes: classes, methodName: "GET", connections: 64, loops: 1, depth: 4},
		ending: endDied, embedded: true, hasServer: true, elapsed: 2 * time.Second,
		client: cpuTime{3 * time.Millisecond, 7 * time.Millisecond},
		server: cpuTime{1 * time.Millisecond, 11 * time.Millisecond},
	}
	res.collect([]*shard{s, newShard(unlimited, classes, false)})
	return res
}

func TestReport(t *testing.T) {
	const want = `GET http://h/ (embedded server)
64 connections on 1 loop, 4 requests at once: 1000 answers in 2.00 s

  requests/s   495
  transfer     1.25 MB/s in, 20.0 kB/s out
  latency      p50 500µs   p90 900µs   p99 990µs   p99.9 999µs   max 1.00ms
  statuses     200: 900   404: 100
  errors       bad response: malformed start line: 4   connection reset: 2   connection refused: 1
  connects     70
  cpu/request  client 10.0µs (user 3.00µs, system 7.00µs)   server 12.0µs (user 1.00µs, system 11.0µs)

The target died: every connection was given up. What was done until then is above.
3 requests under way at the end went unanswered for another 1s.
`
	var b bytes.Buffer
	sample().print(&b)
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", &b, want)
	}
}

func TestReportOfNothing(t *testing.T) {
	res := &result{plan: &plan{classes: []class{{url: "http://h/"}}, methodName: "GET", connections: 1, loops: 2, depth: 1}, ending: endInterrupted}
	res.collect(nil)
	var b bytes.Buffer
	res.print(&b)
	for _, line := range []string{"1 connection on 2 loops: 0 answers in 0.00 s", "requests/s   0", "statuses     none", "errors       none",
		"cpu/request  no requests", "Interrupted."} {
		if !strings.Contains(b.String(), line) {
			t.Errorf("%q is missing in\n%s", line, &b)
		}
	}
	if strings.Contains(b.String(), "latency") || strings.Contains(b.String(), "NaN") {
		t.Errorf("too much in\n%s", &b)
	}
}

func TestJSON(t *testing.T) {
	var b bytes.Buffer
	out := &output{json: &b}
	if err := out.write(sample()); err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"url": "http://h/", "method": "GET", "connections": 64.0, "loops": 1.0, "pipeline": 4.0, "embedded": true, "requests_per_connection": 0.0, "rate": 0.0, "unsent": 0.0, "behind_us": nil,
		"ended": "target died", "seconds": 2.0, "requests_per_second": 495.0, "answers": 1000.0, "late": 10.0,
		"unanswered": 3.0, "failed": 6.0, "connects": 70.0, "bytes_in": 2.5e6, "bytes_out": 4e4,
	}
	for key, value := range want {
		if got[key] != value {
			t.Errorf("%s: %v, want %v", key, got[key], value)
		}
	}
	parts := map[string]map[string]float64{
		"latency_us": {"p50": 500, "p90": 900, "p99": 990, "p99_9": 999, "max": 1000, "mean": 500.5, "min": 1},
		"statuses":   {"200": 900, "404": 100},
		"errors":     {"connection reset": 2, "connection refused": 1, "bad response: malformed start line": 4},
		"client_cpu": {"user": 0.003, "system": 0.007, "per_request_us": 10},
		"server_cpu": {"user": 0.001, "system": 0.011, "per_request_us": 12},
	}
	for key, fields := range parts {
		part, _ := got[key].(map[string]any)
		if len(part) != len(fields) {
			t.Errorf("%s: %v", key, part)
		}
		for name, value := range fields {
			// The histogram keeps three digits.
			if f, _ := part[name].(float64); f < value*0.999 || f > value*1.001 {
				t.Errorf("%s.%s: %v, want %v", key, name, part[name], value)
			}
		}
	}
	lists := map[string]int{"targets": 1, "bounds": 0}
	for key, n := range lists {
		if list, ok := got[key].([]any); !ok || len(list) != n {
			t.Errorf("%s: %v", key, got[key])
		}
	}
	if len(got) != len(want)+len(parts)+len(lists) {
		t.Errorf("a field that this test does not know: %v", got)
	}
	foreign := sample()
	foreign.hasServer = false
	if d := foreign.document(); d.Server != nil {
		t.Error("the CPU time of a server that is somebody else's")
	}
}

func TestSpansAndSizes(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0ns", 999: "999ns", 1000: "1.00µs", 12345: "12.3µs", 95000: "95.0µs", 99999: "100.0µs", 123456: "123µs", 1234567: "1.23ms",
		123 * time.Millisecond: "123ms", 12 * time.Second: "12.0s", time.Hour: "3600s",
	} {
		if got := span(d); got != want {
			t.Errorf("%d ns: %s, want %s", d, got, want)
		}
	}
	for n, want := range map[float64]string{0: "0.00 B", 999: "999 B", 1000: "1.00 kB", 12.5e6: "12.5 MB", 3e12: "3000 GB"} {
		if got := size(n); got != want {
			t.Errorf("%v bytes: %s, want %s", n, got, want)
		}
	}
}
