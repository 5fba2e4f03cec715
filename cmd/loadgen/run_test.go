// Runs against well-behaved servers: what is sent, what is counted, and how a run ends.

package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gale-http/gale/internal/simnet"
)

func TestExactlyTheRequestsAskedFor(t *testing.T) {
	var served atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		served.Add(1)
		_, _ = io.WriteString(w, "Hello")
	}))
	defer server.Close()
	eachDriver(t, func(t *testing.T, portable bool) {
		for _, flags := range []string{"-c 1 -t 1", "-c 8 -t 1", "-c 7 -t 2", "-c 8 -p 3", "-c 5 -t 2 -p 16", "-c 2000"} {
			served.Store(0)
			res := load(t, portable, append(strings.Fields(flags), "-n", "1003", "-timeout", "1m", server.URL)...)
			if res.total.answers != 1003 || res.total.statuses[200] != 1003 || served.Load() != 1003 || res.ending != endRequests {
				t.Errorf("%s: %d answers, %d of status 200, %d requests served, ended by %s",
					flags, res.total.answers, res.total.statuses[200], served.Load(), res.ending)
			}
			if res.connects > int64(res.plan.connections) {
				t.Errorf("%s: %d connects", flags, res.connects)
			}
			if res.total.latency.TotalCount() != 1003 || res.total.longest <= 0 || res.total.failed+res.total.lost+res.total.late != 0 {
				t.Errorf("%s: %d latencies, the longest %d, %d failed, %d lost, %d late",
					flags, res.total.latency.TotalCount(), res.total.longest, res.total.failed, res.total.lost, res.total.late)
			}
			wantErrors(t, res, nil)
		}
	})
}

func TestWhatIsSentAndReceivedIsCounted(t *testing.T) {
	const request = "GET /a?b HTTP/1.1\r\nHost: %s\r\nX-Y: z\r\n\r\n"
	got := make(chan string, 10)
	url := rawServer(t, func(c net.Conn, r *bufio.Reader) {
		for {
			head := simnet.ReadHead(r)
			if head == "" {
				return
			}
			got <- head
			_, _ = io.WriteString(c, ok)
		}
	})
	eachDriver(t, func(t *testing.T, portable bool) {
		res := load(t, portable, "-c", "1", "-n", "5", "-H", "X-Y: z", url+"a?b")
		want := fmt.Sprintf(request, strings.TrimSuffix(strings.TrimPrefix(url, "http://"), "/"))
		for range 5 {
			if head := <-got; head != want {
				t.Errorf("sent %q, want %q", head, want)
			}
		}
		if res.sent != int64(5*len(want)) || res.received != int64(5*len(ok)) {
			t.Errorf("counted %d bytes sent and %d received", res.sent, res.received)
		}
	})
}

func TestMethodsAndBodies(t *testing.T) {
	var wrong atomic.Value
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if seen := fmt.Sprintf("%s %q %d", r.Method, body, r.ContentLength); seen != r.Header.Get("Want") {
			wrong.Store(seen)
		}
		w.Header().Set("Content-Length", "100")
		if r.Method != http.MethodHead {
			_, _ = w.Write(make([]byte, 100))
		}
	}))
	defer server.Close()
	eachDriver(t, func(t *testing.T, portable bool) {
		for _, args := range [][]string{
			{"-H", "Want: GET \"\" 0"},
			{"-m", "HEAD", "-H", "Want: HEAD \"\" 0"},
			{"-m", "PUT", "-H", "Want: PUT \"\" 0"},
			{"-b", "some words", "-H", "Want: POST \"some words\" 10"},
			{"-m", "PATCH", "-b", "x", "-H", "Want: PATCH \"x\" 1", "-p", "7"},
		} {
			res := load(t, portable, append(args, "-c", "2", "-n", "30", server.URL)...)
			if seen := wrong.Load(); seen != nil {
				t.Fatalf("%q: the server saw %q", args, seen)
			}
			if res.total.answers != 30 {
				t.Errorf("%q: %d answers", args, res.total.answers)
			}
			wantErrors(t, res, nil)
		}
	})
}

