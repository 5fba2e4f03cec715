// The plain call: send, read, and send again on the same socket.

package agent_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/gale-http/gale/agent"
)

func TestKeepAlive(t *testing.T) {
	for _, w := range ways() {
		t.Run(w.name, func(t *testing.T) {
			checkLeaks(t)
			s := newServer(t, func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				w.Header().Set("X-Method", r.Method)
				fmt.Fprintf(w, "%s %s", r.URL, body)
			})
			a := newAgent(t, &agent.Agent{KeepAlive: true})
			w.call(t, func(ctx context.Context) {
				var req agent.Request
				var res agent.Response
				for i := range 50 {
					req.URL, req.Path = s.URL, fmt.Sprintf("/%d?q", i)
					req.Method, req.Body = "GET", nil
					if i%3 == 1 {
						req.Method, req.Body = "POST", []byte(strings.Repeat("x", i))
					}
					status, body := ask(t, a, ctx, &req, &res)
					if want := fmt.Sprintf("/%d?q %s", i, req.Body); status != 200 || body != want {
						t.Errorf("got %d %q, want %q", status, body, want)
					}
					if m := string(res.Header("x-method")); m != req.Method {
						t.Errorf("X-Method is %q", m)
					}
				}
			})
			if n := s.opened.Load(); n > w.sockets() {
				t.Errorf("%d connections were made", n)
			}
		})
	}
}
