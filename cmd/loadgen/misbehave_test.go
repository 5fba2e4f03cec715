// Runs against servers that misbehave: every kind of failure has a name, is counted once, and ends
// the run when nothing else is left.

package main

import (
	"bufio"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gale-http/gale/internal/simnet"
)

func TestErrorsByKind(t *testing.T) {
	const half = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab"
	cases := []struct {
		name  string
		serve func(net.Conn, *bufio.Reader)
		want  kind
	}{
		{"closes without a word", saysOnce(""), kindEarly},
		{"closes inside the head", saysOnce("HTTP/1.1 200 OK\r\nConte"), kindEarly},
		{"closes inside the body", saysOnce(half), kindEarly},
		{"closes inside a chunk", saysOnce("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"), kindEarly},
		{"closes behind an interim answer", saysOnce("HTTP/1.1 100 Continue\r\n\r\n"), kindEarly},
		{"resets", func(c net.Conn, r *bufio.Reader) {
			if !hungUp(r) {
				_ = c.(*net.TCPConn).SetLinger(0)
			}
		}, kindReset},
		{"talks SSH", saysOnce("SSH-2.0-OpenSSH_9.2\r\n\r\n"), "bad response: malformed start line"},
		{"two lengths", saysOnce("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok"), "bad response: more than one Content-Length"},
		{"bare LF", saysOnce("HTTP/1.1 200 OK\nContent-Length: 2\n\nok"), "bad response: LF without CR"},
		{"a bad chunk", saysOnce("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n"), "bad response: invalid chunk size"},
		{"an endless head", saysOnce("HTTP/1.1 200 OK\r\n" + strings.Repeat("A: b\r\n", 20000)), "bad response: head too large"},
		{"HTTP/2", saysOnce("HTTP/2.0 200 OK\r\n\r\n"), "bad response: unsupported HTTP version"},
		{"never answers", func(_ net.Conn, r *bufio.Reader) { _, _ = io.Copy(io.Discard, r) }, kindTimeout},
		{"stops inside the body", func(c net.Conn, r *bufio.Reader) {
			if !hungUp(r) {
				_, _ = io.WriteString(c, half)
				_, _ = io.Copy(io.Discard, r)
			}
		}, kindTimeout},
	}
	eachDriver(t, func(t *testing.T, portable bool) {
		for _, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				timeout := "10s"
				if c.want == kindTimeout {
					timeout = "300ms"
				}
				res := load(t, portable, "-c", "2", "-n", "4", "-timeout", timeout, rawServer(t, c.serve))
				wantErrors(t, res, map[kind]int64{c.want: 4})
				if res.total.answers != 0 || res.total.failed != 4 || res.total.lost != 0 || res.exitCode() != exitFailed {
					t.Errorf("%d answers, %d failed, %d lost, exit code %d", res.total.answers, res.total.failed, res.total.lost, res.exitCode())
				}
			})
		}
	})
}

func TestErrorsCountTheRequestsTheyCost(t *testing.T) {
	// Two of every five requests in a batch are answered.
	url := rawServer(t, func(c net.Conn, r *bufio.Reader) {
		for range 2 {
			if hungUp(r) {
				return
			}
			_, _ = io.WriteString(c, ok)
		}
		_ = c.(*net.TCPConn).CloseWrite()
		_, _ = io.Copy(io.Discard, r)
	})
	eachDriver(t, func(t *testing.T, portable bool) {
		res := load(t, portable, "-c", "1", "-n", "50", "-p", "5", url)
		if res.total.answers != 20 || res.total.failed != 30 || res.connects != 10 || res.exitCode() != exitDone {
			t.Errorf("%d answers, %d failed, %d connects, exit code %d", res.total.answers, res.total.failed, res.connects, res.exitCode())
		}
		wantErrors(t, res, map[kind]int64{kindEarly: 30})
	})
}

func TestBytesNobodyAskedFor(t *testing.T) {
	// The answer is longer than it declares: the excess must not be taken for the next one.
	eachDriver(t, func(t *testing.T, portable bool) {
		res := load(t, portable, "-c", "1", "-n", "5", rawServer(t, alwaysSays("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n")))
		if res.total.answers != 5 || res.total.failed != 0 || res.connects != 5 {
			t.Errorf("%d answers, %d failed, %d connects", res.total.answers, res.total.failed, res.connects)
		}
		wantErrors(t, res, map[kind]int64{kindUnasked: 5})
		closing := "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok!"
		res = load(t, portable, "-c", "1", "-n", "5", rawServer(t, saysOnce(closing)))
		wantErrors(t, res, map[kind]int64{kindUnasked: 5})
		late := rawServer(t, func(c net.Conn, r *bufio.Reader) {
			if !hungUp(r) {
				_, _ = io.WriteString(c, strings.TrimSuffix(closing, "!"))
				time.Sleep(10 * time.Millisecond) // sleep: a server that goes on after its end is the subject
				_, _ = io.WriteString(c, "!")
			}
		})
		res = load(t, portable, "-c", "1", "-n", "5", late)
		wantErrors(t, res, map[kind]int64{kindUnasked: 5})
	})
}

