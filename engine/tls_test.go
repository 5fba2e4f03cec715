// TLS on every driver: what a client sees of it, what a handler sees of the client,
// and whatever may go wrong in a handshake. The client is crypto/tls; curl, openssl and
// Node come in tlsprograms_test.go.

package engine_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
	"weak"

	"github.com/gale-http/gale/engine"
	"github.com/gale-http/gale/internal/simnet"
)

// secure is a server under test with TLS, and what a client needs to trust it.
type secure struct {
	*server
	authority *simnet.Authority
	client    *tls.Config
}

// prepareTLS returns a server with TLS that does not listen yet.
func prepareTLS(t testing.TB, d driver, h engine.Handler) *secure {
	t.Helper()
	a := simnet.NewAuthority(t)
	s := &secure{prepare(t, d, h), a, &tls.Config{RootCAs: a.Pool, ServerName: "gale.test"}}
	s.TLS = &tls.Config{Certificates: []tls.Certificate{a.Issue(t, "gale.test")}}
	return s
}

func startTLS(t testing.TB, d driver, h engine.Handler) *secure {
	t.Helper()
	s := prepareTLS(t, d, h)
	s.listen()
	return s
}

// dialTLS connects and shakes hands with the config, the server's own when nil.
func (s *secure) dialTLS(config *tls.Config) *client {
	s.t.Helper()
	if config == nil {
		config = s.client
	}
	c := tls.Client(s.dial().Conn, config)
	if err := c.Handshake(); err != nil {
		s.t.Fatal(err)
	}
	return newClient(s.t, c)
}

func TestTLS(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			s := startTLS(t, d, routes(map[string]engine.Handler{
				"/report": report,
				"/tls": func(req *engine.Request, res *engine.Response) {
					state := req.Socket().TLS()
					_ = res.EndString(fmt.Sprint(state.Version, state.ServerName, state.NegotiatedProtocol))
				},
				"/large": func(_ *engine.Request, res *engine.Response) { _ = pattern(res, 3<<20) },
			}))
			config := s.client.Clone()
			config.MaxVersion, config.NextProtos = version, []string{"http/1.1"}
			c := s.dialTLS(config)
			c.get("/", "hello")
			c.get("/tls", fmt.Sprint(version, "gale.test", "http/1.1"))
			c.send(request("/") + request("/") + request("/"))
			for range 3 {
				c.expect(200, "hello")
			}
			body := strings.Repeat("0123456789abcdef", 200_000)
			go func() { _, _ = io.WriteString(c, post("/report", body)) }()
			c.expect(200, body)
			c.send(request("/large") + request("/"))
			var want bytes.Buffer
			_ = pattern(&want, 3<<20)
			c.expect(200, want.String())
			c.expect(200, "hello")
			c.send("nonsense\r\n\r\n")
			if rest := c.ended(); statusOf(rest) != "400" {
				t.Errorf("nonsense is answered with %q", rest)
			}
		}
	})
}

// A connection at rest keeps no worker, whatever it has done before.
func TestTLSRestsWithoutAWorker(t *testing.T) {
	if !havePoller {
		t.Skip("without a poller every connection has a goroutine")
	}
	s := startTLS(t, drivers[0], hello)
	before := runtime.NumGoroutine()
	for range 50 {
		s.dialTLS(nil).get("/", "hello")
	}
	if !simnet.Becomes(func() bool { return runtime.NumGoroutine() <= before+2 }) {
		t.Errorf("%d goroutines have become %d\n%s", before, runtime.NumGoroutine(), simnet.Stacks())
	}
	slots, buffers := 0, 0
	if !simnet.Becomes(func() bool { slots, buffers = s.Held(); return buffers == 0 }) { // the last may be about to rest
		t.Errorf("%d connections at rest hold %d buffers", slots-1, buffers)
	}
}

func TestTLSServerName(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		s := prepareTLS(t, d, hello)
		certs := map[string]tls.Certificate{"one.test": s.authority.Issue(t, "one.test"), "two.test": s.authority.Issue(t, "two.test")}
		s.TLS = &tls.Config{GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			if hello.Conn.RemoteAddr().String() == "" || hello.Conn.LocalAddr().String() != s.Addr().String() {
				return nil, fmt.Errorf("called for %v at %v", hello.Conn.RemoteAddr(), hello.Conn.LocalAddr())
			}
			cert := certs[hello.ServerName]
			return &cert, nil
		}}
		s.listen()
		for name := range certs {
			c := s.dialTLS(&tls.Config{RootCAs: s.authority.Pool, ServerName: name})
			c.get("/", "hello")
			if got := c.Conn.(*tls.Conn).ConnectionState().PeerCertificates[0].DNSNames[0]; got != name {
				t.Errorf("%s shows the certificate of %s", name, got)
			}
		}
	})
}