func TestAnswersOfEveryShape(t *testing.T) {
	chunked := "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1;x=y\r\n!\r\n0\r\n"
	shapes := map[string]string{
		"length":           ok,
		"empty":            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
		"chunked":          chunked + "\r\n",
		"trailers":         chunked + "A: b\r\nC: d\r\n\r\n",
		"interim":          "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n" + ok,
		"many fields":      "HTTP/1.1 200 OK\r\n" + strings.Repeat("Name: value\r\n", 300) + "Content-Length: 1\r\n\r\nx",
		"no reason":        "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n",
		"larger than fits": "HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n" + strings.Repeat("0123456789", 300000),
	}
	eachDriver(t, func(t *testing.T, portable bool) {
		for name, answer := range shapes {
			for _, depth := range []string{"1", "5"} {
				res := load(t, portable, "-c", "3", "-n", "30", "-p", depth, rawServer(t, alwaysSays(answer)))
				if res.total.answers != 30 || res.total.statuses[200] != 30 || res.connects > 3 || res.received != 30*int64(len(answer)) {
					t.Errorf("%s at depth %s: %d answers, %d of status 200, %d connects, %d bytes",
						name, depth, res.total.answers, res.total.statuses[200], res.connects, res.received)
				}
				wantErrors(t, res, nil)
			}
		}
	})
}

func TestManyAnswersInOneWrite(t *testing.T) {
	// The answer is larger than any buffer, so that heads are cut at its end, wherever that falls.
	const depth = 200
	answer := "HTTP/1.1 200 OK\r\n" + strings.Repeat("A-Name: and its value\r\n", 90) + "Content-Length: 1\r\n\r\nx"
	url := rawServer(t, func(c net.Conn, r *bufio.Reader) {
		for n := 1; !hungUp(r); n++ {
			if n%depth > 0 {
				continue
			}
			if _, err := io.WriteString(c, strings.Repeat(answer, depth)); err != nil {
				return
			}
		}
	})
	eachDriver(t, func(t *testing.T, portable bool) {
		res := load(t, portable, "-c", "2", "-n", "4000", "-p", "200", url)
		if res.total.answers != 4000 || res.total.statuses[200] != 4000 {
			t.Errorf("%d answers, %d of status 200", res.total.answers, res.total.statuses[200])
		}
		wantErrors(t, res, nil)
	})
}

func TestAnswersByteByByte(t *testing.T) {
	answer := "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nA: b\r\n\r\n"
	url := rawServer(t, func(c net.Conn, r *bufio.Reader) {
		for !hungUp(r) {
			for _, b := range []byte(answer) {
				if _, err := c.Write([]byte{b}); err != nil {
					return
				}
			}
		}
	})
	eachDriver(t, func(t *testing.T, portable bool) {
		res := load(t, portable, "-c", "2", "-n", "20", url)
		if res.total.answers != 20 || res.total.statuses[200] != 20 {
			t.Errorf("%d answers, %d of status 200", res.total.answers, res.total.statuses[200])
		}
		wantErrors(t, res, nil)
	})
}

func TestStatusesAreToldApart(t *testing.T) {
	var n atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader([]int{200, 204, 304, 404, 503}[n.Add(1)%5])
	}))
	defer server.Close()
	res := load(t, false, "-c", "4", "-n", "100", server.URL)
	for _, status := range []int{200, 204, 304, 404, 503} {
		if res.total.statuses[status] != 20 {
			t.Errorf("%d answers of status %d", res.total.statuses[status], status)
		}
	}
	if line := res.total.statusLine(); line != "200: 20   204: 20   304: 20   404: 20   503: 20" {
		t.Errorf("reported as %q", line)
	}
}

