// Client traces: the functions that http.Transport calls, in the same order.

package nethttp_test

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gale-http/gale/agent"
	"github.com/gale-http/gale/agent/nethttp"
)

// traceLog records the calls of a trace in order. WroteRequest and Wait100Continue come from
// another goroutine, in net/http as well, and go to wrote and waits instead.
type traceLog struct {
	mu    sync.Mutex
	calls []string
	wrote chan error
	waits chan bool
}

func (l *traceLog) add(what ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls = append(l.calls, strings.TrimSpace(fmt.Sprintln(what...)))
}

func (l *traceLog) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GetConn:              func(string) { l.add("GetConn") },
		GotConn:              func(i httptrace.GotConnInfo) { l.add("GotConn", i.Reused) },
		GotFirstResponseByte: func() { l.add("GotFirstResponseByte") },
		Got100Continue:       func() { l.add("Got100Continue") },
		Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
			l.add("Got1xxResponse", code, h["Link"])
			return nil
		},
		DNSStart:          func(i httptrace.DNSStartInfo) { l.add("DNSStart", i.Host) },
		DNSDone:           func(i httptrace.DNSDoneInfo) { l.add("DNSDone", len(i.Addrs) > 0, i.Err) },
		TLSHandshakeStart: func() { l.add("TLSHandshakeStart") },
		TLSHandshakeDone:  func(s tls.ConnectionState, err error) { l.add("TLSHandshakeDone", s.HandshakeComplete, err != nil) },
		WroteHeaders:      func() { l.add("WroteHeaders") },
		Wait100Continue:   func() { l.waits <- true },
		WroteRequest:      func(i httptrace.WroteRequestInfo) { l.wrote <- i.Err },
	}
}

func TestTraceIsThatOfTransport(t *testing.T) {
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body) // sends a 100 if one is expected
		if r.URL.Path == "/hints" {
			w.Header().Set("Link", "a")
			w.WriteHeader(103)
		}
		_, _ = w.Write(body)
	})
	plain, secure := httptest.NewServer(handler), httptest.NewTLSServer(handler)
	defer plain.Close()
	defer secure.Close()
	for _, base := range []string{plain.URL, strings.Replace(plain.URL, "127.0.0.1", "localhost", 1), secure.URL} {
		a := &agent.Agent{KeepAlive: true}
		defer a.Destroy()
		config := secure.Client().Transport.(*http.Transport).TLSClientConfig
		theirs := &http.Transport{TLSClientConfig: config, ExpectContinueTimeout: 1 << 40}
		defer theirs.CloseIdleConnections()
		for _, c := range []struct {
			path, body string
			expect     bool
		}{{"/", "", false}, {"/again", "", false}, {"/hints", "", false}, {"/", "small", false}, {"/", strings.Repeat("x", 100_000), false}, {"/expect", "body", true}} {
			var said [2][]string
			for i, transport := range []http.RoundTripper{theirs, &nethttp.Transport{Agent: a, TLS: config}} {
				l := &traceLog{wrote: make(chan error, 1), waits: make(chan bool, 1)}
				req, _ := http.NewRequestWithContext(httptrace.WithClientTrace(t.Context(), l.trace()), "PUT", base+c.path, strings.NewReader(c.body))
				if c.expect {
					req.Header.Set("Expect", "100-continue")
				}
				res, err := transport.RoundTrip(req)
				if err != nil {
					t.Fatal(err)
				}
				if body, err := io.ReadAll(res.Body); err != nil || string(body) != c.body {
					t.Errorf("%d bytes, %v", len(body), err)
				}
				_ = res.Body.Close()
				if err := <-l.wrote; err != nil {
					t.Error(err)
				}
				if c.expect {
					<-l.waits
				}
				l.mu.Lock()
				said[i] = slices.Clone(l.calls)
				l.mu.Unlock()
			}
			if fmt.Sprint(said[0]) != fmt.Sprint(said[1]) {
				t.Errorf("%s%s, %d bytes:\n%q, want\n%q", base, c.path, len(c.body), said[1], said[0])
			}
		}
	}
}

// A trace that rejects an interim response ends the request with its error.
func TestTraceRefuses(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(103) }))
	defer s.Close()
	a := new(agent.Agent)
	defer a.Destroy()
	no := errors.New("no")
	trace := &httptrace.ClientTrace{Got1xxResponse: func(int, textproto.MIMEHeader) error { return no }}
	req, _ := http.NewRequestWithContext(httptrace.WithClientTrace(t.Context(), trace), "GET", s.URL, nil)
	if res, err := (&nethttp.Transport{Agent: a}).RoundTrip(req); !errors.Is(err, no) {
		if err == nil {
			_ = res.Body.Close()
		}
		t.Errorf("%v", err)
	}
}
