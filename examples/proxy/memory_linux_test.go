// The proxy does not buffer what it forwards; its memory is measured from outside, in a process of
// its own.

package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gale-http/gale/engine"
	"github.com/gale-http/gale/internal/simnet"
)

// childEnv, when set, makes this binary a proxy to the URL that it contains, until its standard
// input ends.
const childEnv = "GALE_PROXY_TO"

func TestMain(m *testing.M) {
	to := os.Getenv(childEnv)
	if to == "" {
		os.Exit(m.Run())
	}
	p := newProxy(to)
	s := &engine.Server{Handler: p.serve, Loops: 1}
	if err := s.Listen("tcp", "127.0.0.1:0"); err != nil {
		panic(err)
	}
	fmt.Println(s.Addr())
	_, _ = io.Copy(io.Discard, os.Stdin)
	_ = s.Close()
	p.agent.Destroy()
}

// child starts a proxy in a process of its own.
func child(t *testing.T, to string) (url string, pid int) {
	t.Helper()
	c := simnet.Spawn(t, childEnv+"="+to)
	return "http://" + c.Addr, c.PID
}

// status returns a line of the process's status, in KiB.
func status(t *testing.T, pid int, name string) int {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(b), name+":")
	n, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// slowly reads from to its end, so slowly that everything upstream has to wait.
func slowly(from io.Reader) (total int64, err error) {
	for {
		n, err := io.CopyN(io.Discard, from, 2<<20)
		if total += n; err == io.EOF {
			return total, nil
		} else if err != nil {
			return total, err
		}
		time.Sleep(10 * time.Millisecond) // sleep: a slow reader
	}
}

// 100 MB go in either direction, and in both at once, to a slow reader, and the proxy's memory does
// not grow.
func TestMemoryIsFlat(t *testing.T) {
	const size = 100 << 20
	back := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/down":
			w.Header().Set("Content-Length", fmt.Sprint(size))
			_, _ = io.CopyN(w, zeros{}, size)
		case "/up":
			n, err := slowly(r.Body)
			fmt.Fprint(w, n, err)
		case "/echo":
			_ = http.NewResponseController(w).EnableFullDuplex()
			_, _ = io.Copy(w, r.Body)
		}
	}))
	defer back.Close()
	url, pid := child(t, back.URL)
	ask := func(path string, n int64) (got int64, body []byte) {
		t.Helper()
		var src io.Reader
		if n > 0 {
			src = io.LimitReader(zeros{}, n)
		}
		req, _ := http.NewRequest("POST", url+path, src)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if path == "/up" {
			body, _ = io.ReadAll(res.Body)
			return int64(len(body)), body
		}
		if got, err = slowly(res.Body); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		return got, nil
	}
	ask("/echo", 1<<20)
	before := status(t, pid, "VmRSS")
	if got, _ := ask("/down", 0); got != size {
		t.Errorf("%d bytes came down", got)
	}
	if _, body := ask("/up", size); !bytes.Equal(body, fmt.Append(nil, int64(size), nil)) {
		t.Errorf("%s went up", body)
	}
	if got, _ := ask("/echo", size); got != size {
		t.Errorf("%d bytes came back", got)
	}
	peak := status(t, pid, "VmHWM")
	t.Logf("%d KiB before, %d KiB at most", before, peak)
	if peak > before+8<<10 && !raceEnabled {
		t.Errorf("the proxy grew from %d KiB to %d KiB", before, peak)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }
