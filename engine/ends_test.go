// Orderly ends of connections, from either side; cuts_test.go has the others.

package engine_test

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/gale-http/gale/engine"
	"github.com/gale-http/gale/internal/simnet"
)

// A complete answer whose end is that of its connection ends in good order, over TLS with a
// close_notify, however slow its client is and wherever its handler has run.
func TestWholeAnswersEndInOrder(t *testing.T) {
	const size = 8 << 20
	handlers := map[string]func(req *engine.Request, res *engine.Response){
		"/write": func(_ *engine.Request, res *engine.Response) { _, _ = res.Write(make([]byte, size)) },
		"/late": func(req *engine.Request, res *engine.Response) {
			req.Block()
			_, _ = res.Write(make([]byte, size))
		},
		"/pieces": func(_ *engine.Request, res *engine.Response) {
			for range size / 1000 {
				_, _ = res.Write(make([]byte, 1000))
			}
			_ = res.End(make([]byte, size%1000))
		},
		"/unread": func(req *engine.Request, res *engine.Response) { // so that it lingers
			_, _ = res.Write(make([]byte, size))
		},
		"/from": func(_ *engine.Request, res *engine.Response) {
			_ = res.Flush()
			f := nothing(size)
			defer f.Close()
			_, _ = res.ReadFrom(f)
		},
	}
	eachDriver(t, func(t *testing.T, d driver) {
		for _, way := range ways(d) {
			for path, handler := range handlers {
				t.Run(way+path, func(t *testing.T) {
					dial := listenAs(t, d, way, func(*server) {}, handler)
					c, e := dial()
					c.send("POST " + path + " HTTP/1.0\r\nContent-Length: 4\r\n\r\n")
					if path != "/unread" {
						c.send("body")
					}
					a := c.next("POST")
					if len(a.body) != size || strings.Trim(a.body, "\x00") != "" {
						t.Errorf("got %d bytes", len(a.body))
					}
					if _, err := c.in.ReadByte(); err != io.EOF {
						t.Errorf("the end is %v", err)
					}
					if !e.secure && e.err != io.EOF {
						t.Errorf("the connection has ended with %v", e.err)
					}
				})
			}
		}
	})
}

// nothing is a reader of that many zeros.
type zeros struct{ io.Reader }

func nothing(n int64) zeros { return zeros{io.LimitReader(zero{}, n)} }

// Close implements io.Closer.
func (zeros) Close() error { return nil }

type zero struct{}

// Read implements io.Reader.
func (zero) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// A close_notify that meets a reset consumes the kernel's error: the next read then finds the end
// of the stream, which crypto/tls takes for that of TLS. So a client that needs to know must watch
// the connection underneath, as the clients of these tests do (endings).
func TestResetThatACloseNotifyHasMet(t *testing.T) {
	if !havePoller {
		t.Skip("what is told is the kernel's of systems with a poller")
	}
	s := startTLS(t, drivers[0], routes(map[string]engine.Handler{"/cut": func(_ *engine.Request, res *engine.Response) {
		_, _ = res.WriteString("begun")
		panic(engine.ErrAbort)
	}}))
	for _, listens := range []bool{false, true} {
		e := &endings{Conn: s.dial().Conn, secure: listens}
		over := tls.Client(e, s.client)
		if err := over.Handshake(); err != nil {
			t.Fatal(err)
		}
		c := newClient(t, over)
		c.send("GET /cut HTTP/1.0\r\n\r\n")
		if got := c.readN(len("HTTP/1.1 200 OK")); got != "HTTP/1.1 200 OK" {
			t.Errorf("got %q", got)
		}
		if !simnet.Becomes(func() bool { return s.Connections() == 0 }) {
			t.Fatal("the connection was not cut")
		}
		last := s.dialTLS(nil) // by now its loop has turned from the other one, which it was closing
		last.get("/", "hello")
		_ = last.Close()
		if err := over.CloseWrite(); err == nil {
			t.Fatal("the close_notify has met no reset")
		}
		rest, err := io.ReadAll(c.in)
		if !strings.HasSuffix(string(rest), "begun") || (err == nil) == listens {
			t.Errorf("listens: %v; %q, %v", listens, rest, err)
		}
	}
}

// A handler that has kept the socket may ask it for its TLS state at any time, also while the
// connection lingers after its last answer, when its TLS has been stripped.
func TestTLSOfWhatLingers(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		kept := make(chan *engine.Socket, 1)
		s := startTLS(t, d, func(req *engine.Request, res *engine.Response) {
			kept <- req.Socket()
			_ = res.SetHeader("Connection", "close")
			_ = res.EndString("last")
		})
		for range 8 {
			c := s.dialTLS(nil)
			c.send(headOf("/", 4)) // the body does not come: it lingers
			socket, over := simnet.Receive(t, kept, "the handler"), make(chan struct{})
			go func() {
				defer close(over)
				for socket.TLS() != nil {
				}
			}()
			c.expect(200, "last")
			_ = c.Close()
			simnet.Receive(t, over, "the end of the connection")
		}
	})
}

