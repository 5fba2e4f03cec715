// Handlers that wait or block: they delay themselves and nobody else. Whatever a test blocks on is
// released by what it sees on the other connections, never by time, so that a loop that stands
// still fails the test.

package engine_test

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gale-http/gale/engine"
	"github.com/gale-http/gale/internal/simnet"
)

// echo answers with the body of the request.
func echo(req *engine.Request, res *engine.Response) {
	body, err := readAll(req)
	if err != nil {
		return
	}
	_ = res.End(body)
}

// routes serves each path with a handler of its own; what is not there is hello.
func routes(table map[string]engine.Handler) engine.Handler {
	return func(req *engine.Request, res *engine.Response) {
		if h := table[string(req.URL())]; h != nil {
			h(req, res)
			return
		}
		hello(req, res)
	}
}

// headOf is the head of a POST whose body of n bytes comes later.
func headOf(path string, n int) string {
	return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n", path, n)
}

func TestSuspendedHandlerLeavesTheLoop(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		reading := make(chan struct{})
		s := start(t, d, routes(map[string]engine.Handler{"/wait": func(req *engine.Request, res *engine.Response) {
			close(reading)
			echo(req, res)
		}}))
		slow, other := s.dial(), s.dial()
		slow.send(headOf("/wait", 10) + "01234")
		simnet.Receive(t, reading, "the handler to read")
		for range 100 {
			other.get("/", "hello")
			s.dial().get("/", "hello")
		}
		slow.send("56789")
		slow.expect(200, "0123456789")
		slow.get("/", "hello")
	})
}

// TestManySuspended resumes handlers in an order other than that in which they were suspended, some
// of them for one byte at a time.
func TestManySuspended(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		const n = 200
		var reading atomic.Int32
		s := start(t, d, func(req *engine.Request, res *engine.Response) {
			reading.Add(1)
			echo(req, res)
		})
		clients := make([]*client, n)
		for i := range clients {
			clients[i] = s.dial()
			clients[i].send(headOf("/", 4))
		}
		if !simnet.Becomes(func() bool { return reading.Load() == n }) {
			t.Fatalf("%d of %d handlers run", reading.Load(), n)
		}
		for i := range n {
			i = n - 1 - i
			body := fmt.Sprintf("%04d", i)
			if i%2 == 0 {
				clients[i].send(body)
			} else {
				for _, c := range body {
					clients[i].send(string(c))
				}
			}
		}
		for i, c := range clients {
			c.expect(200, fmt.Sprintf("%04d", i))
			c.send(post("/", "again"))
			c.expect(200, "again")
		}
	})
}

// TestSuspendedIsBounded: when the maximum number of handlers are waiting, further requests wait
// for one of them to end, and are not lost.
func TestSuspendedIsBounded(t *testing.T) {
	if !havePoller {
		t.Skip("without a poller every connection has a goroutine anyway")
	}
	reading := make(chan string, 8)
	s := prepare(t, drivers[0], func(req *engine.Request, res *engine.Response) {
		reading <- string(req.URL())
		echo(req, res)
	})
	s.Limits.Suspended = 3
	s.listen()
	clients := make([]*client, 6)
	for i := range clients {
		clients[i] = s.dial()
		clients[i].send(headOf(fmt.Sprintf("/%d", i), 2))
	}
	began := map[string]bool{}
	for range 3 {
		began[simnet.Receive(t, reading, "a handler to begin")] = true
	}
	for len(began) < len(clients) {
		for i, c := range clients {
			if path := fmt.Sprintf("/%d", i); began[path] {
				began[path] = false
				c.send("ok")
				c.expect(200, "ok")
				if len(began) < len(clients) {
					began[simnet.Receive(t, reading, "the next handler to begin")] = true
				}
			}
		}
	}
	for i, c := range clients {
		if began[fmt.Sprintf("/%d", i)] {
			c.send("ok")
			c.expect(200, "ok")
		}
		c.send(post("/again", "yes"))
		c.expect(200, "yes")
		simnet.Receive(t, reading, "the last handlers")
	}
}

// TestMutexAcrossBodyRead is the case that would stop a loop for ever without the lease: one
// handler holds a lock while it waits for its body, and the next one blocks, on that lock, the loop
// that would deliver the body.
func TestMutexAcrossBodyRead(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		var mu sync.Mutex
		var once sync.Once
		locked, trying := make(chan struct{}), make(chan struct{}, 8)
		s := start(t, d, routes(map[string]engine.Handler{"/lock": func(req *engine.Request, res *engine.Response) {
			trying <- struct{}{}
			mu.Lock()
			defer mu.Unlock()
			once.Do(func() { close(locked) })
			echo(req, res)
		}}))
		first := s.dial()
		first.send(headOf("/lock", 4))
		simnet.Receive(t, locked, "the first handler to lock")
		var others []*client
		for range 4 {
			c := s.dial()
			c.send(post("/lock", "also"))
			others = append(others, c)
		}
		for range 5 {
			simnet.Receive(t, trying, "the other handlers to block")
		}
		s.dial().get("/", "hello")
		first.send("body")
		first.expect(200, "body")
		for _, c := range others {
			c.expect(200, "also")
			c.get("/", "hello")
		}
	})
}

