// What the tests are built on: the same http.Handler served by gale and by net/http's own server,
// and a raw connection to either.

package nethttp_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gale-http/gale/engine"
	"github.com/gale-http/gale/engine/nethttp"
	"github.com/gale-http/gale/internal/simnet"
)

func TestMain(m *testing.M) {
	code := m.Run()
	_ = os.RemoveAll(filepath.Dir(sample()))
	os.Exit(code)
}

// serve starts gale with a handler of net/http and returns the server and what it
// logs.
func serve(t testing.TB, d driver, h http.Handler) (*engine.Server, *logBuffer) {
	t.Helper()
	words := new(logBuffer)
	s := &engine.Server{Handler: nethttp.Handler(h), Portable: d.portable, Dispatch: d.dispatch, Loops: 1, ErrorLog: log.New(words, "", 0)}
	if err := s.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s, words
}

// driver is one way of running gale.
type driver struct {
	name     string
	portable bool
	dispatch engine.Dispatch
}

var drivers = []driver{
	{name: "loop"},
	{name: "goroutine", dispatch: engine.Goroutine},
	{name: "portable", portable: true},
}

// eachDriver runs a test on every driver.
func eachDriver(t *testing.T, test func(t *testing.T, d driver)) {
	for _, d := range drivers {
		t.Run(d.name, func(t *testing.T) { test(t, d) })
	}
}

// serveStandard starts net/http's server with a handler and returns its address.
func serveStandard(t testing.TB, h http.Handler) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: h, ErrorLog: log.New(io.Discard, "", 0)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.Serve(l)
	}()
	t.Cleanup(func() {
		_ = s.Close()
		<-done
	})
	return l.Addr().String()
}

type logBuffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// dial connects to a server.
func dial(t testing.TB, addr string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := c.SetDeadline(time.Now().Add(simnet.Patience)); err != nil {
		t.Fatal(err)
	}
	return c
}

// send sends text.
func send(t testing.TB, c net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
}

// converse sends text and returns, in a form that compares, everything that comes
// back to requests with those methods, and how the connection ended.
func converse(t testing.TB, addr, text string, methods ...string) string {
	t.Helper()
	c := dial(t, addr)
	send(t, c, text)
	in := bufio.NewReader(c)
	var seen strings.Builder
	for _, method := range methods {
		for {
			res, err := http.ReadResponse(in, &http.Request{Method: method})
			if err != nil {
				fmt.Fprintf(&seen, "%s\n", ending(err))
				return seen.String()
			}
			body, err := io.ReadAll(res.Body)
			describe(&seen, res, string(body), err)
			if res.StatusCode >= 200 || res.StatusCode == 101 {
				break
			}
		}
	}
	// Whether the connection is still good is asked with a request more.
	_, _ = io.WriteString(c, "GET /probe HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
	rest, err := io.ReadAll(in)
	switch {
	case len(rest) > 0:
		fmt.Fprintf(&seen, "open: %.15q\n", rest)
	default:
		fmt.Fprintf(&seen, "%s\n", ending(err))
	}
	return seen.String()
}

func ending(err error) string {
	if err == nil || errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) {
		return "closed"
	}
	return err.Error()
}

// describe writes what a response says in one line. The version is left out: gale
// always answers in its own, as RFC 9110 §2.5 has it; so is what depends on it, and
// the reason phrases of statuses that nobody knows.
func describe(w io.Writer, res *http.Response, body string, err error) {
	var lines []string
	for name, values := range res.Header {
		switch {
		case name == "Date":
			values = []string{"*"}
		case name == "Connection" && slices.Equal(values, []string{"close"}):
			continue
		}
		lines = append(lines, name+": "+strings.Join(values, " | "))
	}
	slices.Sort(lines)
	how := "chunked"
	switch {
	case len(res.TransferEncoding) > 0:
	case res.ContentLength >= 0:
		how = "length " + strconv.FormatInt(res.ContentLength, 10)
	default:
		how = "until close"
	}
	if res.Close {
		how += ", closes"
	}
	if len(body) > 1000 {
		body = fmt.Sprintf("%d bytes from %.20q", len(body), body)
	}
	fmt.Fprintf(w, "%d {%s} (%s) %s", res.StatusCode, strings.Join(lines, "; "), how, body)
	for _, name := range slices.Sorted(maps.Keys(res.Trailer)) {
		fmt.Fprintf(w, " +%s: %s", name, strings.Join(res.Trailer[name], " | "))
	}
	if err != nil {
		fmt.Fprintf(w, " error: %v", err)
	}
	fmt.Fprintln(w)
}
