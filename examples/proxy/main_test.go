// The proxy between real peers: net/http on both sides.

package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gale-http/gale/agent"
	"github.com/gale-http/gale/engine"
	"github.com/gale-http/gale/internal/simnet"
)

// front starts a proxy to the given URL.
func front(t *testing.T, to string, a *agent.Agent) string {
	t.Helper()
	p := &proxy{agent: a}
	p.exchanges.New = func() any { return newExchange(to) }
	s := &engine.Server{Handler: p.serve, Loops: 2}
	if err := s.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = s.Close()
		a.Destroy()
	})
	return "http://" + s.Addr().String()
}

func TestPassesMessagesOn(t *testing.T) {
	back := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		w.Header().Add("Set-Cookie", "a=1")
		w.Header().Add("Set-Cookie", "b=2")
		w.Header().Set("Trailer", "X-Sum")
		w.WriteHeader(201)
		fmt.Fprintf(w, "%s %s %s hop=%q via=%q end=%q %d:%s", r.Method, r.URL, r.Host, r.Header.Get("X-Hop"), r.Header.Get("Via"), r.Trailer.Get("X-End"), len(body), body)
		w.Header().Set("X-Sum", fmt.Sprint(len(body)))
	}))
	defer back.Close()
	url := front(t, back.URL, &agent.Agent{KeepAlive: true})
	for i := 1; i < 20; i++ {
		body := strings.Repeat("x", i*i*i)
		req, _ := http.NewRequest("POST", url+"/a?b", io.MultiReader(strings.NewReader(body)))
		req.Host = "example.org"
		req.Header.Set("X-Hop", "1")
		req.Header.Set("Connection", "X-Hop")
		req.Trailer = http.Header{"X-End": {"!"}}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(res.Body)
		res.Body.Close()
		if want := fmt.Sprintf(`POST /a?b example.org hop="" via="1.1 gale" end="!" %d:%s`, len(body), body); err != nil || string(got) != want || res.StatusCode != 201 {
			t.Errorf("%d %v\n%.200s\n%.200s", res.StatusCode, err, got, want)
		}
		if len(res.Header["Set-Cookie"]) != 2 || res.Trailer.Get("X-Sum") != fmt.Sprint(len(body)) {
			t.Errorf("%v %v", res.Header, res.Trailer)
		}
	}
	res, err := http.Head(url)
	if err != nil || res.StatusCode != 201 {
		t.Error(err)
	}
}