func TestTLSClientCertificates(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		s := prepareTLS(t, d, func(req *engine.Request, res *engine.Response) {
			_ = res.EndString(req.Socket().TLS().PeerCertificates[0].Subject.CommonName)
		})
		s.TLS.ClientCAs, s.TLS.ClientAuth = s.authority.Pool, tls.RequireAndVerifyClientCert
		s.listen()
		known := s.client.Clone()
		known.Certificates = []tls.Certificate{s.authority.Issue(t, "alice")}
		s.dialTLS(known).get("/", "alice")
		stranger := s.client.Clone()
		stranger.Certificates = []tls.Certificate{simnet.NewAuthority(t).Issue(t, "mallory")}
		for _, config := range []*tls.Config{s.client, stranger} {
			c := tls.Client(s.dial().Conn, config)
			_, _ = io.WriteString(c, request("/"))
			var alert *net.OpError
			if _, err := c.Read(make([]byte, 1)); !errors.As(err, &alert) || alert.Op != "remote error" {
				t.Errorf("got %v, want an alert", err)
			}
			untilLogged(t, s.server, "no TLS with 127.0.0.1")
		}
	})
}

// The second connection resumes the session of the first.
func TestTLSResumes(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			s := startTLS(t, d, hello)
			config := s.client.Clone()
			config.MaxVersion, config.ClientSessionCache = version, tls.NewLRUClientSessionCache(1)
			for i := range 2 {
				c := s.dialTLS(config)
				c.get("/", "hello")
				if resumed := c.Conn.(*tls.Conn).ConnectionState().DidResume; resumed != (i == 1) {
					t.Errorf("connection %d of %x: resumed is %t", i, version, resumed)
				}
				_ = c.Close()
			}
		}
	})
}

// net/http's own server takes HTTP/2 on the same port.
func TestNextProto(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		s := prepareTLS(t, d, hello)
		handed := newHandedListener()
		second := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			fmt.Fprintf(w, "%s %s %d", r.Proto, r.TLS.ServerName, len(body))
		})}
		served := make(chan error, 1)
		go func() { served <- second.Serve(handed) }()
		s.NextProto = map[string]func(*tls.Conn){"h2": handed.hand}
		s.TLS.NextProtos = []string{"h2", "http/1.1"}
		s.listen()
		transport := &http.Transport{TLSClientConfig: s.client.Clone(), ForceAttemptHTTP2: true}
		two := &http.Client{Transport: transport, Timeout: simnet.Patience}
		body := strings.Repeat("x", 1<<20)
		for range 3 {
			res, err := two.Post("https://"+s.Addr().String(), "text/plain", strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			text, _ := io.ReadAll(res.Body)
			_ = res.Body.Close()
			if want := fmt.Sprint("HTTP/2.0 gale.test ", len(body)); string(text) != want {
				t.Errorf("got %q, want %q", text, want)
			}
		}
		s.dialTLS(nil).get("/", "hello")
		if n := s.Connections(); n != 1 {
			t.Errorf("%d connections are ours, want 1", n)
		}
		transport.CloseIdleConnections()
		ctx, cancel := context.WithTimeout(t.Context(), simnet.Patience)
		defer cancel()
		if err := second.Shutdown(ctx); err != nil {
			t.Error(err)
		}
		<-served
	})
}

// handedListener is a net.Listener of connections that were accepted elsewhere.
type handedListener struct {
	conns chan net.Conn
	once  sync.Once
	done  chan struct{}
}

func newHandedListener() *handedListener {
	return &handedListener{conns: make(chan net.Conn), done: make(chan struct{})}
}

func (l *handedListener) hand(c *tls.Conn) {
	select {
	case l.conns <- c:
	case <-l.done:
		_ = c.Close()
	}
}

func (l *handedListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *handedListener) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

func (l *handedListener) Addr() net.Addr { return &net.TCPAddr{} }

