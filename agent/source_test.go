// Sources that are read at the wrong time or misbehave: read late, by two readers, with a panic, or
// while a request is about to be retried.

package agent_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gale-http/gale/agent"
	"github.com/gale-http/gale/engine"
	"github.com/gale-http/gale/internal/simnet"
)

// late is a Source whose first Read is delayed, as if the sending goroutine did not get a
// processor for a while.
type late struct {
	io.Reader
	begin chan struct{}
	read  chan string
}

func (l late) Read(p []byte) (n int, err error) {
	<-l.begin
	said := "it panicked" // as with galedebug
	defer func() { l.read <- said }()
	n, err = l.Reader.Read(p)
	said = fmt.Sprintf("%q %v", p[:n], err)
	return n, err
}

// If the sending goroutine's first Read of an engine.Request comes after the handler has returned,
// it does not read the body of the next request.
func TestLateReadOfSource(t *testing.T) {
	url := script(t, func(c net.Conn) {
		simnet.ReadHead(c)
		_, _ = io.WriteString(c, "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n")
		_, _ = io.Copy(io.Discard, c)
	})
	a := newAgent(t, &agent.Agent{KeepAlive: true})
	l := late{begin: make(chan struct{}), read: make(chan string, 1)}
	var n atomic.Int32
	s := &engine.Server{Loops: 1, Dispatch: engine.Inline}
	s.Handler = func(req *engine.Request, res *engine.Response) {
		if n.Add(1) == 1 {
			var r agent.Response
			l.Reader = req
			err := a.Do(req.Context(), &agent.Request{URL: url, Method: "POST", Source: agent.Source{Reader: l}}, &r)
			if err != nil {
				t.Error(err)
			}
			_ = r.Close()
			_ = res.EndString("first")
			return
		}
		close(l.begin)
		select {
		case got := <-l.read:
			if strings.Contains(got, "SECRET") {
				t.Errorf("the sender of the first request has read the body of the second: %s", got)
			}
		case <-time.After(simnet.Patience):
			t.Error("the late Read does not return")
		}
		b, err := io.ReadAll(req)
		_ = res.EndString(fmt.Sprintf("second %q %v", b, err))
	}
	if err := s.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for i, body := range []string{"", "SECRET OF THE NEXT REQUEST"} {
		c, err := net.Dial("tcp", s.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		_ = c.SetDeadline(time.Now().Add(simnet.Patience))
		_, _ = io.WriteString(c, "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n")
		if body != "" {
			_, _ = fmt.Fprintf(c, "%x\r\n%s\r\n", len(body), body)
		}
		_, _ = io.WriteString(c, "0\r\n\r\n")
		b, err := io.ReadAll(c)
		if want := []string{"first", fmt.Sprintf("second %q <nil>", body)}[i]; !strings.HasSuffix(string(b), want) || err != nil {
			t.Errorf("%q, %v instead of %q", b, err, want)
		}
		_ = c.Close()
	}
}

// A Response may be the Source of a request that is refused, and be closed then (for the race
// detector).
func TestResponseAsSource(t *testing.T) {
	up := script(t, func(c net.Conn) {
		simnet.ReadHead(c)
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nabc")
		_, _ = io.Copy(io.Discard, c)
	})
	no := script(t, func(c net.Conn) {
		simnet.ReadHead(c)
		_, _ = io.WriteString(c, "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n")
		_, _ = io.Copy(io.Discard, c)
	})
	a := newAgent(t, &agent.Agent{KeepAlive: true})
	for range 20 {
		func(ctx context.Context) {
			res1, err := a.Get(ctx, up)
			if err != nil {
				t.Fatal(err)
			}
			defer res1.Close()
			var res2 agent.Response
			err = a.Do(ctx, &agent.Request{URL: no, Method: "POST", Source: agent.Source{Reader: res1, Length: 100000}}, &res2)
			if err != nil || res2.StatusCode() != 403 {
				t.Errorf("%d, %v", res2.StatusCode(), err)
			}
			_ = res2.Close()
		}(t.Context())
	}
}

// bursts is a Source whose Read panics.
type bursts struct{}

func (bursts) Read([]byte) (int, error) { panic("burst") }

// A Source that panics fails its call, and nothing else.
func TestSourcePanics(t *testing.T) {
	url := script(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })
	a := newAgent(t, &agent.Agent{KeepAlive: true})
	for _, w := range ways() {
		w.call(t, func(ctx context.Context) {
			var res agent.Response
			err := a.Do(ctx, &agent.Request{URL: url, Method: "POST", Source: agent.Source{Reader: bursts{}}}, &res)
			if !errors.Is(err, agent.ErrSource) || !bytes.Contains([]byte(err.Error()), []byte("burst")) {
				t.Errorf("%s: %v", w.name, err)
			}
		})
	}
}

