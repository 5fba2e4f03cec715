// Timeouts: each phase with a small value. The tests check that the phase ends, how it ends, and
// that nothing else ends; how long it takes is tested with the timing wheel.

package engine_test

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gale-http/gale/engine"
	"github.com/gale-http/gale/internal/simnet"
)

const soon = 30 * time.Millisecond

// startTimed starts a server with these timeouts.
func startTimed(t *testing.T, d driver, limits engine.Timeouts, h engine.Handler) *server {
	t.Helper()
	s := prepare(t, d, h)
	s.Timeouts = limits
	s.listen()
	return s
}

func TestIdleTimeout(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		s := startTimed(t, d, engine.Timeouts{Idle: soon}, hello)
		fresh, used := s.dial(), s.served(soon)
		for name, c := range map[string]*client{"fresh": fresh, "used": used} {
			if got := c.ended(); got != "" {
				t.Errorf("the %s connection got %q", name, got)
			}
		}
		s.served(soon)
	})
}

func TestHeadTimeout(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		s := startTimed(t, d, engine.Timeouts{Head: soon}, hello)
		for _, before := range []string{"", request("/")} {
			c := s.dial()
			c.send(before + "GET / HTTP/1.1\r\nHost")
			if before != "" {
				c.expect(200, "hello")
			}
			if got := c.ended(); statusOf(got) != "408" || !strings.Contains(got, "\r\nDate: ") || !strings.HasSuffix(got, "Connection: close\r\n\r\n") {
				t.Errorf("got %q", got)
			}
			_ = c.Close()
		}
	})
}

// TestHeadTimeoutCountsFromTheFirstByte: sending a byte now and then does not help.
func TestHeadTimeoutCountsFromTheFirstByte(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		s := startTimed(t, d, engine.Timeouts{Head: 4 * soon}, hello)
		c := s.dial()
		c.send("GET / HTTP/1.1\r\nHost: a\r\nX: ")
		for end := time.Now().Add(simnet.Patience); ; {
			if time.Now().After(end) {
				t.Fatal("the server goes on reading")
			}
			if err := c.SetReadDeadline(time.Now().Add(soon / 10)); err != nil {
				t.Fatal(err)
			}
			line, err := c.in.ReadString('\n')
			if statusOf(line) == "408" {
				break
			}
			if !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Fatalf("got %q, %v", line, err)
			}
			c.send("x")
		}
	})
}

// held keeps what is written to it back.
type held struct {
	net.Conn
	text []byte
	on   bool
}

func (h *held) Write(p []byte) (int, error) {
	if !h.on {
		return h.Conn.Write(p)
	}
	h.text = append(h.text, p...)
	return len(p), nil
}

// TestHeadTimeoutCountsFromTheFirstByteOfARecord: over TLS a head may come in one record, of which
// nothing can be read before its last byte has come.
func TestHeadTimeoutCountsFromTheFirstByteOfARecord(t *testing.T) {
	allDrivers(t, func(t *testing.T, d driver) {
		s := prepareTLS(t, d, hello)
		s.Timeouts.Head = 4 * soon
		if d.portable { // which sees the record when it is whole
			s.Timeouts.Idle = 20 * soon
		}
		s.listen()
		config := s.client.Clone()
		config.DynamicRecordSizingDisabled = true
		for _, before := range []string{"", request("/")} {
			wire := &held{Conn: s.dial().Conn}
			over := tls.Client(wire, config)
			if err := over.Handshake(); err != nil {
				t.Fatal(err)
			}
			c := newClient(t, over)
			if before != "" {
				c.get("/", "hello")
			}
			wire.on = true
			c.send("GET / HTTP/1.1\r\nHost: a\r\nX: " + strings.Repeat("x", 15_000) + "\r\n\r\n")
			ended, clock := make(chan string, 1), time.NewTicker(soon/10)
			go func() {
				text, _ := io.ReadAll(c.in)
				ended <- string(text)
			}()
			for at := 0; ; at++ {
				select {
				case <-clock.C: // the time between two bytes is what is tested
					if at == len(wire.text) {
						t.Fatal("the server has read the whole record")
					}
					_, _ = wire.Conn.Write(wire.text[at : at+1])
					continue
				case got := <-ended:
					if want := "408"; !d.portable && statusOf(got) != want {
						t.Errorf("got %q, want %s", got, want)
					}
				}
				break
			}
			clock.Stop()
			_ = c.Close()
		}
	})
}

