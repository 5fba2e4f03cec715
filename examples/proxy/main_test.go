// The proxy between real peers: net/http on both sides.

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gale-http/gale/agent"
	"github.com/gale-http/gale/engine"
)

// front serves a proxy to the given URL.
func front(t *testing.T, to string, a *agent.Agent) string {
	t.Helper()
	p := &proxy{agent: a}
	p.exchanges.New = func() any { return &exchange{req: agent.Request{URL: to}} }
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
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
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
			}()
		}
	}()
	url := front(t, "http://"+l.Addr().String(), &agent.Agent{KeepAlive: true, Timeouts: agent.Timeouts{Response: 50 * time.Millisecond}})
	for path, want := range map[string]int{"/garbage": 502, "/stall": 504, "/closed": 502} {
		res, err := http.Get(url + path)
		if err != nil || res.StatusCode != want {
			t.Errorf("%s: %v %v, want %d", path, res, err, want)
			continue
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
	_ = l.Close()
	if res, err := http.Get(url); err != nil || res.StatusCode != 502 {
		t.Errorf("nobody there: %v %v", res, err)
	}
}

// A client that goes has the request to the server end.
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