func TestTrouble(t *testing.T) {
	back := "http://" + simnet.Serve(t, func(c net.Conn) {
		buf := make([]byte, 1024)
		n, _ := c.Read(buf)
		switch {
		case bytes.HasPrefix(buf[:n], []byte("GET /garbage")):
			_, _ = io.WriteString(c, "what?\r\n\r\n")
		case bytes.HasPrefix(buf[:n], []byte("GET /short")):
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort")
		case bytes.HasPrefix(buf[:n], []byte("GET /stall")):
			_, _ = c.Read(buf)
		}
	})
	url := front(t, back, &agent.Agent{KeepAlive: true})
	hasty := front(t, back, &agent.Agent{Timeouts: agent.Timeouts{Response: 50 * time.Millisecond}})
	for path, want := range map[string]int{"/garbage": 502, "/stall": 504, "/closed": 502} {
		through := url
		if path == "/stall" {
			through = hasty
		}
		res, err := http.Get(through + path)
		if err != nil || res.StatusCode != want {
			t.Errorf("%s: %v %v, want %d", path, res, err, want)
			continue
		}
		if body, _ := io.ReadAll(res.Body); bytes.Contains(body, []byte("127.0.0.1")) {
			t.Errorf("%s tells where the server is: %s", path, body)
		}
		res.Body.Close()
	}
	res, err := http.Get(url + "/short")
	if err != nil {
		t.Fatal(err)
	}
	if body, err := io.ReadAll(res.Body); err == nil {
		t.Errorf("half an answer passed for a whole one: %q", body)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	if res, err := http.Get(front(t, "http://"+l.Addr().String(), &agent.Agent{})); err != nil || res.StatusCode != 502 {
		t.Errorf("nobody there: %v %v", res, err)
	}
}

// Invalid lengths do not prevent a response that has no body (RFC 9112 §6.3), and are not forwarded.
func TestOddLengthsWithoutBody(t *testing.T) {
	var answer atomic.Value
	url := front(t, "http://"+simnet.Serve(t, func(c net.Conn) {
		if _, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
			_, _ = io.WriteString(c, answer.Load().(string))
		}
	}), &agent.Agent{KeepAlive: true})
	for _, c := range []struct{ method, status, fields, length string }{
		{"HEAD", "200 OK", "Content-Length: 5\r\n", "5"},
		{"HEAD", "200 OK", "Content-Length: 5\r\nContent-Length: 5\r\n", ""},
		{"HEAD", "200 OK", "Content-Length: -5\r\n", ""},
		{"HEAD", "200 OK", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", ""},
		{"GET", "304 Not Modified", "Content-Length: 5\r\n", "5"},
		{"GET", "304 Not Modified", "Content-Length: 5, 6\r\n", ""},
		{"GET", "204 No Content", "Content-Length: 0\r\nContent-Length: 0\r\n", ""},
		{"GET", "204 No Content", "Content-Length: x\r\n", ""},
	} {
		answer.Store("HTTP/1.1 " + c.status + "\r\nX-Other: 1\r\n" + c.fields + "\r\n")
		req, _ := http.NewRequest(c.method, url, nil)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Errorf("%s %q: %v", c.status, c.fields, err)
			continue
		}
		_ = res.Body.Close()
		if res.Status != c.status || res.Header.Get("Content-Length") != c.length || res.Header.Get("X-Other") != "1" {
			t.Errorf("%s %q: %s %v", c.status, c.fields, res.Status, res.Header)
		}
	}
}

// A client that hangs up ends the request to the server.
func TestClientGoes(t *testing.T) {
	begun, ended := make(chan struct{}), make(chan struct{})
	back := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(begun)
		<-r.Context().Done()
		close(ended)
	}))
	defer back.Close()
	url := front(t, back.URL, &agent.Agent{KeepAlive: true})
	ctx, cancel := context.WithCancel(t.Context())
	req, _ := http.NewRequestWithContext(ctx, "GET", url, nil)
	go func() { _, _ = http.DefaultClient.Do(req) }()
	<-begun
	cancel()
	select {
	case <-ended:
	case <-time.After(20 * time.Second):
		t.Fatal("the server was not told")
	}
}

// A client that hangs up before it has sent its whole request gets no response.
func TestClientHangsUp(t *testing.T) {
	begun := make(chan struct{})
	back := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begun <- struct{}{}
		_, _ = io.Copy(io.Discard, r.Body)
	}))
	defer back.Close()
	addr := strings.TrimPrefix(front(t, back.URL, &agent.Agent{KeepAlive: true}), "http://")
	for _, framing := range []string{"Content-Length: 100\r\n\r\nhalf of it", "Transfer-Encoding: chunked\r\n\r\n64\r\nhalf of it"} {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_, _ = io.WriteString(c, "POST / HTTP/1.1\r\nHost: a\r\n"+framing)
		<-begun
		_ = c.(*net.TCPConn).CloseWrite()
		if got, _ := io.ReadAll(c); len(got) > 0 {
			t.Errorf("%s: %q", framing, got)
		}
	}
}

// say sends a request as it stands and returns the response and its body.
func say(t *testing.T, url, request string) (*http.Response, string) {
	t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, request); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatalf("%.40q: %v", request, err)
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Errorf("%.40q: %v", request, err)
	}
	return res, string(body)
}