// noticed is a Source that reports its first Read.
type noticed struct {
	io.Reader
	begun chan struct{}
	once  sync.Once
}

func (s *noticed) Read(p []byte) (int, error) {
	s.once.Do(func() { close(s.begun) })
	return s.Reader.Read(p)
}

// A request is not retried while its Source is still being read: the bytes that this Read takes
// would be missing.
func TestNoReplayBesideRead(t *testing.T) {
	release := make(chan struct{})
	source := &noticed{Reader: stuck{release}, begun: make(chan struct{})}
	url := script(t, func(c net.Conn) {
		simnet.ReadHead(c)
		_, _ = io.WriteString(c, hello)
		simnet.ReadHead(c)
		<-source.begun
	})
	a := newAgent(t, &agent.Agent{KeepAlive: true})
	var req agent.Request
	var res agent.Response
	req.URL = url
	ask(t, a, t.Context(), &req, &res)
	req.Method, req.Source = "PUT", agent.Source{Reader: source, Again: func() (io.Reader, error) {
		t.Error("Again was called")
		return source, nil
	}}
	if err := a.Do(t.Context(), &req, &res); !errors.Is(err, agent.ErrServerClosed) {
		t.Errorf("%v", err)
	}
	close(release)
}

// lazy is a Source that alternately returns nothing for a number of Reads, and its text.
type lazy struct {
	text         string
	nothing, now int
	rounds       int
}

func (l *lazy) Read(p []byte) (int, error) {
	if l.now++; l.now <= l.nothing {
		return 0, nil
	}
	if l.rounds--; l.rounds < 0 {
		return 0, io.EOF
	}
	l.now = 0
	return copy(p, l.text), nil
}

// A Source that returns nothing for ever ends with io.ErrNoProgress; one that is merely slow does
// not.
func TestSourceWithoutProgress(t *testing.T) {
	for _, w := range ways() {
		for _, length := range []int64{0, 4, 8, 20_000} {
			for _, nothing := range []int{99, 1 << 30} {
				t.Run(fmt.Sprint(w.name, "/", length, "/", nothing), func(t *testing.T) {
					checkLeaks(t)
					s := newServer(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) })
					a := newAgent(t, new(agent.Agent))
					w.call(t, func(ctx context.Context) {
						l := &lazy{text: "abcd", nothing: nothing, rounds: 2}
						if length > 0 {
							l.text = strings.Repeat("a", int(length/2))
						}
						req := &agent.Request{URL: s.URL, Method: "PUT", Source: agent.Source{Reader: l, Length: length}}
						var res agent.Response
						defer res.Close()
						err := a.Do(ctx, req, &res)
						var body []byte
						if err == nil {
							body, err = io.ReadAll(&res)
						}
						switch {
						case nothing > 100 && !(errors.Is(err, agent.ErrSource) && errors.Is(err, io.ErrNoProgress)):
							t.Errorf("%v", err)
						case nothing < 100 && (err != nil || string(body) != l.text+l.text):
							t.Errorf("%v, %q", err, body)
						}
					})
				})
			}
		}
	}
}
