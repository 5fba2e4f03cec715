// Both drivers put the same bytes on the wire, so that a server's cost of a request does not
// depend on the driver.

package drive

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gale-http/gale/bench/internal/work"
	"github.com/gale-http/gale/internal/simnet"
)

// recorder answers every request correctly, and keeps each distinct one.
type recorder struct {
	net.Listener
	mu   sync.Mutex
	seen map[string]bool
	body string // of the answers
}

func newRecorder(t *testing.T, body string) *recorder {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() }) // ends the goroutine below
	r := &recorder{Listener: l, seen: map[string]bool{}, body: body}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go r.serve(conn)
		}
	}()
	return r
}

func (r *recorder) serve(conn net.Conn) {
	defer conn.Close()
	var raw strings.Builder
	in := bufio.NewReader(io.TeeReader(conn, &raw))
	at := 0
	for {
		req, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		if _, err := io.Copy(io.Discard, req.Body); err != nil {
			return
		}
		end := raw.Len() - in.Buffered()
		one := strings.ReplaceAll(raw.String()[at:end], r.Addr().String(), "{addr}")
		at = end
		r.mu.Lock()
		r.seen[one] = true
		r.mu.Unlock()
		_, err = fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(r.body), r.body)
		if err != nil || req.Close {
			return
		}
		if at > 1<<20 { // enough of this connection
			raw.Reset()
			at = 0
			if in.Buffered() > 0 {
				return
			}
		}
	}
}

func (r *recorder) requests() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var list []string
	for one := range r.seen {
		list = append(list, one)
	}
	slices.Sort(list)
	return list
}

func TestDriversSendTheSame(t *testing.T) {
	simnet.Program(t, "wrk")
	wrk, err := NewWrk()
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(t.TempDir(), "loadgen")
	build := exec.Command("go", "build", "-o", program, "./cmd/loadgen")
	build.Dir = filepath.Join("..", "..", "..")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	for _, name := range []string{"hello1", "browser", "post1k", "churn", "churn10"} {
		w := *work.Find(name)
		w.Conns = 2
		var sent [2][]string
		for i, driver := range []Driver{wrk, NewLoadgen(program)} {
			server := newRecorder(t, w.Want.Body)
			result, err := driver.Run(t.Context(), Job{Workload: &w, Addr: server.Addr().String(), Core: -1, Duration: time.Second})
			if err != nil || result.Requests == 0 {
				t.Fatalf("%s, %s: %+v, %v", name, driver.Name(), result, err)
			}
			sent[i] = server.requests()
		}
		if !slices.Equal(sent[0], sent[1]) {
			t.Errorf("%s: wrk sends %q, loadgen %q", name, sent[0], sent[1])
		}
	}
}