func TestAbsoluteForm(t *testing.T) {
	back := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.RequestURI, " ", r.Host)
	}))
	defer back.Close()
	url := front(t, back.URL, &agent.Agent{KeepAlive: true})
	for target, want := range map[string]string{
		"http://a.example/p?q=http://b": "/p?q=http://b a.example",
		"http://a.example:81?q":         "/?q a.example:81",
		"http://a.example":              "/ a.example",
		"/p?q=http://b":                 "/p?q=http://b h.example",
	} {
		if res, body := say(t, url, "GET "+target+" HTTP/1.1\r\nHost: h.example\r\n\r\n"); res.StatusCode != 200 || body != want {
			t.Errorf("%s: %d %q, want %q", target, res.StatusCode, body, want)
		}
	}
}

// A client's own error is not reported as the server's.
func TestBrokenRequest(t *testing.T) {
	back := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }))
	defer back.Close()
	url := front(t, back.URL, &agent.Agent{KeepAlive: true})
	if res, _ := say(t, url, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nnot a size\r\n"); res.StatusCode != 400 {
		t.Errorf("%d", res.StatusCode)
	}
}

// Trailers that would affect framing, routing or authorisation are not forwarded.
func TestForbiddenTrailers(t *testing.T) {
	back := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		fmt.Fprint(w, r.Trailer)
	}))
	defer back.Close()
	url := front(t, back.URL, &agent.Agent{KeepAlive: true})
	const forbidden = "Content-Length: 5\r\nTransfer-Encoding: chunked\r\nHost: evil\r\nAuthorization: z\r\n"
	if _, body := say(t, url, "POST / HTTP/1.1\r\nHost: a\r\nTrailer: X-A, Authorization\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n"+forbidden+"X-A: 1\r\n\r\n"); body != "map[Authorization:[] X-A:[1]]" {
		t.Errorf("%s", body)
	}
}

// A client's Connection field removes nothing that the next server needs, and its Max-Forwards
// stops the request where it says so.
func TestHops(t *testing.T) {
	back := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "X-Upstream")
		w.Header().Set("X-Upstream", "1")
		fmt.Fprintf(w, "%s %s %s %s", r.Method, r.RequestURI, r.Host, r.Header["Max-Forwards"])
	}))
	defer back.Close()
	url := front(t, back.URL, &agent.Agent{KeepAlive: true})
	for _, c := range []struct{ request, want string }{
		{"GET http://a.b/c HTTP/1.1\r\nHost: x\r\nConnection: host", "GET /c a.b []"},
		{"GET / HTTP/1.1\r\nHost: x\r\nConnection: Host, content-length", "GET / x []"},
		{"OPTIONS http://a.b HTTP/1.1\r\nHost: a.b", ""}, // net/http answers "*" itself, and "/" not
		{"OPTIONS http://a.b/ HTTP/1.1\r\nHost: a.b\r\nMax-Forwards: 3", "OPTIONS / a.b [2]"},
		{"OPTIONS * HTTP/1.1\r\nHost: a.b\r\nMax-Forwards: 0", ""},
		{"GET / HTTP/1.1\r\nHost: a.b\r\nMax-Forwards: 0", "GET / a.b [0]"},
	} {
		conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(conn, "%s\r\n\r\n", c.request)
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		if body, _ := io.ReadAll(res.Body); res.StatusCode != 200 || string(body) != c.want || res.Header.Get("X-Upstream") != "" {
			t.Errorf("%q: %d %q %v", c.request, res.StatusCode, body, res.Header)
		}
		_ = conn.Close()
	}
}

// Fields that the proxy sets itself stay, whatever the server names in Connection.
func TestOwnFieldsStay(t *testing.T) {
	back := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "X-Frame-Options")
		w.Header().Set("X-Frame-Options", "upstream")
	}))
	defer back.Close()
	p := newProxy(back.URL)
	defer p.agent.Destroy()
	s := &engine.Server{Loops: 1, Handler: func(in *engine.Request, out *engine.Response) {
		_ = out.SetHeader("X-Frame-Options", "DENY")
		p.serve(in, out)
	}}
	if err := s.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for range 3 {
		res, err := http.Get("http://" + s.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if got := res.Header["X-Frame-Options"]; len(got) != 1 || got[0] != "DENY" {
			t.Errorf("%q", got)
		}
	}
}