// A request that a TLS client leaves incomplete is answered with 400 or not at all, whether the
// client ends TLS or not. Its earlier requests are answered.
func TestTLSIncompleteRequests(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		for _, way := range ways(d)[1:] {
			taken := make(chan error, 1)
			dial := listenAs(t, d, way, func(*server) {}, routes(map[string]engine.Handler{"/take": func(req *engine.Request, res *engine.Response) {
				_, err := readAll(req)
				taken <- err
				_ = res.EndString("taken")
			}}))
			ends := map[string]func(c *client, e *endings){
				"close_notify": func(c *client, _ *endings) { c.closeWrite() },
				"FIN":          func(_ *client, e *endings) { _ = e.Conn.(*net.TCPConn).CloseWrite() },
				"FIN in a record": func(_ *client, e *endings) {
					_, _ = e.Conn.Write([]byte{23, 3, 3, 0, 99, 1})
					_ = e.Conn.(*net.TCPConn).CloseWrite()
				},
			}
			for name, end := range ends {
				for _, test := range []struct{ sent, status string }{
					{"", ""}, {"GET / HTTP/1.1\r\nHo", "400"}, {headOf("/take", 4) + "bod", "400"},
					{strings.Replace(headOf("/take", 0), "Content-Length: 0", "Transfer-Encoding: chunked", 1) + "3\r\nbod\r\n", "400"},
				} {
					c, e := dial()
					c.send(request("/") + test.sent)
					c.expect(200, "hello")
					end(c, e)
					rest, err := io.ReadAll(c.in)
					if err != nil || statusOf(string(rest)) != test.status {
						t.Errorf("%s, %s behind %q: %q, %v", way, name, test.sent, rest, err)
					}
					if strings.Contains(test.sent, "/take") {
						var bad *engine.ProtocolError
						if err := simnet.Receive(t, taken, "the handler"); !errors.As(err, &bad) || bad.Status != 400 {
							t.Errorf("%s, %s: the handler has read to %v", way, name, err)
						}
					}
				}
				// Complete, it is answered.
				c, e := dial()
				c.send(post("/", "body"))
				end(c, e)
				c.expect(200, "hello")
			}
		}
	})
}

// The holder of a connection that was taken over learns how it has ended.
func TestTLSEndsOfWhatWasHijacked(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		for _, way := range ways(d)[1:2] {
			for _, late := range []bool{false, true} {
				ended := make(chan error, 1)
				dial := listenAs(t, d, way, func(*server) {}, func(_ *engine.Request, res *engine.Response) {
					socket, _, err := res.Hijack()
					if err != nil {
						t.Error(err)
						return
					}
					read := func() {
						defer socket.Close()
						got, err := io.ReadAll(struct{ io.Reader }{socket})
						if string(got) != "tunnel" {
							t.Errorf("got %q", got)
						}
						_, _ = io.WriteString(socket, "back")
						ended <- err
					}
					if late {
						go read()
						return
					}
					read()
				})
				for name, test := range map[string]struct {
					end  func(c *client, e *endings)
					want error
				}{
					"close_notify": {func(c *client, _ *endings) { c.closeWrite() }, nil},
					"FIN":          {func(_ *client, e *endings) { _ = e.Conn.(*net.TCPConn).CloseWrite() }, io.ErrUnexpectedEOF},
				} {
					c, e := dial()
					c.send(request("/"))
					c.send("tunnel")
					test.end(c, e)
					if err := simnet.Receive(t, ended, "the handler"); err != test.want {
						t.Errorf("%s (late: %v): it ended with %v", name, late, err)
					}
					if got := c.ended(); got != "back" {
						t.Errorf("%s (late: %v): got %q", name, late, got)
					}
				}
			}
		}
	})
}

// TestEndOfOneIsNotTheNextOnes: a connection whose answer ended with it has no effect on the next
// one of its worker, whose first message is malformed: Events.ClientError can still answer that.
func TestEndOfOneIsNotTheNextOnes(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		for _, way := range ways(d) {
			dial := listenAs(t, d, way, func(s *server) {
				s.On.ClientError = func(_ error, socket *engine.Socket) {
					if _, err := io.WriteString(socket, "HTTP/1.1 400 Heard\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"); err != nil {
						t.Errorf("%s: %v", way, err)
					}
				}
			}, func(_ *engine.Request, res *engine.Response) { _, _ = res.Write([]byte("hello")) })
			for range 5 {
				c, _ := dial()
				c.send("GET / HTTP/1.0\r\n\r\n")
				if got := c.ended(); !strings.HasSuffix(got, "hello") {
					t.Errorf("%s: %q", way, got)
				}
				c, _ = dial()
				c.send("nonsense\r\n\r\n")
				if got := c.ended(); !strings.HasPrefix(got, "HTTP/1.1 400 Heard") {
					t.Errorf("%s: %q", way, got)
				}
			}
		}
	})
}
