// The bridge behaves like net/http's own Transport in ordinary use.

package nethttp_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/http/httptrace"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gale-http/gale/agent"
	"github.com/gale-http/gale/agent/nethttp"
)

// client returns an http.Client over an agent of its own.
func client(t *testing.T) *http.Client {
	t.Helper()
	a := &agent.Agent{KeepAlive: true}
	t.Cleanup(a.Destroy)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{Transport: &nethttp.Transport{Agent: a}, Jar: jar}
}

func mux() *http.ServeMux {
	m := http.NewServeMux()
	m.HandleFunc("/redirect", func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "seen", Value: "yes"})
		http.Redirect(w, r, "/landed", http.StatusTemporaryRedirect)
	})
	m.HandleFunc("/landed", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s %s", r.Method, r.Header.Get("Cookie"), body)
	})
	m.HandleFunc("/slow", func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(200)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	m.HandleFunc("/echo", func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).EnableFullDuplex()
		w.Header().Set("Trailer", "X-Sum")
		n, _ := io.Copy(w, r.Body)
		w.Header().Set("X-Sum", fmt.Sprint(n, r.Trailer.Get("X-End")))
	})
	return m
}

func read(t *testing.T, res *http.Response, err error) string {
	t.Helper()
	if err != nil {
		t.Error(err)
		return ""
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Error(err)
	}
	return string(body)
}

func TestClientFeatures(t *testing.T) {
	s := httptest.NewServer(mux())
	defer s.Close()
	c := client(t)
	res, err := c.Post(s.URL+"/redirect", "text/plain", strings.NewReader("body"))
	if got := read(t, res, err); got != "POST seen=yes body" {
		t.Errorf("redirected: %q", got)
	}
	short := *c
	short.Timeout = 50 * time.Millisecond
	res, err = short.Get(s.URL + "/slow")
	if err == nil {
		_, err = io.ReadAll(res.Body)
		res.Body.Close()
	}
	var timeout interface{ Timeout() bool }
	if !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Errorf("the client's time-out: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	req, _ := http.NewRequestWithContext(ctx, "GET", s.URL+"/slow", nil)
	if res, err = c.Do(req); err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := io.ReadAll(res.Body); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	res.Body.Close()
}

func TestReuseAndTrace(t *testing.T) {
	s := httptest.NewServer(mux())
	defer s.Close()
	c := client(t)
	var reused []bool
	trace := &httptrace.ClientTrace{GotConn: func(i httptrace.GotConnInfo) {
		reused = append(reused, i.Reused && i.Conn.RemoteAddr().String() == s.Listener.Addr().String())
	}}
	for i := range 3 {
		body := strings.Repeat("x", 1+i*50_000)
		req, _ := http.NewRequestWithContext(httptrace.WithClientTrace(t.Context(), trace), "PUT", s.URL+"/echo", io.MultiReader(strings.NewReader(body)))
		req.Trailer = http.Header{"X-End": nil}
		req.Body = &ending{ReadCloser: req.Body, trailer: req.Trailer}
		res, err := c.Do(req)
		if got := read(t, res, err); got != body || res.Trailer.Get("X-Sum") != fmt.Sprint(len(body), "!") {
			t.Errorf("%d bytes, trailers %v", len(got), res.Trailer)
		}
	}
	if fmt.Sprint(reused) != "[false true true]" {
		t.Errorf("reused: %v", reused)
	}
	res, err := c.Head(s.URL + "/landed")
	if read(t, res, err); res.ContentLength != 6 {
		t.Errorf("length %d", res.ContentLength)
	}
	c.CloseIdleConnections()
}

// ending sets a trailer at the end of the body.
type ending struct {
	io.ReadCloser
	trailer http.Header
}

func (e *ending) Read(p []byte) (int, error) {
	n, err := e.ReadCloser.Read(p)
	if err == io.EOF {
		e.trailer.Set("X-End", "!")
	}
	return n, err
}

func TestHTTPS(t *testing.T) {
	s := httptest.NewTLSServer(mux())
	defer s.Close()
	c := client(t)
	if _, err := c.Get(s.URL + "/landed"); err == nil {
		t.Fatal("a certificate that nobody knows was accepted")
	}
	c.Transport.(*nethttp.Transport).TLS = s.Client().Transport.(*http.Transport).TLSClientConfig
	for range 3 {
		res, err := c.Get(s.URL + "/landed")
		if got := read(t, res, err); got != "GET  " {
			t.Errorf("%q", got)
		}
		if res != nil && res.TLS == nil {
			t.Error("no TLS state")
		}
	}
}

// begins signals the first Read.
type begins struct {
	io.ReadCloser
	began chan struct{}
	once  sync.Once
}

func (b *begins) Read(p []byte) (int, error) {
	b.once.Do(func() { close(b.began) })
	return b.ReadCloser.Read(p)
}

// The end of the context ends a request whose body never arrives.
func TestContextEndsBody(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) }))
	defer s.Close()
	a := &agent.Agent{KeepAlive: true}
	defer a.Destroy()
	ctx, cancel := context.WithCancel(t.Context())
	silent, w := io.Pipe()
	defer w.Close()
	body := &begins{ReadCloser: silent, began: make(chan struct{})}
	req, err := http.NewRequestWithContext(ctx, "POST", s.URL, body)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		<-body.began
		cancel()
	}()
	if _, err := (&nethttp.Transport{Agent: a}).RoundTrip(req); err != context.Canceled {
		t.Errorf("%v", err)
	}
}