func TestReconnectWhenTheServerCloses(t *testing.T) {
	servers := map[string]string{
		"connection close": "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok",
		"until close":      "HTTP/1.1 200 OK\r\n\r\nwhatever",
		"version 1.0":      "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
	}
	eachDriver(t, func(t *testing.T, portable bool) {
		for name, answer := range servers {
			res := load(t, portable, "-c", "3", "-n", "50", rawServer(t, saysOnce(answer)))
			if res.total.answers != 50 || res.connects != 50 || res.ending != endRequests {
				t.Errorf("%s: %d answers on %d connections", name, res.total.answers, res.connects)
			}
			wantErrors(t, res, nil)
		}
	})
}

func TestPipelineThatIsCutIsSentAgain(t *testing.T) {
	// Every third answer is the last of its connection: requests written after it were not
	// processed, are no errors, and are sent again.
	var served atomic.Int64
	url := rawServer(t, func(c net.Conn, r *bufio.Reader) {
		for i := 1; !hungUp(r); i++ {
			served.Add(1)
			if i == 3 {
				_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
				_ = c.(*net.TCPConn).CloseWrite()
				_, _ = io.Copy(io.Discard, r)
				return
			}
			_, _ = io.WriteString(c, ok)
		}
	})
	eachDriver(t, func(t *testing.T, portable bool) {
		served.Store(0)
		res := load(t, portable, "-c", "2", "-n", "100", "-p", "8", url)
		if res.total.answers != 100 || served.Load() != 100 || res.total.failed != 0 {
			t.Errorf("%d answers to %d requests, %d failed", res.total.answers, served.Load(), res.total.failed)
		}
		wantErrors(t, res, nil)
	})
}

func TestRequestThatClosesIsTheLastOfItsConnection(t *testing.T) {
	// The server keeps the connection open; the client must close it, as it has announced.
	eachDriver(t, func(t *testing.T, portable bool) {
		res := load(t, portable, "-c", "2", "-n", "6", "-H", "connection: x, Close", rawServer(t, alwaysSays(ok)))
		if res.total.answers != 6 || res.connects != 6 {
			t.Errorf("%d answers on %d connections", res.total.answers, res.connects)
		}
		wantErrors(t, res, nil)
	})
}

func TestDurationEndsTheRun(t *testing.T) {
	eachDriver(t, func(t *testing.T, portable bool) {
		res := load(t, portable, "-c", "2", "-d", "0.3", rawServer(t, alwaysSays(ok)))
		if res.ending != endDuration || res.elapsed != 300*time.Millisecond {
			t.Errorf("ended by %s after %v", res.ending, res.elapsed)
		}
		if res.total.answers == 0 || res.total.lost != 0 || res.exitCode() != exitDone {
			t.Errorf("%d answers, %d lost, exit code %d", res.total.answers, res.total.lost, res.exitCode())
		}
		if want := float64(res.total.answers-res.total.late) / 0.3; res.rate() != want {
			t.Errorf("rate %v, want %v", res.rate(), want)
		}
	})
}

func TestWhatArrivesAfterTheEnd(t *testing.T) {
	const slow = 900 * time.Millisecond
	eachDriver(t, func(t *testing.T, portable bool) {
		url := rawServer(t, func(c net.Conn, r *bufio.Reader) {
			if !hungUp(r) {
				time.Sleep(slow) // sleep: a slow server is the subject
				_, _ = io.WriteString(c, ok)
			}
		})
		begun := time.Now()
		res := load(t, portable, "-c", "3", "-d", "500ms", url)
		took := time.Since(begun)
		if res.total.answers != 3 || res.total.late != 3 || res.rate() != 0 || res.total.lost != 0 {
			t.Errorf("%d answers, %d late, %v a second, %d lost", res.total.answers, res.total.late, res.rate(), res.total.lost)
		}
		if p50 := res.total.percentile(50); p50 < slow*99/100 || p50 > took {
			t.Errorf("a latency of %v, when all took %v", p50, took)
		}
	})
}

