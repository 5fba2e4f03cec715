// Goroutines that a handler leaves behind: while they are reading or writing, or calling after it
// has returned. They get an error; the next request gets its answer.

package engine_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/gale-http/gale/engine"
	"github.com/gale-http/gale/internal/simnet"
	"github.com/gale-http/gale/pool"
)

// TestReaderLeftBehind: a goroutine that waits for more of the body when the handler returns gets
// an error, and none of the next request's bytes.
func TestReaderLeftBehind(t *testing.T) {
	ways := map[string]func(*engine.Request) error{
		"read": func(req *engine.Request) error {
			_, err := io.ReadAll(struct{ io.Reader }{req})
			return err
		},
		"copy": func(req *engine.Request) error {
			_, err := io.Copy(io.Discard, req)
			return err
		},
	}
	for name, read := range ways {
		t.Run(name, func(t *testing.T) {
			eachDriver(t, func(t *testing.T, d driver) {
				left, reading := make(chan error, 1), make(chan struct{})
				s := start(t, d, routes(map[string]engine.Handler{
					"/leave": func(req *engine.Request, res *engine.Response) {
						go func() {
							reading <- struct{}{}
							left <- orPanics(func() error { return read(req) })
						}()
						<-reading
						_ = res.EndString("left")
					},
					"/echo": echo,
				}))
				c := s.dial()
				for range 10 {
					c.send(headOf("/leave", 8) + "0123")
					if a := c.next(""); a.StatusCode != 200 || a.body != "left" {
						t.Errorf("got %d %q", a.StatusCode, a.body)
					}
					if err := simnet.Receive(t, left, "the reader"); !errors.Is(err, engine.ErrOver) {
						t.Errorf("what was left behind read %v", err)
					}
					c.send("4567") // the server drops the unread rest, and goes on
					c.send(post("/echo", "body"))
					c.expect(200, "body")
				}
			})
		})
	}
}

// orPanics calls use, and turns the panic of galedebug for late calls into ErrOver.
func orPanics(use func() error) (err error) {
	defer func() {
		if v, ok := recover().(string); ok && pool.Debug && strings.Contains(v, "whose handler has returned") {
			err = engine.ErrOver
		}
	}()
	return use()
}

// TestWriterLeftBehind: a goroutine whose peer takes nothing gets an error when the handler
// returns; the answer cannot be complete, so the connection ends.
func TestWriterLeftBehind(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		left, writing := make(chan error, 1), make(chan struct{}, 100)
		piece := strings.Repeat("x", 1<<20)
		s := start(t, d, routes(map[string]engine.Handler{"/leave": func(_ *engine.Request, res *engine.Response) {
			go func() {
				for {
					writing <- struct{}{}
					if err := orPanics(func() error { _, err := res.WriteString(piece); return err }); err != nil {
						left <- err
						return
					}
				}
			}()
			<-writing
			<-writing // it has written once: from now on the request knows that it has company
		}}))
		for range 5 {
			c := s.dial()
			c.send("GET /leave HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
			if err := simnet.Receive(t, left, "the writer"); !errors.Is(err, engine.ErrOver) && !errors.Is(err, engine.ErrEnded) {
				t.Errorf("what was left behind wrote %v", err)
			}
			_, _ = io.Copy(io.Discard, c)
			for len(writing) > 0 {
				<-writing
			}
		}
		s.dial().get("/", "hello")
	})
}

// late calls every method of a request and response, and returns what panicked and
// what failed with something else than ErrOver.
func late(req *engine.Request, res *engine.Response) (panics []string, wrong []error) {
	var p [1]byte
	for _, call := range []func() error{
		func() error { _, err := req.Read(p[:]); return err },
		func() error { _, err := io.Copy(io.Discard, req); return err },
		func() error { _, err := res.Write([]byte("late")); return err },
		func() error { _, err := res.WriteString("late"); return err },
		func() error { _, err := res.ReadFrom(strings.NewReader("late")); return err },
		func() error { return res.Flush() },
		func() error { return res.EndString("late") },
		func() error { return res.WriteInterim(103) },
		func() error { _, _, err := res.Hijack(); return err },
	} {
		func() {
			defer func() {
				if v := recover(); v != nil {
					panics = append(panics, v.(string))
				}
			}()
			if err := call(); !errors.Is(err, engine.ErrOver) {
				wrong = append(wrong, err)
			}
		}()
	}
	return panics, wrong
}