// closing is a body that signals that it was closed.
type closing struct {
	io.Reader
	closed chan struct{}
	once   sync.Once
}

func (c *closing) Close() error {
	c.once.Do(func() { close(c.closed) })
	return nil
}

// endless delivers zeros for ever.
type endless struct{}

func (endless) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// All bodies of a request are closed after it was refused.
func TestBodiesAreClosed(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "close")
		w.WriteHeader(413)
		_, _ = io.WriteString(w, "no!")
	}))
	defer s.Close()
	first := &closing{Reader: endless{}, closed: make(chan struct{})}
	req, _ := http.NewRequest("PUT", s.URL, first)
	res, err := client(t).Do(req)
	if got := read(t, res, err); got != "no!" {
		t.Errorf("%q", got)
	}
	<-first.closed
}

// The body that GetBody returns for another attempt is closed, too.
func TestSecondBodyIsClosed(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	answers := []string{"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "", "HTTP/1.1 413 No\r\nContent-Length: 3\r\nConnection: close\r\n\r\nno!"}
	go func() {
		for next := 0; next < len(answers); {
			c, err := l.Accept()
			if err != nil {
				return
			}
			for r := bufio.NewReader(c); next < len(answers); {
				for line := ""; line != "\r\n" && err == nil; { // a head
					line, err = r.ReadString('\n')
				}
				_, _ = io.WriteString(c, answers[next])
				if next++; answers[next-1] == "" {
					break // the first attempt ends while the body is being sent
				}
			}
			defer c.Close()
			if next < len(answers) {
				_ = c.Close()
			}
		}
		_, _ = l.Accept() // until the test ends
	}()
	url := "http://" + l.Addr().String()
	c := client(t)
	res, err := c.Get(url)
	if got := read(t, res, err); got != "ok" {
		t.Fatalf("%q", got)
	}
	first := &closing{Reader: endless{}, closed: make(chan struct{})}
	second := &closing{Reader: endless{}, closed: make(chan struct{})}
	req, _ := http.NewRequest("PUT", url, first)
	req.GetBody = func() (io.ReadCloser, error) { return second, nil }
	res, err = c.Do(req)
	if got := read(t, res, err); got != "no!" {
		t.Errorf("%q", got)
	}
	<-first.closed
	<-second.closed
}

// What is sent comes back while it is being sent.
func TestEchoBothWays(t *testing.T) {
	const size = 64 << 20
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).EnableFullDuplex()
		_, _ = io.Copy(w, r.Body)
	}))
	defer s.Close()
	res, err := client(t).Post(s.URL, "application/octet-stream", io.LimitReader(endless{}, size))
	if err != nil {
		t.Fatal(err)
	}
	n, err := io.Copy(io.Discard, res.Body)
	if n != size || err != nil {
		t.Errorf("%d bytes of %d came back, %v", n, size, err)
	}
	_ = res.Body.Close()
}
