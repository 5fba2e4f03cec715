// Happy Eyeballs (RFC 8305): addresses that do not respond, that refuse, and that respond too
// late. (Only Linux refuses connections beyond the backlog and has all of 127.0.0.0/8.)

package agent_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gale-http/gale/agent"
	"github.com/gale-http/gale/internal/simnet"
)

// hole is an address that accepts no connections, because its backlog is full. release makes
// it accept them.
type hole struct {
	l       net.Listener
	fillers []net.Conn
}

func newHole(t testing.TB, addr string) *hole {
	t.Helper()
	at := netip.MustParseAddrPort(addr)
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err == nil {
		err = syscall.Bind(fd, &syscall.SockaddrInet4{Port: int(at.Port()), Addr: at.Addr().As4()})
	}
	if err == nil {
		err = syscall.Listen(fd, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	f := os.NewFile(uintptr(fd), "hole")
	h := new(hole)
	h.l, err = net.FileListener(f)
	_ = f.Close()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.l.Close() })
	for range 10 {
		c, err := net.DialTimeout("tcp", addr, 100*time.Millisecond)
		if err != nil { // or the machine stalled
			c, err = net.DialTimeout("tcp", addr, 300*time.Millisecond)
		}
		if err != nil {
			return h
		}
		t.Cleanup(func() { _ = c.Close() })
		h.fillers = append(h.fillers, c)
	}
	t.Fatal("the system takes connections beyond the backlog")
	return nil
}

// onBoth returns the port of a server that listens on 127.0.0.1 and, if six, with the same
// port on ::1; six is false if this machine has no IPv6.
func onBoth(t testing.TB, handler http.HandlerFunc) (port string, six bool) {
	t.Helper()
	for range 20 {
		l4, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		_, port, _ = net.SplitHostPort(l4.Addr().String())
		on := []net.Listener{l4}
		l6, err := net.Listen("tcp", "[::1]:"+port)
		switch {
		case err == nil:
			on = append(on, l6)
		case errors.Is(err, syscall.EADDRINUSE):
			_ = l4.Close()
			continue
		}
		for _, l := range on {
			s := &httptest.Server{Listener: l, Config: &http.Server{Handler: handler}}
			s.Start()
			t.Cleanup(s.Close)
		}
		return port, len(on) == 2
	}
	t.Fatal("no port is free on both addresses")
	return "", false
}

func TestHappyEyeballs(t *testing.T) {
	newNames(t, &names{answers: map[string][]string{
		"both.example": {"::1", "127.0.0.1"}, "four.example": {"127.0.0.1", "127.0.0.2"}, "hole.example": {"127.0.0.2", "127.0.0.1"},
		"holes.example": {"127.0.0.2"}, "refused.example": {"127.0.0.3", "127.0.0.1"}, "last.example": {"127.0.0.3", "127.0.0.2", "127.0.0.1"},
	}})
	port, six := onBoth(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.RemoteAddr) })
	newHole(t, "127.0.0.2:"+port)
	for _, w := range ways() {
		for _, c := range []struct {
			host   string
			family int
			want   string
		}{
			{"both.example", 0, "[::1]:"}, {"both.example", 4, "127.0.0.1:"}, {"both.example", 6, "[::1]:"}, {"[::1]", 0, "[::1]:"},
			{"four.example", 0, "127.0.0.1:"}, {"hole.example", 0, "127.0.0.1:"}, {"refused.example", 0, "127.0.0.1:"}, {"last.example", 0, "127.0.0.1:"},
		} {
			if c.want == "[::1]:" && !six {
				if c.family != 0 || c.host == "[::1]" {
					continue
				}
				c.want = "127.0.0.1:" // the second address
			}
			t.Run(fmt.Sprint(w.name, "/", c.host, "/", c.family), func(t *testing.T) {
				checkLeaks(t)
				a := newAgent(t, &agent.Agent{KeepAlive: true}) // with 30 s for each attempt
				w.call(t, func(ctx context.Context) {
					ctx, cancel := context.WithTimeout(ctx, simnet.Patience/2)
					defer cancel()
					var req agent.Request
					var res agent.Response
					req.URL, req.Route.Family = "http://"+c.host+":"+port, c.family
					if _, body := ask(t, a, ctx, &req, &res); !strings.HasPrefix(body, c.want) {
						t.Errorf("connected from %q, want %q", body, c.want)
					}
				})
			})
		}
		t.Run(w.name+"/nothing but a hole", func(t *testing.T) {
			checkLeaks(t)
			a := newAgent(t, &agent.Agent{MaxSockets: 1, Timeouts: agent.Timeouts{Dial: 50 * time.Millisecond}})
			w.call(t, func(ctx context.Context) {
				req := agent.Request{URL: "http://holes.example:" + port}
				var e *agent.Error
				for range 2 { // the second gets the place of the first
					if err := a.Do(ctx, &req, nil); !errors.As(err, &e) || e.Op != "dial" || !e.Timeout() {
						t.Errorf("%v", err)
					}
				}
				ctx, cancel := context.WithCancel(ctx)
				timer := time.AfterFunc(10*time.Millisecond, cancel)
				defer timer.Stop()
				if err := a.Do(ctx, &req, nil); !errors.Is(err, context.Canceled) {
					t.Errorf("%v", err)
				}
			})
			simnet.Eventually(t, "the places to be given back", func() bool { return len(a.Sockets()) == 0 })
		})
	}
}

// A connection that is made after another has won is closed.
func TestLateConnectionIsClosed(t *testing.T) {
	for _, w := range ways()[:2] {
		t.Run(w.name, func(t *testing.T) {
			checkLeaks(t)
			s := newServer(t, func(http.ResponseWriter, *http.Request) {})
			_, port, _ := net.SplitHostPort(s.Listener.Addr().String())
			newNames(t, &names{answers: map[string][]string{"hole.example": {"127.0.0.2", "127.0.0.1"}}})
			h := newHole(t, "127.0.0.2:"+port)
			a := newAgent(t, &agent.Agent{KeepAlive: true})
			w.call(t, func(ctx context.Context) {
				var req agent.Request
				var res agent.Response
				req.URL = "http://hole.example:" + port
				ask(t, a, ctx, &req, &res)
				own := map[string]bool{}
				for _, c := range h.fillers {
					own[c.LocalAddr().String()] = true
				}
				late := make(chan error, 1)
				go func() {
					for {
						c, err := h.l.Accept()
						if err != nil {
							late <- err
							return
						}
						if own[c.RemoteAddr().String()] {
							_ = c.Close()
							continue
						}
						_ = c.SetDeadline(time.Now().Add(simnet.Patience))
						_, err = io.ReadAll(c)
						late <- err
						_ = c.Close()
						return
					}
				}()
				if err := simnet.Receive(t, late, "the late connection"); err != nil {
					t.Error(err)
				}
				if n := sum(a.Sockets()) + sum(a.FreeSockets()); n > 1 {
					t.Errorf("%d sockets", n)
				}
			})
		})
	}
}
