// Trailers that are forwarded, and those that must not be.

package agent_test

import (
	"context"
	"errors"
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