// TestBlockingHandlers: whatever a handler does until it is told to go on, other requests are
// served meanwhile; then its connection goes on.
func TestBlockingHandlers(t *testing.T) {
	ways := map[string]func(release *atomic.Bool, done <-chan struct{}){
		"channel": func(_ *atomic.Bool, done <-chan struct{}) { <-done },
		"sleep": func(release *atomic.Bool, _ <-chan struct{}) {
			for !release.Load() {
				time.Sleep(5 * time.Millisecond) // sleep: the handler under test blocks
			}
		},
		"computation": func(release *atomic.Bool, _ <-chan struct{}) {
			for !release.Load() {
			}
		},
	}
	for way, block := range ways {
		t.Run(way, func(t *testing.T) {
			eachDriver(t, func(t *testing.T, d driver) {
				var release atomic.Bool
				done, blocked := make(chan struct{}), make(chan struct{})
				s := start(t, d, routes(map[string]engine.Handler{"/block": func(req *engine.Request, res *engine.Response) {
					close(blocked)
					block(&release, done)
					echo(req, res)
				}}))
				slow, other := s.dial(), s.dial()
				other.get("/", "hello")
				slow.send(request("/") + post("/block", "body") + request("/") + post("/", ""))
				simnet.Receive(t, blocked, "the handler to block")
				for range 20 {
					other.get("/", "hello")
				}
				release.Store(true)
				close(done)
				slow.expect(200, "hello")
				slow.expect(200, "body")
				slow.expect(200, "hello")
				slow.expect(200, "hello")
				slow.get("/", "hello")
				other.get("/", "hello")
			})
		})
	}
}

// TestRendezvous: handlers of one loop meet, two at a time over a channel and all at
// once at a barrier.
func TestRendezvous(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		const n = 10
		meet := make(chan string)
		var all sync.WaitGroup
		all.Add(n)
		s := start(t, d, routes(map[string]engine.Handler{
			"/give": func(_ *engine.Request, res *engine.Response) { meet <- "token" },
			"/take": func(_ *engine.Request, res *engine.Response) { _ = res.EndString(<-meet) },
			"/all": func(_ *engine.Request, res *engine.Response) {
				all.Done()
				all.Wait()
				_ = res.EndString("all")
			},
		}))
		for range 3 {
			give, take := s.dial(), s.dial()
			give.send(request("/give"))
			take.send(request("/take"))
			give.expect(200, "")
			take.expect(200, "token")
			give.get("/", "hello")
		}
		clients := make([]*client, n)
		for i := range clients {
			clients[i] = s.dial()
			clients[i].send(request("/all"))
		}
		for _, c := range clients {
			c.expect(200, "all")
			c.get("/", "hello")
		}
	})
}

// TestLateHandlerGoesOn: a handler that has lost its loop reads a slow body, writes an answer that
// the client does not take at first, and gives its connection back.
func TestLateHandlerGoesOn(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		const pieces, size = 256, 64 << 10
		blocked, release, reading := make(chan struct{}), make(chan struct{}), make(chan struct{})
		s := start(t, d, routes(map[string]engine.Handler{"/late": func(req *engine.Request, res *engine.Response) {
			close(blocked)
			<-release
			close(reading)
			body, err := readAll(req)
			if err != nil {
				t.Error(err)
			}
			piece := strings.Repeat(string(body), size/len(body))
			for range pieces {
				if _, err := res.WriteString(piece); err != nil {
					t.Error(err)
					return
				}
			}
		}}))
		slow, other := s.dial(), s.dial()
		slow.send(headOf("/late", 4))
		simnet.Receive(t, blocked, "the handler to block")
		other.get("/", "hello")
		close(release)
		simnet.Receive(t, reading, "the handler to read")
		other.get("/", "hello")
		slow.send("bo")
		slow.send("dy" + request("/"))
		other.get("/", "hello")
		a := slow.next("")
		if a.StatusCode != 200 || a.body != strings.Repeat("body", pieces*size/4) {
			t.Errorf("got %d and %d bytes", a.StatusCode, len(a.body))
		}
		slow.expect(200, "hello")
		slow.get("/", "hello")
	})
}

// TestConversation: one handler reads and writes in turns while its
// peer does the same, byte by byte.
func TestConversation(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		s := start(t, d, func(req *engine.Request, res *engine.Response) {
			var one [1]byte
			for {
				if _, err := io.ReadFull(req, one[:]); err != nil {
					return
				}
				if _, err := res.Write(one[:]); err != nil {
					return
				}
			}
		})
		c := s.dial()
		c.send(headOf("/", 26))
		for b := byte('a'); b <= 'z'; b++ {
			c.send(string(b))
			if b == 'a' {
				c.readN(strings.Index("HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nTransfer-Encoding: chunked\r\n\r\n|", "|"))
			}
			if got := c.readN(6); got != "1\r\n"+string(b)+"\r\n" {
				t.Fatalf("got %q for %q", got, b)
			}
		}
		if got := c.readN(5); got != "0\r\n\r\n" {
			t.Errorf("the end was %q", got)
		}
	})
}