// A response with a length has no trailers, even if it names some: the length stays.
func TestLengthBesideTrailer(t *testing.T) {
	url := front(t, "http://"+simnet.Serve(t, func(c net.Conn) {
		if _, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nContent-Length: 4\r\n\r\ndata")
		}
	}), &agent.Agent{KeepAlive: true})
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if body, err := io.ReadAll(res.Body); err != nil || string(body) != "data" || res.ContentLength != 4 {
		t.Errorf("%q, length %d: %v", body, res.ContentLength, err)
	}
}

// TestCommandLine: a wrong command line ends the program with one line of error.
func TestCommandLine(t *testing.T) {
	for _, args := range []string{"-x", "-loops", "-loops x", "more", "-to h:1", "-to http://", "-to http://h:0/", "-listen nowhere", "-listen 127.0.0.1:x"} {
		if err := run(strings.Fields(args)); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", args, err)
		}
	}
	for _, args := range []string{"-to http://h/a", "-to http://h?a", "-to http://h/#a", "-loops -1"} {
		name, _, _ := strings.Cut(args, " ")
		if err := run(strings.Fields(args + " -listen nowhere")); err == nil || !strings.HasPrefix(err.Error(), name) {
			t.Errorf("%s: %v", args, err)
		}
	}
}

// TestExpectGoesOn: the server decides whether the body is sent (RFC 9110 §10.1.1).
func TestExpectGoesOn(t *testing.T) {
	const head, expect, body = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n", "Expect: 100-continue\r\n", "body"
	for _, c := range []struct {
		name, request, interim, answer string
		asked, sent                    bool   // of the server: whether it was asked, and the body sent
		before, after                  string // what the client is told before its body, and after
	}{
		{"wanted", head + expect, "HTTP/1.1 100 Continue\r\n\r\n", "201 Created", true, true, "100", "201"},
		{"refused", head + expect, "", "403 Forbidden", true, false, "403", ""},
		{"not waited for", head + expect + "\r\n" + body, "", "201 Created", false, true, "", "201"},
	} {
		t.Run(c.name, func(t *testing.T) {
			heads := make(chan string, 1)
			back := simnet.Serve(t, func(conn net.Conn) {
				r := bufio.NewReader(conn)
				heads <- simnet.ReadHead(r)
				_, _ = io.WriteString(conn, c.interim)
				if c.sent {
					if _, err := io.ReadFull(r, make([]byte, len(body))); err != nil {
						t.Errorf("the body: %v", err)
					}
				}
				_, _ = io.WriteString(conn, "HTTP/1.1 "+c.answer+"\r\nContent-Length: 0\r\n\r\n")
			})
			client, err := net.Dial("tcp", strings.TrimPrefix(front(t, "http://"+back, &agent.Agent{KeepAlive: true}), "http://"))
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			in := bufio.NewReader(client)
			told := func(want string) {
				t.Helper()
				line, err := in.ReadString('\n')
				for rest := line; err == nil && rest != "\r\n"; {
					rest, err = in.ReadString('\n')
				}
				if !strings.HasPrefix(line, "HTTP/1.1 "+want) {
					t.Errorf("told %q, %v, want %s", line, err, want)
				}
			}
			request := c.request
			if !strings.HasSuffix(request, body) {
				request += "\r\n"
			}
			_, _ = io.WriteString(client, request)
			if got := strings.Contains(<-heads, expect); got != c.asked {
				t.Errorf("the server was asked: %v", got)
			}
			if c.before != "" {
				told(c.before)
			}
			if c.after != "" {
				if c.before != "" {
					_, _ = io.WriteString(client, body)
				}
				told(c.after)
			}
		})
	}
}
