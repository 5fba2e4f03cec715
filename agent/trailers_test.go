// Trailers that are forwarded, and those that must not be.

package agent_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"strings"
	"testing"

	"github.com/gale-http/gale/agent"
	"github.com/gale-http/gale/internal/simnet"
)

// message is a forwarded message with trailers of every kind.
type message struct{ io.Reader }

func (message) RawTrailers() iter.Seq2[[]byte, []byte] {
	return func(yield func(name, value []byte) bool) {
		for _, name := range []string{"X-Sum", "Content-Length", "transfer-encoding", "Host", "Authorization", "Cookie", "Connection", "Content-Type"} {
			if !yield([]byte(name), []byte("7")) {
				return
			}
		}
	}
}

// TestTrailerMakesChunks: a Trailer field makes a body chunked that is sent whole, unless its length
// was set; without a body it changes nothing.
func TestTrailerMakesChunks(t *testing.T) {
	for _, w := range ways() {
		t.Run(w.name, func(t *testing.T) {
			checkLeaks(t)
			got := make(chan string, 1)
			s := newServer(t, func(_ http.ResponseWriter, r *http.Request) {
				n, _ := io.Copy(io.Discard, r.Body)
				got <- fmt.Sprint(r.Method, " ", r.ContentLength, " ", n, " ", r.Trailer["X-Sum"])
			})
			a := newAgent(t, &agent.Agent{KeepAlive: true})
			w.call(t, func(ctx context.Context) {
				for _, c := range []struct {
					method, field, value string
					body                 int
					want                 string
				}{
					{"POST", "", "", 0, "POST -1 0 [7]"}, {"POST", "", "", 4, "POST -1 4 [7]"}, {"POST", "", "", 1 << 20, "POST -1 1048576 [7]"},
					{"POST", "Expect", "100-continue", 4, "POST -1 4 [7]"}, {"GET", "", "", 4, "GET -1 4 [7]"}, {"GET", "", "", 0, "GET 0 0 []"},
					{"POST", "Content-Length", "4", 4, "POST 4 4 []"},
				} {
					req := agent.Request{URL: s.URL, Method: c.method, Body: make([]byte, c.body)}
					_ = req.SetHeader("Trailer", "X-Sum")
					if err := req.AddTrailers("X-Sum", "7"); err != nil {
						t.Error(err)
					}
					if c.field != "" {
						_ = req.SetHeader(c.field, c.value)
					}
					for range 2 { // the second, in a handler, is on a kept socket
						if err := a.Do(ctx, &req, nil); err != nil {
							t.Errorf("%+v: %v", c, err)
						} else if sent := simnet.Receive(t, got, "the request"); sent != c.want {
							t.Errorf("%s, %d bytes, %s: %s", c.method, c.body, c.field, sent)
						}
					}
					req.Source.Reader = strings.NewReader("ignored")
					q := a.NewRequest(ctx, &req)
					err := q.End(req.Body)
					if err == nil {
						var res *agent.Response
						if res, err = q.Response(); err == nil {
							_ = res.Close()
						}
					}
					if err != nil {
						t.Errorf("%+v: %v", c, err)
					} else if sent := simnet.Receive(t, got, "the request"); sent != c.want {
						t.Errorf("ClientRequest: %s, %d bytes, %s: %s", c.method, c.body, c.field, sent)
					}
				}
			})
		})
	}
}

func TestTrailersThatMayFollow(t *testing.T) {
	for _, w := range ways() {
		t.Run(w.name, func(t *testing.T) {
			checkLeaks(t)
			got := make(chan http.Header, 1)
			s := newServer(t, func(_ http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				got <- r.Trailer
			})
			a := newAgent(t, &agent.Agent{KeepAlive: true})
			w.call(t, func(ctx context.Context) {
				var req agent.Request
				var res agent.Response
				req.URL, req.Method = s.URL, "POST"
				for _, name := range []string{"content-length", "Trailer", "TE", "Expect", "Set-Cookie", "Cache-Control", "Content-Range"} {
					if err := req.AddTrailers(name, "7"); !errors.Is(err, agent.ErrTrailer) {
						t.Errorf("%s: %v", name, err)
					}
				}
				if err := req.AddTrailers("X-Own", "1"); err != nil {
					t.Error(err)
				}
				_ = req.SetHeader("Trailer", "X-Own, X-Sum")
				for range 2 { // the second has no more than the first
					req.Source = agent.Source{Reader: message{strings.NewReader("body")}}
					ask(t, a, ctx, &req, &res)
					h := simnet.Receive(t, got, "the request")
					if len(h) != 2 || len(h["X-Own"]) != 1 || len(h["X-Sum"]) != 1 {
						t.Errorf("%v", h)
					}
				}
			})
		})
	}
}