// TestBodyTimeoutOfARecord: the single bytes of a record do not prolong the wait for a body either.
func TestBodyTimeoutOfARecord(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		result := make(chan error, 1)
		s := prepareTLS(t, d, func(req *engine.Request, _ *engine.Response) {
			_, err := io.Copy(io.Discard, req)
			result <- err
		})
		s.Timeouts.Body = 4 * soon
		s.listen()
		config := s.client.Clone()
		config.DynamicRecordSizingDisabled = true
		wire := &held{Conn: s.dial().Conn}
		c := newClient(t, tls.Client(wire, config))
		c.send(headOf("/", 16_000))
		wire.on = true
		c.send(strings.Repeat("x", 15_000))
		clock := time.NewTicker(soon / 10)
		defer clock.Stop()
		for _, b := range wire.text {
			select {
			case <-clock.C: // the time between two bytes is what is tested
				if _, err := wire.Conn.Write([]byte{b}); errors.Is(err, os.ErrDeadlineExceeded) {
					t.Fatal("the server goes on reading")
				}
			case err := <-result:
				if err != engine.ErrTimeout {
					t.Errorf("Read ended with %v", err)
				}
				return
			}
		}
		t.Error("the server has read the whole record")
	})
}

// TestHeadTimeoutStops: a head that was complete in time leaves no timeout running.
func TestHeadTimeoutStops(t *testing.T) {
	allDrivers(t, func(t *testing.T, d driver) {
		proceed := make(chan struct{})
		s := startTimed(t, d, engine.Timeouts{Head: 30 * soon}, routes(map[string]engine.Handler{"/wait": func(_ *engine.Request, res *engine.Response) {
			<-proceed
			_ = res.EndString("waited")
		}}))
		c, quiet, late := s.dial(), s.dial(), s.dial()
		quiet.send("GET / HTTP/1.1\r\n")
		c.send("GET /wait HTTP/1.1\r\n")
		c.send("Host: a\r\n\r\n")
		quiet.send("Host: a\r\n\r\n")
		quiet.expect(200, "hello")
		late.send("GET / HT")
		if got := late.ended(); statusOf(got) != "408" {
			t.Errorf("got %q", got)
		}
		close(proceed) // now that more than the timeout has passed
		c.expect(200, "waited")
		c.get("/", "hello")
		quiet.get("/", "hello")
	})
}

// TestHeadTimeoutStartsAnew: the next head has its full time, even if its first bytes came with the
// last ones of a head that took long.
func TestHeadTimeoutStartsAnew(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		const limit = time.Second
		if d.loops > 1 {
			t.Skip("the same wheel as with one loop")
		}
		t.Parallel()
		s := startTimed(t, d, engine.Timeouts{Head: limit}, hello)
		for {
			c, longest := s.dial(), time.Duration(0)
			for _, piece := range []string{"GET / HTTP/1.1\r\n", "Host: a\r\n\r\nGET / HTTP/1.1\r\n", "Host: a\r\n\r\n"} {
				begun := time.Now()
				_, _ = io.WriteString(c, piece)
				time.Sleep(limit * 6 / 10) // sleep: a client that takes its time is the subject
				longest = max(longest, time.Since(begun))
			}
			if longest < limit {
				c.expect(200, "hello")
				c.expect(200, "hello")
				return
			} // else it was the machine that took it
		}
	})
}

func TestBodyTimeout(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		result := make(chan error, 1)
		s := startTimed(t, d, engine.Timeouts{Body: soon}, routes(map[string]engine.Handler{"/read": func(req *engine.Request, res *engine.Response) {
			_, err := io.Copy(io.Discard, req)
			result <- err
			_ = res.SetStatus(408)
			_ = res.EndString("too slow")
		}}))
		c, other := s.dial(), s.dial()
		other.send(headOf("/", 4)) // its handler does not read, and drains
		other.expect(200, "hello")
		c.send(headOf("/read", 10) + "01234")
		if err := simnet.Receive(t, result, "Read to give up"); err != engine.ErrTimeout {
			t.Errorf("Read ended with %v", err)
		}
		a := c.expect(408, "too slow")
		if !a.Close {
			t.Error("the answer does not say that the connection closes")
		}
		if got := c.ended(); got != "" {
			t.Errorf("more came: %q", got)
		}
		if got := other.ended(); got != "" {
			t.Errorf("the drained connection got %q", got)
		}
	})
}

