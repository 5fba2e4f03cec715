// Ends of connections that end a response, and those that do not: over TLS only a close_notify
// does (RFC 9112 §9.8), over TCP only a FIN.

package agent_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"

	"github.com/gale-http/gale/agent"
	"github.com/gale-http/gale/agent/nethttp"
	"github.com/gale-http/gale/internal/simnet"
)

// secureScript is script over TLS; under is the connection beneath. It returns what a client needs
// to trust the server.
func secureScript(t *testing.T, serve func(c *tls.Conn, under *net.TCPConn)) (url string, trust *tls.Config) {
	t.Helper()
	a := simnet.NewAuthority(t)
	config := &tls.Config{Certificates: []tls.Certificate{a.Issue(t, "gale.test")}}
	address := simnet.Serve(t, func(under net.Conn) {
		c := tls.Server(under, config)
		if c.Handshake() == nil {
			serve(c, under.(*net.TCPConn))
		}
	})
	return "https://" + address + "/", &tls.Config{RootCAs: a.Pool}
}

// bodies are responses whose body so far is "part", and their framing.
var bodies = []struct {
	name, answer string
	whole        bool // its framing says that it is complete
	until        bool // it is delimited by the end of the connection
}{
	{name: "until close", answer: "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\npart", until: true},
	{name: "until close, HTTP/1.0", answer: "HTTP/1.0 200 OK\r\n\r\npart", until: true},
	{name: "a length", answer: "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\npart", whole: true},
	{name: "chunks", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\n0\r\n\r\n", whole: true},
	{name: "a length, cut", answer: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\npart"},
	{name: "chunks, cut", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\n"},
}

// ends are the ways in which the connection may end after that.
var ends = []struct {
	name string
	end  func(c *tls.Conn, under *net.TCPConn)
	told bool  // there was a close_notify
	want error // of a response delimited by the connection's end; nil: any
}{
	{name: "close_notify", end: func(c *tls.Conn, _ *net.TCPConn) { _ = c.Close() }, told: true},
	{name: "close_notify alone", end: func(c *tls.Conn, _ *net.TCPConn) {
		_ = c.CloseWrite()
		_, _ = io.Copy(io.Discard, c)
	}, told: true},
	{name: "FIN", end: func(_ *tls.Conn, under *net.TCPConn) { _ = under.Close() }, want: agent.ErrNoCloseNotify},
	{name: "FIN in a record", end: func(_ *tls.Conn, under *net.TCPConn) {
		_, _ = under.Write([]byte{23, 3, 3, 0, 99, 1, 2})
		_ = under.Close()
	}, want: agent.ErrNoCloseNotify},
	{name: "reset", end: func(_ *tls.Conn, under *net.TCPConn) {
		_ = under.SetLinger(0)
		_ = under.Close()
	}},
}

// readPart reads the rest of a response, and returns the error that it ended with. Bytes that a
// reset has dropped may be missing.
func readPart(t *testing.T, r io.Reader) error {
	t.Helper()
	body, err := io.ReadAll(r)
	if string(body) != "part" && !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("got %q, %v", body, err)
	}
	return err
}

func TestEndsOverTLS(t *testing.T) {
	for _, w := range ways() {
		for _, body := range bodies {
			for _, end := range ends {
				t.Run(w.name+"/"+body.name+"/"+end.name, func(t *testing.T) {
					checkLeaks(t)
					url, trust := secureScript(t, func(c *tls.Conn, under *net.TCPConn) {
						simnet.ReadHead(c)
						_, _ = io.WriteString(c, body.answer)
						end.end(c, under)
					})
					a := newAgent(t, &agent.Agent{KeepAlive: true, TLS: trust})
					w.call(t, func(ctx context.Context) {
						var res agent.Response
						err := a.Do(ctx, &agent.Request{URL: url}, &res)
						if err == nil {
							err = readPart(t, &res)
						}
						judgeEnd(t, err, body.whole || body.until && end.told, body.until, end.want)
						_ = res.Close()
					})
				})
			}
		}
	}
}

// judgeEnd checks the error of a response. whole says whether the response is complete; until,
// that it is delimited by the connection's end, and that its error must be want.
func judgeEnd(t *testing.T, err error, whole, until bool, want error) {
	t.Helper()
	var typed *agent.Error
	switch {
	case whole:
		if err != nil && !errors.Is(err, syscall.ECONNRESET) { // a reset may overtake bytes that have not been read
			t.Errorf("a whole answer has ended with %v", err)
		}
	case !errors.As(err, &typed):
		t.Errorf("it looks whole: %v", err)
	case errors.Is(err, syscall.ECONNRESET):
	case !errors.Is(err, agent.ErrUnexpectedEOF), until && want != nil && !errors.Is(err, want), !until && errors.Is(err, agent.ErrNoCloseNotify):
		t.Errorf("it has ended with %v", err)
	}
}

// The same through net/http's names, where every such end is an io.ErrUnexpectedEOF.
func TestEndsOverTLSForNetHTTP(t *testing.T) {
	for _, portable := range []bool{false, true} {
		for _, body := range bodies {
			for _, end := range ends[:4] {
				url, trust := secureScript(t, func(c *tls.Conn, under *net.TCPConn) {
					simnet.ReadHead(c)
					_, _ = io.WriteString(c, body.answer)
					end.end(c, under)
				})
				a := newAgent(t, &agent.Agent{Portable: portable, TLS: trust})
				client := &http.Client{Transport: &nethttp.Transport{Agent: a}}
				res, err := client.Get(url)
				if err != nil {
					t.Fatal(err)
				}
				err = readPart(t, res.Body)
				_ = res.Body.Close()
				if whole := body.whole || body.until && end.told; whole && err != nil || !whole && !errors.Is(err, io.ErrUnexpectedEOF) ||
					errors.Is(err, agent.ErrNoCloseNotify) != (body.until && !whole) {
					t.Errorf("%s, %s: %v", body.name, end.name, err)
				}
			}
		}
	}
}

// With TLS to a proxy, the end of that TLS decides whether a response is complete.
func TestEndsOverTLSToAProxy(t *testing.T) {
	for _, w := range ways() {
		for _, end := range ends[:4] {
			t.Run(w.name+"/"+end.name, func(t *testing.T) {
				checkLeaks(t)
				url, trust := secureScript(t, func(c *tls.Conn, under *net.TCPConn) {
					simnet.ReadHead(c)
					_, _ = io.WriteString(c, bodies[0].answer)
					end.end(c, under)
				})
				a := newAgent(t, &agent.Agent{TLS: trust})
				w.call(t, func(ctx context.Context) {
					var res agent.Response
					req := agent.Request{URL: "http://origin.test/", Route: agent.Route{Proxy: strings.TrimSuffix(url, "/")}}
					if err := a.Do(ctx, &req, &res); err != nil {
						t.Fatal(err)
					}
					judgeEnd(t, readPart(t, &res), end.told, true, end.want)
					_ = res.Close()
				})
			})
		}
	}
}

// A reset that a write has run into is not taken for the end of a response by the reader, although
// the kernel reports it only once.
func TestResetThatAWriteHasMet(t *testing.T) {
	for _, w := range ways() {
		t.Run(w.name, func(t *testing.T) {
			checkLeaks(t)
			reset := make(chan struct{})
			url := script(t, func(c net.Conn) {
				simnet.ReadHead(c)
				_, _ = io.WriteString(c, "HTTP/1.0 200 OK\r\n\r\npart")
				var b [1]byte
				_, _ = io.ReadFull(c, b[:]) // the client has received the head
				_ = c.(*net.TCPConn).SetLinger(0)
				_ = c.Close()
				close(reset)
			})
			a := newAgent(t, &agent.Agent{KeepAlive: true})
			w.call(t, func(ctx context.Context) {
				req := a.NewRequest(ctx, &agent.Request{URL: url, Method: "POST"})
				if err := req.FlushHeaders(); err != nil {
					t.Fatal(err)
				}
				res, err := req.Receive()
				if err != nil {
					t.Fatal(err)
				}
				_, _ = io.WriteString(req, "x")
				simnet.Receive(t, reset, "the reset")
				for range 100 { // the reset may take a moment to arrive
					_, _ = io.WriteString(req, "x")
				}
				if err := readPart(t, res); err == nil {
					t.Error("it looks whole")
				}
				_ = res.Close()
			})
		})
	}
}
