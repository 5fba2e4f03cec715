// Everything at once: clients that behave in every way there is, at random, on few
// loops. What is asserted is that right requests get right answers, that the server
// does not stop, and, when it is closed, that nothing of it is left.

package engine_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gale-http/gale/engine"
)

func mixtureRoutes() engine.Handler {
	var mu sync.Mutex
	return routes(map[string]engine.Handler{
		"/echo": echo,
		"/lock": func(req *engine.Request, res *engine.Response) {
			mu.Lock()
			defer mu.Unlock()
			echo(req, res)
		},
		"/sleep": func(req *engine.Request, res *engine.Response) {
			time.Sleep(2 * time.Millisecond) // sleep: the handler under test blocks
			echo(req, res)
		},
		"/copy": func(req *engine.Request, res *engine.Response) {
			done := make(chan struct{})
			go func() {
				defer close(done)
				_, _ = io.Copy(res, req)
			}()
			<-done
		},
		"/big":    func(_ *engine.Request, res *engine.Response) { _ = pattern(res, 1<<20) },
		"/ignore": hello,
		"/context": func(req *engine.Request, res *engine.Response) {
			_ = req.Context().Err()
			echo(req, res)
		},
		"/block": func(req *engine.Request, res *engine.Response) {
			req.Block()
			echo(req, res)
		},
		"/thread": func(req *engine.Request, res *engine.Response) {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			echo(req, res)
		},
		"/panic":  func(*engine.Request, *engine.Response) { panic("mixture") },
		"/goexit": func(*engine.Request, *engine.Response) { runtime.Goexit() },
		"/abort":  func(*engine.Request, *engine.Response) { panic(engine.ErrAbort) },
	})
}

// GALE_STRESS=seed,rounds in the environment makes it another one, or longer: some 30
// requests a round and driver, so 2000 rounds are a quarter of a million in all.
func TestMixture(t *testing.T) {
	rounds, first := 40, uint64(0)
	if raceEnabled || testing.Short() {
		rounds = 12
	}
	if seed, n, ok := strings.Cut(os.Getenv("GALE_STRESS"), ","); ok {
		first, _ = strconv.ParseUint(seed, 10, 64)
		rounds, _ = strconv.Atoi(n)
	}
	eachDriver(t, func(t *testing.T, d driver) {
		s := start(t, d, mixtureRoutes())
		var all sync.WaitGroup
		for seed := range uint64(12) {
			all.Go(func() {
				m := mixer{t: t, rand: rand.New(rand.NewPCG(seed, 1+first))}
				for range rounds {
					conn, err := tryDial(s.Server)
					if err != nil {
						t.Error(err)
						return
					}
					if err := m.converse(conn.(*net.TCPConn)); err != nil {
						t.Errorf("client %d: %v", seed, err)
					}
					_ = conn.Close()
				}
			})
		}
		all.Wait()
		s.dial().get("/", "hello")
		s.log.take() // the panics
	})
}

// mixer is one client.
type mixer struct {
	t    *testing.T
	rand *rand.Rand
}

// converse makes some requests over one connection, until it is to be closed.
func (m *mixer) converse(conn *net.TCPConn) error {
	c := newClient(m.t, conn)
	for range 1 + m.rand.IntN(5) {
		more, err := m.exchange(c, conn)
		if !more || err != nil {
			return err
		}
	}
	return nil
}

func (m *mixer) exchange(c *client, conn *net.TCPConn) (more bool, err error) {
	body := strings.Repeat("0123456789", m.rand.IntN(3000)*m.rand.IntN(2))
	paths := []string{"/echo", "/lock", "/sleep", "/copy", "/context", "/ignore", "/block", "/thread", "/big", "/panic", "/goexit", "/abort"}
	path := paths[m.rand.IntN(len(paths))]
	text := post(path, body)
	if m.rand.IntN(2) == 0 {
		text = fmt.Sprintf("POST %s HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", path, len(body), body)
		if body == "" {
			text = fmt.Sprintf("POST %s HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", path)
		}
	}
	switch m.rand.IntN(12) {
	case 0: // gone in the middle of it
		_, _ = io.WriteString(c, text[:m.rand.IntN(len(text))])
		if m.rand.IntN(2) == 0 {
			_ = conn.SetLinger(0) // with a reset
		}
		return false, nil
	case 1: // gone before the answer
		_, _ = io.WriteString(c, text)
		if m.rand.IntN(2) == 0 {
			_ = conn.SetLinger(0)
		}
		return false, nil
	case 2: // nothing more to say
		_, _ = io.WriteString(c, text)
		_ = conn.CloseWrite()
		_, err := m.check(c, path, body)
		return false, err
	}
	for text != "" {
		n := len(text)
		if m.rand.IntN(2) == 0 {
			n = 1 + m.rand.IntN(n)
		}
		if _, err := io.WriteString(c, text[:n]); err != nil {
			return false, nil // it was cut, as some paths are
		}
		text = text[n:]
		runtime.Gosched()
	}
	return m.check(c, path, body)
}

// check reads the answer and judges it.
func (m *mixer) check(c *client, path, body string) (more bool, err error) {
	switch path {
	case "/abort":
		_, _ = io.Copy(io.Discard, c.in)
		return false, nil
	case "/panic", "/goexit":
		a, err := c.try("")
		if err != nil || a.StatusCode != 500 {
			return false, fmt.Errorf("%s was answered with %v, %v", path, a.Response, err)
		}
		return false, nil
	}
	a, err := c.try("")
	want := body
	switch path {
	case "/ignore":
		want = "hello"
	case "/big":
		var b strings.Builder
		_ = pattern(&b, 1<<20)
		want = b.String()
	}
	if err != nil || a.StatusCode != 200 || a.body != want {
		return false, fmt.Errorf("%s: got %d bytes instead of %d, %v", path, len(a.body), len(want), err)
	}
	return true, nil
}
