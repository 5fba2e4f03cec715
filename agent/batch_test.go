// Events that the loop has fetched, and those left in the kernel because there were too many.

package agent_test

import (
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gale-http/gale/agent"
	"github.com/gale-http/gale/engine"
	"github.com/gale-http/gale/internal/simnet"
)

// An unsolicited response is waiting behind more events than the loop fetches at once, or among
// them: it must not become the response to the next request.
//
// If a handler loses the loop on a busy machine, the arrangement is spoilt, and the test
// tries again.
func TestUnaskedInAFullBatch(t *testing.T) {
	for _, full := range []bool{false, true} {
		t.Run(fmt.Sprint(full), func(t *testing.T) {
			for range 20 {
				if fullBatch(t, full) {
					return
				}
			}
			t.Log("no try went undisturbed")
		})
	}
}

// fullBatch reports whether everything went as arranged.
func fullBatch(t *testing.T, full bool) bool {
	var mu sync.Mutex
	var ups []net.Conn
	url := script(t, func(c net.Conn) {
		mu.Lock()
		ups = append(ups, c)
		mu.Unlock()
		for simnet.ReadHead(c) != "" {
			if _, err := io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nGOOD"); err != nil {
				return
			}
		}
	})
	a := newAgent(t, &agent.Agent{KeepAlive: true})
	var clients, fills []net.Conn
	filled := 0
	s := &engine.Server{Loops: 1, Dispatch: engine.Inline}
	var begun, ended atomic.Uint64 // takeovers when /fill began, and when the last /part ended
	s.Handler = func(req *engine.Request, res *engine.Response) {
		asks := func(some []net.Conn) {
			for _, c := range some {
				_, _ = io.WriteString(c, "GET /ask HTTP/1.1\r\nHost: a\r\n\r\n")
			}
		}
		evil := func() {
			for _, c := range ups {
				_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL")
			}
		}
		const part = 20
		switch url := string(req.URL()); url {
		case "/fill": // triggers as many requests at once as fill the poller's list
			begun.Store(s.Stats().TakenOver)
			mu.Lock()
			defer mu.Unlock()
			for _, c := range fills {
				_, _ = io.WriteString(c, "GET /part HTTP/1.1\r\nHost: a\r\n\r\n")
			}
			_ = res.EndString("")
			return
		case "/part":
			mu.Lock()
			defer mu.Unlock()
			i := filled
			if filled++; !full && i == 0 {
				evil()
			}
			asks(clients[i*part : (i+1)*part])
			if (i+1)*part == len(clients) {
				if full {
					evil()
				}
				ended.Store(s.Stats().TakenOver)
			}
			_ = res.EndString("")
			return
		}
		var q agent.Request
		var r agent.Response
		q.URL = url
		_, body := ask(t, a, req.Context(), &q, &r)
		_ = res.EndString(body)
	}
	if err := s.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	dial := func() net.Conn {
		c, err := net.Dial("tcp", s.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		_ = c.SetDeadline(time.Now().Add(simnet.Patience))
		return c
	}
	get := func(c net.Conn, path string) {
		_, _ = io.WriteString(c, "GET "+path+" HTTP/1.1\r\nHost: a\r\n\r\n")
	}
	answer := func(c net.Conn) string {
		b := make([]byte, 4096)
		n, _ := c.Read(b)
		return string(b[max(0, n-4):n])
	}
	for range 300 {
		c := dial()
		defer c.Close()
		get(c, "/ask") // so that it is accepted, and its socket kept
		_ = answer(c)
		mu.Lock()
		clients = append(clients, c)
		mu.Unlock()
	}
	for range len(clients) / 20 {
		c := dial()
		defer c.Close()
		get(c, "/ask")
		_ = answer(c)
		mu.Lock()
		fills = append(fills, c)
		mu.Unlock()
	}
	c := dial()
	defer c.Close()
	get(c, "/fill")
	_ = answer(c)
	evil := 0
	for _, c := range clients {
		if answer(c) == "EVIL" {
			evil++
		}
	}
	if ended.Load() != begun.Load() {
		return false
	}
	if evil > 0 {
		t.Errorf("%d of %d answers are those that nobody asked for; %d sockets", evil, len(clients), len(ups))
	}
	return true
}
