//go:build unix

// MaxSockets and the order of arrival, counted at both ends.

package agent_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gale-http/gale/agent"
	"github.com/gale-http/gale/engine"
	"github.com/gale-http/gale/internal/simnet"
)

// arrival is a request that a counting server has read; what to do with it is sent to answer.
type arrival struct {
	index  string // the path
	first  bool   // it is the first on its connection
	answer chan ending
}

// ending is what a counting server does with a request.
type ending int

const (
	answers ending = iota
	says           // answers, announces the close, and closes
	closes         // answers, and closes
	dies           // closes without an answer
)

// counting is a server that counts its open connections. It leaves out those that the client has
// already closed: a new connection is never counted together with the one that it replaces.
type counting struct {
	url      string
	arrivals chan arrival
	mu       sync.Mutex
	open     map[*net.TCPConn]bool
	most     int
}

func newCounting(t testing.TB) *counting {
	s := &counting{arrivals: make(chan arrival), open: make(map[*net.TCPConn]bool)}
	s.url = script(t, s.serve)
	return s
}

func (s *counting) serve(c net.Conn) {
	own := c.(*net.TCPConn)
	s.mu.Lock()
	s.open[own] = true
	n := 0
	for other := range s.open {
		if alive(other) {
			n++
		}
	}
	s.most = max(s.most, n)
	s.mu.Unlock()
	leave := func() {
		s.mu.Lock()
		delete(s.open, own)
		s.mu.Unlock()
	}
	defer leave()
	for first := true; ; first = false {
		head := simnet.ReadHead(c)
		if head == "" {
			return
		}
		a := arrival{strings.Fields(head)[1], first, make(chan ending)}
		s.arrivals <- a
		end := <-a.answer
		if end != answers {
			leave() // before the client can notice
		}
		switch end {
		case answers, closes:
			_, _ = io.WriteString(c, hello)
		case says:
			_, _ = io.WriteString(c, strings.Replace(hello, "\r\n", "\r\nConnection: close\r\n", 1))
		}
		if end != answers {
			return
		}
	}
}

// alive reports whether the peer of c still has it open.
func alive(c *net.TCPConn) bool {
	raw, err := c.SyscallConn()
	if err != nil {
		return false
	}
	is := false
	_ = raw.Control(func(fd uintptr) {
		n, _, err := syscall.Recvfrom(int(fd), make([]byte, 1), syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		is = n > 0 || err == syscall.EAGAIN
	})
	return is
}

// look makes a test fail when the agent reports more sockets than it may have.
func look(t *testing.T, a *agent.Agent, bound int) {
	if n := max(agent.AllSockets(a), sum(a.Sockets()), sum(a.FreeSockets())); n > bound {
		t.Errorf("the agent has %d sockets", n)
	}
}

// watchSockets calls look repeatedly until the test ends.
func watchSockets(t *testing.T, a *agent.Agent, bound int) {
	ticker := time.NewTicker(100 * time.Microsecond)
	done, stop := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-ticker.C:
				look(t, a, bound)
			case <-stop:
				return
			}
		}
	}()
	t.Cleanup(func() {
		ticker.Stop()
		close(stop)
		<-done
	})
}

// callers starts calls one after the other, on goroutines or in handlers.
func callers(t *testing.T, a *agent.Agent, url string, onLoops bool, group *sync.WaitGroup) (start func(i int)) {
	call := func(ctx context.Context, path string) {
		var req agent.Request
		var res agent.Response
		req.URL, req.Path = url, path
		if status, body := ask(t, a, ctx, &req, &res); status != 200 || body != "Hello, world!" {
			t.Errorf("%s: %d %q", path, status, body)
		}
	}
	if !onLoops {
		return func(i int) { group.Go(func() { call(context.Background(), fmt.Sprint("/", i)) }) }
	}
	s := &engine.Server{Loops: 2, Handler: func(in *engine.Request, out *engine.Response) {
		defer group.Done()
		call(in.Context(), string(in.URL()))
	}}
	if err := s.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return func(i int) {
		group.Add(1)
		c, err := net.Dial("tcp", s.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		fmt.Fprintf(c, "GET /%d HTTP/1.1\r\nHost: a\r\n\r\n", i)
	}
}

// Calls are served in order of arrival while connections end in every way; a call whose connection
// died has the next turn. The server answers only when as many requests have arrived as there may
// be at once.
func TestOrderOfArrival(t *testing.T) {
	const most = 8
	for _, c := range []struct {
		name    string
		onLoops bool
		n       int
	}{{"goroutines", false, many(10_000)}, {"handlers", true, many(1000)}} {
		t.Run(c.name, func(t *testing.T) {
			checkLeaks(t)
			s := newCounting(t)
			a := newAgent(t, &agent.Agent{KeepAlive: true, MaxSockets: most})
			watchSockets(t, a, most)
			var group sync.WaitGroup
			start := callers(t, a, s.url, c.onLoops, &group)
			var here []arrival
			for i := range c.n {
				last := agent.LastInLine(a)
				if start(i); i < most {
					here = append(here, simnet.Receive(t, s.arrivals, "a request"))
					continue
				}
				for agent.LastInLine(a) == last {
					runtime.Gosched()
				}
			}
			var order []string // the calls to come, in order
			for i := most; i < c.n; i++ {
				order = append(order, fmt.Sprint("/", i))
			}
			for k := 0; len(here) > 0; k++ {
				first := here[0]
				end := answers
				switch k % 10 {
				case 3:
					end = says
				case 6:
					if end = dies; first.first {
						end = answers // the first request of a connection is not retried
					} else {
						order = append([]string{first.index}, order...)
					}
				case 8:
					end = closes
				}
				first.answer <- end
				here = here[1:]
				if len(order) == 0 {
					continue
				}
				next := simnet.Receive(t, s.arrivals, "the next request")
				look(t, a, most)
				if next.index != order[0] {
					t.Fatalf("%s came when it was the turn of %s", next.index, order[0])
				}
				here, order = append(here, next), order[1:]
			}
			group.Wait()
			if s.most > most {
				t.Errorf("the server has seen %d connections at once", s.most)
			}
		})
	}
}

// At full speed, on loops and off them at once, there is never one socket too many, and no call
// is forgotten.
func TestNeverOneTooMany(t *testing.T) {
	const most = 8
	for _, onLoops := range []bool{false, true} {
		t.Run(fmt.Sprint("loops ", onLoops), func(t *testing.T) {
			checkLeaks(t)
			s := newCounting(t)
			a := newAgent(t, &agent.Agent{KeepAlive: true, MaxSockets: most})
			watchSockets(t, a, most)
			var group sync.WaitGroup
			n := many(10_000)
			if onLoops {
				n = many(1000)
			}
			served, stop := make(chan int, 1), make(chan struct{})
			go func() {
				for k := 0; ; {
					var req arrival
					select {
					case req = <-s.arrivals:
					case <-stop:
						served <- k
						return
					}
					look(t, a, most)
					end := answers
					switch k++; k % 50 {
					case 10:
						end = says
					case 20:
						end = closes
					case 30:
						if !req.first {
							end = dies
						}
					}
					req.answer <- end
				}
			}()
			start := callers(t, a, s.url, onLoops, &group)
			for i := range n {
				start(i)
			}
			group.Wait()
			close(stop)
			if k := simnet.Receive(t, served, "the server"); k < n {
				t.Errorf("%d of %d were served", k, n)
			}
			if s.most > most {
				t.Errorf("the server has seen %d connections at once", s.most)
			}
		})
	}
}