// What a client offers, what the server knows, and what they agree on.
func TestALPN(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		other := make(chan string, 1)
		s := prepareTLS(t, d, hello)
		s.TLS.NextProtos = []string{"h2", "acme-tls/1"}
		s.NextProto = map[string]func(*tls.Conn){"echo": func(c *tls.Conn) {
			defer c.Close()
			other <- c.ConnectionState().NegotiatedProtocol
			_, _ = io.Copy(c, c)
		}}
		s.listen()
		for offer, want := range map[string]string{
			"": "", "http/1.1": "http/1.1", "h2 http/1.1": "http/1.1", "http/1.1 echo": "echo", "acme-tls/1": "acme-tls/1", "h2": "refused",
		} {
			config := s.client.Clone()
			config.NextProtos = strings.Fields(offer)
			c := tls.Client(s.dial().Conn, config)
			if err := c.Handshake(); err != nil {
				if want != "refused" {
					t.Errorf("%q: %v", offer, err)
				} else {
					untilLogged(t, s.server, "no TLS with 127.0.0.1")
				}
				continue
			}
			if got := c.ConnectionState().NegotiatedProtocol; got != want {
				t.Errorf("%q: agreed on %q, want %q", offer, got, want)
			}
			peer := newClient(t, c)
			switch want {
			case "echo":
				if got := simnet.Receive(t, other, "the other server"); got != "echo" {
					t.Errorf("the other server got %q", got)
				}
				peer.send("back and forth")
				if got := peer.readN(14); got != "back and forth" {
					t.Errorf("the other server sends %q", got)
				}
				_ = c.CloseWrite()
				if rest := peer.ended(); rest != "" {
					t.Errorf("then it sends %q", rest)
				}
			case "acme-tls/1":
				if rest := peer.ended(); rest != "" {
					t.Errorf("got %q after a handshake for its own sake", rest)
				}
			default:
				peer.get("/", "hello")
			}
			_ = peer.Close()
		}
	})
}

func TestTLSConfigIsChecked(t *testing.T) {
	s := &engine.Server{Handler: hello, TLS: &tls.Config{}}
	if err := s.Listen("tcp", "127.0.0.1:0"); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("a server without a certificate: %v", err)
	}
	_ = s.Close()
}

// A client that is silent, or slow, in its handshake is cut; nobody else notices.
func TestTLSHandshakeTimeout(t *testing.T) {
	allDrivers(t, func(t *testing.T, d driver) {
		s := prepareTLS(t, d, hello)
		s.Timeouts.Handshake = time.Second
		s.listen()
		var slow []*client
		for i := range 10 {
			c := s.dial()
			if i%2 == 1 {
				c.send("\x16\x03\x01")
			}
			slow = append(slow, c)
		}
		s.dialTLS(nil).get("/", "hello")
		for _, c := range slow {
			if rest := c.cut(); rest != "" {
				t.Errorf("got %q", rest)
			}
		}
		untilLogged(t, s.server, "took too long")
		s.log.take()
	})
}

// Plain HTTP gets an answer in plain text; anything else is cut off.
func TestTLSWithoutTLS(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		s := startTLS(t, d, hello)
		for _, method := range []string{"GET", "POST", "DELETE", "OPTIONS"} {
			c := s.dial()
			c.send(method + " / HTTP/1.1\r\nHost: a\r\n\r\n")
			if rest := c.ended(); statusOf(rest) != "400" || !strings.Contains(rest, "Connection: close") {
				t.Errorf("%s is answered with %q", method, rest)
			}
			_ = c.Close()
		}
		c := s.dial()
		c.send("\x80\x00rubbish")
		c.cut()
		_ = c.Close()
		untilLogged(t, s.server, "no TLS with 127.0.0.1")
		c = s.dial() // one that thinks better of it
		_ = c.Close()
		if !simnet.Becomes(func() bool { return s.Connections() == 0 }) {
			t.Errorf("%d connections are left", s.Connections())
		}
	})
}