func TestUploadThatIsRefused(t *testing.T) {
	// The server answers before it has read the body, and closes: that is an answer.
	url := rawServer(t, func(c net.Conn, r *bufio.Reader) {
		for {
			line, err := r.ReadString('\n')
			if err != nil {
				return
			}
			if line == "\r\n" {
				break
			}
		}
		_, _ = io.WriteString(c, "HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
		_ = c.(*net.TCPConn).CloseWrite()
		_, _ = io.CopyN(io.Discard, r, 1<<20)
	})
	eachDriver(t, func(t *testing.T, portable bool) {
		res := load(t, portable, "-c", "2", "-n", "6", "-b", strings.Repeat("x", 16<<20), url)
		if res.total.statuses[413] != 6 {
			t.Errorf("%d answers of status 413; errors: %v", res.total.statuses[413], res.errors)
		}
		wantErrors(t, res, nil)
	})
}

// mortal is a server that can be killed: its listener and all its connections.
type mortal struct {
	net.Listener
	mu    sync.Mutex
	conns []net.Conn
	dead  bool
	gone  chan struct{} // closed when it is dead
}

func newMortal(t *testing.T, serve func(*mortal, net.Conn, *bufio.Reader)) *mortal {
	l, err := net.Listen("tcp", net.JoinHostPort(simnet.UnusedHost, "0"))
	if err != nil {
		t.Fatal(err)
	}
	m := &mortal{Listener: l, gone: make(chan struct{})}
	var wg sync.WaitGroup
	t.Cleanup(func() {
		m.die()
		wg.Wait()
	})
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			if m.keep(c) {
				wg.Go(func() { serve(m, c, bufio.NewReader(c)) })
			}
		}
	})
	return m
}

func (m *mortal) keep(c net.Conn) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.dead {
		_ = c.Close()
		return false
	}
	m.conns = append(m.conns, c)
	return true
}

func (m *mortal) die() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.dead {
		return
	}
	m.dead = true
	_ = m.Close()
	for _, c := range m.conns {
		_ = c.Close()
	}
	close(m.gone)
}

func TestTargetThatDiesMidway(t *testing.T) {
	eachDriver(t, func(t *testing.T, portable bool) {
		for _, args := range [][]string{{"-d", "1h"}, {"-n", "1000000000"}, {"-n", "1000000000", "-t", "2"}} {
			var served atomic.Int64
			m := newMortal(t, func(m *mortal, c net.Conn, r *bufio.Reader) {
				for !hungUp(r) {
					if served.Add(1) == 200 {
						go m.die()
					}
					_, _ = io.WriteString(c, ok)
				}
			})
			begun := time.Now()
			res := load(t, portable, append(args, "-c", "8", "http://"+m.Addr().String())...)
			if res.ending != endDied || res.exitCode() != exitFailed || res.total.answers < 100 {
				t.Errorf("ended by %s after %d answers, exit code %d", res.ending, res.total.answers, res.exitCode())
			}
			if took := time.Since(begun); took > 20*time.Second {
				t.Errorf("it took %v to notice", took)
			}
			// A connection is hopeless after nine fruitless attempts; at the end some wait for the others.
			if n := res.errors[kindRefused]; n < 8*giveUpAfter-8 || n > 8*giveUpAfter*4 {
				t.Errorf("%d connections were refused", n)
			}
		}
	})
}

func TestHopeIsLostByAllAtOnceOrNotAtAll(t *testing.T) {
	r := &run{over: make(chan struct{}), died: make(chan struct{}, 1)}
	r.alive.Store(3)
	a, b, leaver := &conn{run: r}, &conn{run: r}, &conn{run: r}
	fail := func(c *conn) {
		for range 2 * giveUpAfter {
			c.answered = 0
			c.noteOutcome()
		}
	}
	died := func() bool { return len(r.died) > 0 }
	fail(a)
	fail(leaver)
	a.answered = 1
	a.noteOutcome()
	fail(b)
	if died() {
		t.Error("one of three has hope, and the target is given up")
	}
	r.leave(leaver.hopeless())
	if died() {
		t.Error("one of two has hope, and the target is given up")
	}
	fail(a)
	if !died() {
		t.Error("nobody has hope, and the target is not given up")
	}
}

func TestRefusedConnectionsCostNoRequests(t *testing.T) {
	// The server dies and comes back at the same address.
	serve := func(m *mortal, c net.Conn, r *bufio.Reader) {
		for n := 0; !hungUp(r); n++ {
			if n == 50 && m != nil {
				go m.die()
			}
			_, _ = io.WriteString(c, ok)
		}
	}
	eachDriver(t, func(t *testing.T, portable bool) {
		m := newMortal(t, serve)
		revived := make(chan struct{})
		go func() {
			defer close(revived)
			<-m.gone
			time.Sleep(30 * time.Millisecond) // sleep: a server that is away for a while is the subject
			l, err := net.Listen("tcp", m.Addr().String())
			if err != nil {
				t.Error(err)
				return
			}
			t.Cleanup(func() { _ = l.Close() })
			go func() {
				for c, err := l.Accept(); err == nil; c, err = l.Accept() {
					go func() {
						defer c.Close()
						serve(nil, c, bufio.NewReader(c))
					}()
				}
			}()
		}()
		res := load(t, portable, "-c", "4", "-n", "1000", "http://"+m.Addr().String())
		<-revived
		if res.ending != endRequests || res.total.answers+res.total.failed != 1000 || res.errors[kindRefused] == 0 {
			t.Errorf("ended by %s with %d answers, %d failed, errors %v", res.ending, res.total.answers, res.total.failed, res.errors)
		}
	})
}

func TestServerThatComesBack(t *testing.T) {
	// The first fifty connections fail as if the server were dead; then it works.
	var connections atomic.Int64
	url := rawServer(t, func(c net.Conn, r *bufio.Reader) {
		if connections.Add(1) > 50 {
			alwaysSays(ok)(c, r)
		}
	})
	eachDriver(t, func(t *testing.T, portable bool) {
		connections.Store(0)
		res := load(t, portable, "-c", "10", "-n", "500", url)
		if res.ending != endRequests || res.total.answers+res.total.failed != 500 || res.total.answers < 400 {
			t.Errorf("ended by %s with %d answers and %d failures", res.ending, res.total.answers, res.total.failed)
		}
	})
}
