// The drivers' translations of workloads to scripts and arguments, and of wrk's output to
// figures. If wrk is installed, also against a server.

package drive

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gale-http/gale/bench/internal/work"
	"github.com/gale-http/gale/internal/simnet"
)

func TestReadFigures(t *testing.T) {
	out := "Running 1s test\n\n{\"Requests\":10,\"Bytes\":1000,\"Micros\":2000000,\"Connect\":1,\"Read\":2,\"Write\":3,\"Status\":4,\"Timeout\":5,\"P50\":6,\"P99\":7,\"P999\":8}\n"
	got, err := readFigures([]byte(out))
	want := Result{Requests: 6, Errors: 15, Bytes: 1000, Elapsed: 2 * time.Second,
		P50: 6 * time.Microsecond, P99: 7 * time.Microsecond, P999: 8 * time.Microsecond}
	if err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := readFigures([]byte("no figures")); err == nil {
		t.Error("figures out of nothing")
	}
}

func TestQuote(t *testing.T) {
	if got, want := quote([]byte("a\r\n\"\\\x00z")), `"a\013\010\034\092\000z"`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestWhatDriversCannot(t *testing.T) {
	for _, w := range work.All() {
		job := Job{Workload: w, Addr: "127.0.0.1:1", Duration: time.Second}
		if _, err := scriptFor(job); err != nil && !errors.Is(err, ErrCannot) {
			t.Errorf("wrk, %s: %v", w.Name, err)
		}
		if _, _, err := argumentsFor(job); err != nil && !errors.Is(err, ErrCannot) {
			t.Errorf("loadgen, %s: %v", w.Name, err)
		}
	}
	for _, name := range []string{"hellohalf", "idle", "mixed", "mixedhalf", "compute"} {
		if _, err := scriptFor(Job{Workload: work.Find(name)}); !errors.Is(err, ErrCannot) {
			t.Errorf("wrk believes it can do %s", name)
		}
	}
	for name, want := range map[string]string{
		"hellohalf": "-c 64 -d 1s -p 1 -m GET -r 500.000 http://127.0.0.1:1/",
		"mixed":     "-c 64 -d 1s -p 1 -m GET 99=http://127.0.0.1:1/ http://127.0.0.1:1/slow",
		"mixedsame": "-c 64 -d 1s -p 1 -m GET 99=http://127.0.0.1:1/mixed http://127.0.0.1:1/mixed?slow",
		"mixedhalf": "-c 64 -d 1s -p 1 -m GET -r 500.000 99=http://127.0.0.1:1/mixed http://127.0.0.1:1/mixed?slow",
		"compute":   "-c 64 -d 1s -p 1 -m GET -r 500.000 99=http://127.0.0.1:1/ http://127.0.0.1:1/compute",
		"query":     "-c 64 -d 1s -p 1 -m GET http://127.0.0.1:1/query",
		"churn10":   "-c 64 -d 1s -p 1 -m GET -per 10 http://127.0.0.1:1/",
		"tls":       "-c 64 -d 1s -p 1 -m GET -insecure https://127.0.0.1:1/",
		"tlsnew":    "-c 64 -d 1s -p 1 -m GET -per 1 -insecure https://127.0.0.1:1/",
		"churn":     "-c 64 -d 1s -p 1 -m GET -per 1 http://127.0.0.1:1/",
	} {
		job := Job{Workload: work.Find(name), Addr: "127.0.0.1:1", Duration: time.Second}
		if job.Workload.Kind == work.Half || job.Workload.Rate > 0 {
			job.Rate = 500
		}
		args, _, err := argumentsFor(job)
		if got := strings.Join(args, " "); err != nil || got != "-json - "+want {
			t.Errorf("%s: %s, %v", name, got, err)
		}
	}
	_, body, err := argumentsFor(Job{Workload: work.Find("post1k"), Addr: "127.0.0.1:1"})
	if err != nil || len(body) != 1<<10 {
		t.Errorf("loadgen posts %d bytes, %v", len(body), err)
	}
}

func TestWrk(t *testing.T) {
	simnet.Program(t, "wrk")
	wrk, err := NewWrk()
	if err != nil {
		t.Fatal(err)
	}
	seen := make(chan *http.Request, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case seen <- r:
		default:
		}
		if r.ContentLength > 0 && r.ContentLength != 1<<10 {
			w.WriteHeader(http.StatusBadRequest)
		}
	}))
	defer server.Close()
	job := Job{Workload: work.Find("post1k"), Addr: strings.TrimPrefix(server.URL, "http://"), Core: -1, Duration: time.Second}
	result, err := wrk.Run(t.Context(), job)
	if err != nil || result.Requests == 0 || result.Errors != 0 || result.P50 <= 0 || result.P999 < result.P50 {
		t.Errorf("%+v, %v", result, err)
	}
	if r := <-seen; r.Method != "POST" || r.URL.Path != "/echo" || r.ContentLength != 1<<10 {
		t.Errorf("it asked %s %s with %d bytes", r.Method, r.URL, r.ContentLength)
	}
}