// Events.ClientError is called for failed handshakes too.
func TestTLSClientError(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		got := make(chan error, 1)
		s := prepareTLS(t, d, hello)
		s.On.ClientError = func(err error, socket *engine.Socket) {
			if socket.RemoteAddr() == nil || socket.TLS() != nil {
				t.Errorf("the socket of a failed handshake: %v, %v", socket.RemoteAddr(), socket.TLS())
			}
			got <- err
		}
		s.listen()
		c := tls.Client(s.dial().Conn, &tls.Config{ServerName: "gale.test"}) // trusts nobody
		_ = c.Handshake()
		var alert *net.OpError
		if err := simnet.Receive(t, got, "the error"); !errors.As(err, &alert) {
			t.Errorf("a client that sends an alert: %v", err)
		}
		plain := s.dial()
		plain.send(request("/"))
		var bad *engine.ProtocolError
		if err := simnet.Receive(t, got, "the error"); !errors.As(err, &bad) || bad.Status != 400 {
			t.Errorf("a client without TLS: %v", err)
		}
	})
}

// A function of the config that blocks delays nobody else, and one that does not return ends only
// its connection.
func TestTLSCallbacks(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		s := prepareTLS(t, d, hello)
		cert, proceed, blocked := s.TLS.Certificates[0], make(chan struct{}), make(chan struct{}, 1)
		s.TLS = &tls.Config{GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			switch hello.ServerName {
			case "blocks.test":
				blocked <- struct{}{}
				<-proceed
			case "panics.test":
				panic("the reason")
			case "exits.test":
				runtime.Goexit()
			case "fails.test":
				return nil, errors.New("the cause")
			}
			return &cert, nil
		}}
		s.listen()
		config := func(name string) *tls.Config {
			return &tls.Config{RootCAs: s.authority.Pool, ServerName: name, InsecureSkipVerify: true}
		}
		late := make(chan error, 1)
		go func() {
			c, err := tls.DialWithDialer(&net.Dialer{Timeout: simnet.Patience}, "tcp", s.Addr().String(), config("blocks.test"))
			if err == nil {
				_ = c.SetDeadline(time.Now().Add(simnet.Patience))
				_, err = io.WriteString(c, request("/"))
				if _, err := http.ReadResponse(newClient(t, c).in, nil); err != nil {
					t.Error(err)
				}
				_ = c.Close()
			}
			late <- err
		}()
		simnet.Receive(t, blocked, "the function to block")
		for range 3 {
			s.dialTLS(nil).get("/", "hello")
		}
		for name, words := range map[string]string{"panics": "the reason", "exits": "Goexit", "fails": "the cause"} {
			c := tls.Client(s.dial().Conn, config(name+".test"))
			if err := c.Handshake(); err == nil {
				t.Errorf("%s: the handshake succeeds", name)
			}
			untilLogged(t, s.server, words)
		}
		close(proceed)
		if err := simnet.Receive(t, late, "the late handshake"); err != nil {
			t.Error(err)
		}
		s.dialTLS(nil).get("/", "hello")
	})
}

// Connections in every state when the server ends.
func TestTLSEnds(t *testing.T) {
	for _, how := range []string{"close", "shutdown"} {
		allDrivers(t, func(t *testing.T, d driver) {
			proceed, here := make(chan struct{}), make(chan struct{})
			s := prepareTLS(t, d, routes(map[string]engine.Handler{"/slow": func(_ *engine.Request, res *engine.Response) {
				close(here)
				<-proceed
				_ = res.EndString("at last")
			}}))
			s.Timeouts.Handshake = time.Second
			s.listen()
			idle, busy, fresh, half := s.dialTLS(nil), s.dialTLS(nil), s.dial(), s.dial()
			idle.get("/", "hello")
			half.send("\x16\x03\x01")
			busy.send(request("/slow"))
			simnet.Receive(t, here, "the handler")
			ended := make(chan error, 1)
			go func() {
				if how == "close" {
					ended <- s.Close()
					return
				}
				ctx, cancel := context.WithTimeout(context.Background(), simnet.Patience)
				defer cancel()
				ended <- s.Shutdown(ctx)
			}()
			if rest := idle.cut(); rest != "" {
				t.Errorf("the idle one got %q", rest)
			}
			close(proceed)
			if how == "shutdown" {
				if got := busy.expect(200, "at last"); !got.Close {
					t.Error("the last answer does not say that it is")
				}
			}
			busy.cut()
			fresh.cut()
			half.cut()
			_, _ = fresh.Close(), half.Close()
			if err := simnet.Receive(t, ended, "the end"); err != nil {
				t.Error(err)
			}
		})
	}
}