// TestBodyTimeoutElsewhere: also for a goroutine that reads in the handler's place, and for a
// handler that has lost its loop.
func TestBodyTimeoutElsewhere(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		result, blocked, proceed := make(chan error, 1), make(chan struct{}), make(chan struct{})
		s := startTimed(t, d, engine.Timeouts{Body: soon}, routes(map[string]engine.Handler{
			"/foreign": func(req *engine.Request, res *engine.Response) {
				done := make(chan error)
				go func() {
					_, err := io.Copy(io.Discard, req)
					done <- err
				}()
				result <- <-done
			},
			"/late": func(req *engine.Request, res *engine.Response) {
				close(blocked)
				<-proceed
				_, err := io.Copy(io.Discard, req)
				result <- err
			},
		}))
		late, foreign := s.dial(), s.dial()
		late.send(headOf("/late", 10) + "01234")
		simnet.Receive(t, blocked, "the handler")
		s.dial().get("/", "hello")
		close(proceed)
		if err := simnet.Receive(t, result, "Read to give up"); err != engine.ErrTimeout {
			t.Errorf("Read of a late handler ended with %v", err)
		}
		foreign.send(headOf("/foreign", 10) + "01234")
		if err := simnet.Receive(t, result, "Read to give up"); err != engine.ErrTimeout {
			t.Errorf("Read of another goroutine ended with %v", err)
		}
	})
}

func TestWriteTimeout(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		result := make(chan error, 1)
		s := startTimed(t, d, engine.Timeouts{Write: soon}, routes(map[string]engine.Handler{"/big": func(_ *engine.Request, res *engine.Response) {
			err := pattern(res, 64<<20)
			result <- err
			if _, again := res.Write([]byte("x")); again != err {
				t.Errorf("Write failed with %v, then with %v", err, again)
			}
		}}))
		c := s.dial()
		c.send(request("/big") + request("/never"))
		if err := simnet.Receive(t, result, "Write to give up"); err != engine.ErrTimeout {
			t.Errorf("Write ended with %v", err)
		}
		if rest := c.cut(); strings.Contains(rest, "\r\n0\r\n") {
			t.Error("the answer looks complete")
		}
		s.dial().get("/", "hello")
	})
}

// TestSteadyPeersAreNotTimedOut: each byte of a body, and each read of an answer, restarts the
// timeout.
func TestSteadyPeersAreNotTimedOut(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		const limit, n = time.Second, 12
		if d.loops > 1 {
			t.Skip("the same wheel as with one loop")
		}
		t.Parallel()
		s := startTimed(t, d, engine.Timeouts{Body: limit}, echo)
		c, clock := s.dial(), time.NewTicker(limit/10)
		defer clock.Stop()
		c.send(headOf("/", n))
		for range n {
			<-clock.C // the time between two bytes is what is tested
			c.send("x")
		}
		c.expect(200, strings.Repeat("x", n))
	})
}

// TestBodyTimeoutUnanswered: if the handler gives up without a response, the client is not told
// that all is well. A response that the handler has set stands.
func TestBodyTimeoutUnanswered(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		s := startTimed(t, d, engine.Timeouts{Body: soon}, routes(map[string]engine.Handler{
			"/silent": func(req *engine.Request, _ *engine.Response) { _, _ = io.Copy(io.Discard, req) },
			"/deadline": func(req *engine.Request, res *engine.Response) {
				_ = res.SetHeader("X", "y")
				req.SetReadDeadline(time.Now())
				_, _ = io.Copy(io.Discard, req)
			},
			"/status": func(req *engine.Request, res *engine.Response) {
				_, _ = io.Copy(io.Discard, req)
				_ = res.SetStatus(503)
			},
			"/answer": func(req *engine.Request, res *engine.Response) {
				n, _ := io.Copy(io.Discard, req)
				_ = res.EndString(strconv.FormatInt(n, 10))
			},
			"/begun": func(req *engine.Request, res *engine.Response) {
				_, _ = res.WriteString("so far")
				_, _ = io.Copy(io.Discard, req)
			},
		}))
		for path, want := range map[string]struct {
			status int
			body   string
		}{"/silent": {408, ""}, "/deadline": {408, ""}, "/status": {503, ""}, "/answer": {200, "5"}, "/begun": {200, "so far"}} {
			c := s.dial()
			c.send(headOf(path, 10) + "01234")
			if a := c.expect(want.status, want.body); !a.Close && path != "/begun" { // that was not known yet
				t.Errorf("%s: the answer does not say that the connection closes", path)
			}
			if got := c.ended(); got != "" {
				t.Errorf("%s: more came: %q", path, got)
			}
		}
	})
}
