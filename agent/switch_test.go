// Another protocol: how the wish for it is passed on, and a server that switches unasked.

package agent_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/gale-http/gale/agent"
	"github.com/gale-http/gale/engine"
	"github.com/gale-http/gale/internal/simnet"
)

// passedOn returns the fields of a request, as a server gets them, that Forward has passed on.
func passedOn(t *testing.T, request string, upgrade func(*agent.Response, net.Conn, []byte)) []string {
	t.Helper()
	heads := make(chan string, 1)
	back := script(t, func(c net.Conn) {
		heads <- simnet.ReadHead(c)
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
	})
	a := newAgent(t, new(agent.Agent))
	front := &engine.Server{Loops: 1, Handler: func(in *engine.Request, out *engine.Response) {
		var req agent.Request
		var res agent.Response
		defer res.Close()
		req.URL, req.On.Upgrade = back, upgrade
		if err := req.Forward(in); err != nil {
			t.Error(err)
		}
		if err := a.Do(in.Context(), &req, &res); err != nil {
			t.Error(err)
		}
	}}
	if err := front.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	defer front.Close()
	c, err := net.Dial("tcp", front.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, request); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(wait(t, heads, "the request"), "\r\n")
	simnet.ReadHead(c)
	return lines
}

func TestForwardPassesTheWishForAnotherProtocolOn(t *testing.T) {
	listens := func(*agent.Response, net.Conn, []byte) {}
	for _, c := range []struct {
		version, connection string
		upgrade             func(*agent.Response, net.Conn, []byte)
		passed              bool
	}{
		{"1.1", "Upgrade", listens, true},
		{"1.1", "x-hop, upgrade, keep-alive", listens, true},
		{"1.1", "Upgrade", nil, false},
		{"1.1", "keep-alive", listens, false}, // it is nobody's wish then (RFC 9110 §7.8)
		{"1.0", "Upgrade", listens, false},
	} {
		request := fmt.Sprintf("GET / HTTP/%s\r\nHost: a\r\nConnection: %s\r\nUpgrade: first/1\r\nX-Hop: 1\r\nX-End: 1\r\nupgrade: second\r\n\r\n", c.version, c.connection)
		lines := passedOn(t, request, c.upgrade)
		for _, line := range []string{"Connection: Upgrade", "Upgrade: first/1", "upgrade: second"} {
			if slices.Contains(lines, line) != c.passed {
				t.Errorf("HTTP/%s, Connection: %s, heard %v: %q", c.version, c.connection, c.upgrade != nil, lines)
			}
		}
		if !slices.Contains(lines, "X-End: 1") || slices.Contains(lines, "X-Hop: 1") && strings.Contains(c.connection, "x-hop") {
			t.Errorf("the other fields: %q", lines)
		}
	}
}

// A server that switches although nobody has asked it to: whoever listens gets the socket,
// also where the socket was used before; to others it is an error.
func TestSwitchUnasked(t *testing.T) {
	for _, w := range ways() {
		for _, listens := range []bool{true, false} {
			t.Run(fmt.Sprint(w.name, ", heard ", listens), func(t *testing.T) {
				url := script(t, func(c net.Conn) {
					for range 2 {
						simnet.ReadHead(c)
						_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
					}
					simnet.ReadHead(c)
					_, _ = io.WriteString(c, "HTTP/1.1 101 So what\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nhi")
					_, _ = io.Copy(c, c)
				})
				a := newAgent(t, &agent.Agent{KeepAlive: true})
				w.call(t, func(ctx context.Context) {
					var req agent.Request
					var res agent.Response
					defer res.Close()
					var socket net.Conn
					var head string
					req.URL = url
					if listens {
						req.On.Upgrade = func(_ *agent.Response, s net.Conn, h []byte) { socket, head = s, string(h) }
					}
					for range 2 {
						if status, body := ask(t, a, ctx, &req, &res); status != 200 || body != "ok" {
							t.Errorf("%d %q", status, body)
						}
					}
					err := a.Do(ctx, &req, &res)
					if !listens {
						if !errors.Is(err, agent.ErrTunnel) {
							t.Errorf("nobody listens: %v", err)
						}
						return
					}
					if err != nil || socket == nil {
						t.Errorf("%v, socket %v", err, socket)
						return
					}
					defer socket.Close()
					if _, err := io.WriteString(socket, "echo"); err != nil {
						t.Error(err)
					}
					rest := make([]byte, 6-len(head))
					if _, err := io.ReadFull(socket, rest); head+string(rest) != "hiecho" || err != nil {
						t.Errorf("%q %q, %v", head, rest, err)
					}
					if n := sum(a.Sockets()) + sum(a.FreeSockets()); n != 0 {
						t.Errorf("%d sockets are the agent's still", n)
					}
				})
			})
		}
	}
}