// TestTooLate: a goroutine that used the request while it was allowed to, and comes back after its
// handler has returned, gets ErrOver for ever; with galedebug, a panic that names the method.
func TestTooLate(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		if !fastG && !pool.Debug {
			t.Skip("where telling goroutines apart takes long, nobody notes who was one")
		}
		again := make(chan struct{})
		var kept sync.WaitGroup
		s := start(t, d, func(req *engine.Request, res *engine.Response) {
			body := make(chan string)
			kept.Go(func() {
				p := make([]byte, 4)
				_, _ = io.ReadFull(req, p)
				body <- string(p)
				<-again
				panics, wrong := late(req, res)
				if pool.Debug {
					if len(wrong) > 0 || len(panics) != 9 || !strings.Contains(panics[0], "Read of a request whose handler has returned") {
						t.Errorf("panics %q, errors %v", panics, wrong)
					}
				} else if len(panics)+len(wrong) > 0 {
					t.Errorf("panics %q, errors %v", panics, wrong)
				}
				if !pool.Debug && req.Context().Err() == nil {
					t.Error("the context of a request that is over has not ended")
				}
			})
			_ = res.EndString(<-body)
		})
		c := s.dial()
		for range 5 {
			c.send(post("/", "body"))
			c.expect(200, "body")
		}
		c.send(headOf("/", 8) + "0123") // one is under way while they come too late
		for range 5 {
			again <- struct{}{}
		}
		c.expect(200, "0123")
		again <- struct{}{}
		kept.Wait()
	})
}

// TestLateInTheHandler: galedebug detects a request that was kept and is used by the handler of a
// later one.
func TestLateInTheHandler(t *testing.T) {
	if !pool.Debug {
		t.Skip("without galedebug nobody can tell")
	}
	eachDriver(t, func(t *testing.T, d driver) {
		var kept *engine.Request
		found := make(chan any, 1)
		s := start(t, d, routes(map[string]engine.Handler{
			"/keep": func(req *engine.Request, res *engine.Response) {
				kept = req
				_ = res.EndString("kept")
			},
			"/use": func(_ *engine.Request, res *engine.Response) {
				defer func() {
					found <- recover()
					_ = res.EndString("used")
				}()
				_ = kept.Method()
			},
		}))
		c := s.dial()
		c.get("/keep", "kept")
		c.get("/use", "used")
		if v, _ := simnet.Receive(t, found, "the handler").(string); !strings.Contains(v, "Method of a request whose handler has returned") {
			t.Errorf("the panic says %q", v)
		}
	})
}

// TestTwoOnOneSide: at most one goroutine reads, and one writes.
func TestTwoOnOneSide(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		done := make(chan struct{})
		s := start(t, d, func(req *engine.Request, res *engine.Response) {
			defer close(done)
			errs := make(chan error, 2)
			read := func() {
				var p [1]byte
				_, err := io.ReadFull(req, p[:])
				errs <- err
			}
			go read()
			go read()
			first := <-errs // the other one waits for the body
			if !errors.Is(first, engine.ErrBusy) {
				t.Errorf("the second reader got %v", first)
			}
			_ = res.Flush()
			_ = res.EndString(http.StatusText(200))
			if err := <-errs; err != nil {
				t.Errorf("the first reader got %v", err)
			}
		})
		c := s.dial()
		c.send(headOf("/", 1))
		c.readN(len("HTTP/1.1 200 OK\r\n"))
		c.send("x")
		simnet.Receive(t, done, "the handler")
	})
}
