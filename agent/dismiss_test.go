// What remains of an agent on the loops of a server that keeps running.

package agent_test

import (
	"fmt"
	"net"
	"net/http"
	"runtime"
	"sync/atomic"
	"testing"
	"weak"

	"github.com/gale-http/gale/agent"
	"github.com/gale-http/gale/engine"
	"github.com/gale-http/gale/internal/simnet"
)

// A destroyed agent is garbage, although the loops that it was used on are not.
func TestDestroyedAgentIsForgotten(t *testing.T) {
	back := newServer(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "hello") })
	var destroyed atomic.Pointer[weak.Pointer[agent.Agent]]
	s := &engine.Server{Loops: 1, Handler: func(in *engine.Request, out *engine.Response) {
		a := &agent.Agent{KeepAlive: true}
		w := weak.Make(a)
		destroyed.Store(&w)
		ask(t, a, in.Context(), &agent.Request{URL: back.URL}, new(agent.Response))
		a.Destroy()
		_ = out.EndString("done")
	}}
	if err := s.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	c, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprint(c, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	if _, err := c.Read(make([]byte, 1024)); err != nil {
		t.Fatal(err)
	}
	simnet.Eventually(t, "the agent to be collected", func() bool {
		runtime.GC()
		return destroyed.Load().Value() == nil
	})
}

// A handler that forgets to close its response does not keep the server from closing; if
// another handler closes it, the socket is given back.
func TestForgottenAnswer(t *testing.T) {
	for _, found := range []bool{false, true} {
		back := newServer(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Method == "POST" {
				w.Header().Set("Content-Length", "10")
				_, _ = w.Write(make([]byte, 3))
				_ = http.NewResponseController(w).Flush()
				<-r.Context().Done()
			}
			fmt.Fprint(w, "hello")
		})
		a := newAgent(t, &agent.Agent{KeepAlive: true})
		var forgotten agent.Response
		s := &engine.Server{Loops: 1, Dispatch: engine.Inline}
		s.Handler = func(in *engine.Request, out *engine.Response) {
			if string(in.URL()) == "/forget" {
				if err := a.Do(in.Context(), &agent.Request{URL: back.URL, Method: "POST"}, &forgotten); err != nil {
					t.Error(err)
				}
				return
			}
			_ = forgotten.Close()
			ask(t, a, in.Context(), &agent.Request{URL: back.URL}, new(agent.Response))
		}
		if err := s.Listen("tcp", "127.0.0.1:0"); err != nil {
			t.Fatal(err)
		}
		c, err := net.Dial("tcp", s.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{"/forget", "/find"} {
			if path == "/find" && !found {
				break
			}
			fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", path)
			if _, err := c.Read(make([]byte, 1024)); err != nil {
				t.Fatal(err)
			}
		}
		closed := make(chan struct{})
		go func() {
			_ = s.Close()
			close(closed)
		}()
		simnet.Receive(t, closed, "the server to close")
		_ = c.Close()
		_ = forgotten.Close()
	}
}