func TestWhatNeverArrives(t *testing.T) {
	eachDriver(t, func(t *testing.T, portable bool) {
		url := rawServer(t, func(_ net.Conn, r *bufio.Reader) { _, _ = io.Copy(io.Discard, r) })
		res := load(t, portable, "-c", "3", "-p", "2", "-d", "500ms", url)
		if res.total.answers != 0 || res.total.lost != 6 || res.total.failed != 0 || res.exitCode() != exitFailed {
			t.Errorf("%d answers, %d lost, %d failed, exit code %d", res.total.answers, res.total.lost, res.total.failed, res.exitCode())
		}
		wantErrors(t, res, nil)
	})
}

func TestInterruptionEndsTheRun(t *testing.T) {
	eachDriver(t, func(t *testing.T, portable bool) {
		ctx, cancel := context.WithCancel(t.Context())
		var served atomic.Int64
		url := rawServer(t, func(c net.Conn, r *bufio.Reader) {
			for !hungUp(r) {
				if served.Add(1) == 100 {
					cancel()
				}
				_, _ = io.WriteString(c, ok)
			}
		})
		res := loadUntil(t, ctx, portable, "-c", "2", "-d", "1h", url)
		if res.total.lost > 0 || len(res.errors) > 0 {
			t.Errorf("%d requests lost, errors: %v", res.total.lost, res.errors)
		}
		if res.ending != endInterrupted || res.total.answers < 100 || res.exitCode() != exitInterrupted || res.elapsed > time.Minute {
			t.Errorf("ended by %s after %v and %d answers, exit code %d", res.ending, res.elapsed, res.total.answers, res.exitCode())
		}
	})
}

func TestLatencyIsThatOfTheServer(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		time.Sleep(20 * time.Millisecond) // sleep: a slow server is the subject
	}))
	defer server.Close()
	eachDriver(t, func(t *testing.T, portable bool) {
		begun := time.Now()
		res := load(t, portable, "-c", "4", "-n", "40", server.URL)
		took := time.Since(begun)
		if low := res.total.latency.Min(); low < int64(20*time.Millisecond) {
			t.Errorf("an answer after %v", time.Duration(low))
		}
		// Answers come one after the other on each of four connections, so the sum of all latencies
		// is at most four times the duration of the run.
		if mean := time.Duration(res.total.latency.Mean()); 40*mean > 4*took*101/100 {
			t.Errorf("one took %v in the mean, and all together %v", mean, took)
		}
		if res.total.percentile(100) != time.Duration(res.total.longest) {
			t.Errorf("the longest was %v, and %v", res.total.percentile(100), time.Duration(res.total.longest))
		}
	})
}

func TestUnixSocket(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	var wrong atomic.Value
	server := &http.Server{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.Host != "localhost" || r.URL.Path != "/x" {
			wrong.Store(r.Host + r.URL.Path)
		}
	})}
	go func() { _ = server.Serve(l) }()
	defer server.Close()
	eachDriver(t, func(t *testing.T, portable bool) {
		res := load(t, portable, "-c", "4", "-n", "100", "unix:"+socket+":/x")
		if res.total.answers != 100 || wrong.Load() != nil {
			t.Errorf("%d answers, and the server saw %v", res.total.answers, wrong.Load())
		}
		wantErrors(t, res, nil)
	})
}

func TestIPv6(t *testing.T) {
	l, err := net.Listen("tcp6", "[::1]:0")
	if err != nil {
		t.Skipf("this machine has no IPv6: %v", err)
	}
	server := &http.Server{Handler: http.NotFoundHandler()}
	go func() { _ = server.Serve(l) }()
	defer server.Close()
	eachDriver(t, func(t *testing.T, portable bool) {
		res := load(t, portable, "-c", "4", "-n", "100", "http://"+l.Addr().String())
		if res.total.statuses[404] != 100 {
			t.Errorf("%d answers, %d of status 404", res.total.answers, res.total.statuses[404])
		}
		wantErrors(t, res, nil)
	})
}