// A handler learns that its client has gone.
func TestTLSContext(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		here, gone := make(chan struct{}), make(chan struct{})
		s := startTLS(t, d, func(req *engine.Request, res *engine.Response) {
			ctx := req.Context()
			close(here)
			if d.portable {
				_, _ = readAll(req) // that driver hears by reading
			}
			<-ctx.Done()
			close(gone)
		})
		c := s.dialTLS(nil)
		c.send(headOf("/", 4))
		simnet.Receive(t, here, "the handler")
		_ = c.Close()
		if !d.portable {
			simnet.Receive(t, gone, "the context to end")
		}
		_ = s.Close()
	})
}

// A client that closes its side, within TLS, still gets its answer.
func TestTLSHalfClosed(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		s := startTLS(t, d, report)
		c := s.dialTLS(nil)
		c.send(post("/", "body"))
		if err := c.Conn.(*tls.Conn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		c.expect(200, "body")
		if rest := c.ended(); rest != "" {
			t.Errorf("behind it came %q", rest)
		}
	})
}

// A connection that a handler has taken over speaks TLS for any goroutine.
func TestTLSHijacked(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		s := startTLS(t, d, func(_ *engine.Request, res *engine.Response) {
			socket, head, err := res.Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			go func() {
				defer socket.Close()
				_, _ = socket.Write(head)
				_, _ = io.Copy(struct{ io.Writer }{socket}, struct{ io.Reader }{socket})
				_, _ = io.WriteString(socket, socket.TLS().ServerName)
			}()
		})
		c := s.dialTLS(nil)
		c.send(request("/") + "head")
		if got := c.readN(4); got != "head" {
			t.Errorf("got %q", got)
		}
		text := strings.Repeat("there and back ", 50_000)
		go func() {
			_, _ = io.WriteString(c, text)
			_ = c.Conn.(*tls.Conn).CloseWrite()
		}()
		if got := c.ended(); got != text+"gale.test" {
			t.Errorf("%d bytes came back, want %d", len(got), len(text)+9)
		}
	})
}

// A listener may bring TLS of its own.
func TestTLSOfTheListener(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		s := prepareTLS(t, d, func(req *engine.Request, res *engine.Response) {
			_ = res.EndString(req.Socket().TLS().ServerName)
		})
		config := s.TLS
		s.TLS = nil
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		served := make(chan error, 1)
		go func() { served <- s.Serve(tls.NewListener(l, config)) }()
		if !simnet.Becomes(func() bool { return s.Addr() != nil }) {
			t.Fatal("it does not listen")
		}
		c := s.dialTLS(nil)
		c.get("/", "gale.test")
		c.get("/", "gale.test")
		_ = s.Close()
		if err := simnet.Receive(t, served, "Serve"); err != nil {
			t.Error(err)
		}
	})
}

// A connection of such a listener whose client has chosen another protocol by ALPN belongs to the
// protocol's function: the server forgets it when that has closed it, and closes it when the server
// is closed.
func TestNextProtoOfTheListener(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		s := prepareTLS(t, d, hello)
		config := s.TLS
		s.TLS, config.NextProtos = nil, []string{"other"}
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		const n = 10
		given, began := make(chan weak.Pointer[tls.Conn], n), make(chan struct{})
		s.On.Listening = func() { close(began) }
		s.NextProto = map[string]func(*tls.Conn){"other": func(c *tls.Conn) {
			defer c.Close()
			given <- weak.Make(c)
			_, _ = io.Copy(c, c)
		}}
		go func() { _ = s.Serve(tls.NewListener(l, config)) }()
		simnet.Receive(t, began, "Serve to begin")
		client := s.client.Clone()
		client.NextProtos = []string{"other"}
		last := s.dialTLS(client)
		simnet.Receive(t, given, "the connection that stays")
		for range n {
			c := s.dialTLS(client)
			c.send("back")
			if got := c.readN(4); got != "back" {
				t.Errorf("got %q", got)
			}
			_ = c.Close()
		}
		for range n {
			c := simnet.Receive(t, given, "a connection")
			collected := func() bool {
				runtime.GC()
				return c.Value() == nil
			}
			if !simnet.Becomes(collected) {
				t.Fatal("a connection that was closed is kept")
			}
		}
		last.send("there")
		if got := last.readN(5); got != "there" {
			t.Errorf("got %q", got)
		}
		_ = s.Close()
		if _, err := last.Read(make([]byte, 1)); err == nil {
			t.Error("the server has closed, and its connection is open")
		}
	})
}
