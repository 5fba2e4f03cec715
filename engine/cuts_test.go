// Answers that are cut, in every possible way. Their clients must be able to tell: by the framing,
// or, where the end of the connection is the only end of the answer, by a reset. Over TLS no cut
// answer ends with a close_notify (RFC 9112 §8, §9.8; RFC 8446 §6.1).

package engine_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gale-http/gale/engine"
	"github.com/gale-http/gale/internal/simnet"
)

// cutting is an answer that is being cut: its first bytes have left.
type cutting struct {
	*server
	client  *client
	req     *engine.Request
	res     *engine.Response
	proceed chan struct{}
	left    chan struct{} // closed when the goroutine that the handler left behind has left its method; nil: there is none
	file    *os.File      // 64 MiB of it
}

// tooMany is more bytes than the sockets hold of an answer that nobody reads.
const tooMany = 64 << 20

// cuts are the ways. handle is the rest of the handler; the test lets it go on by sending the rest
// of the request's body and by proceed, or calls act instead.
var cuts = []struct {
	name    string
	prepare func(s *engine.Server)
	handle  func(k *cutting)
	act     func(k *cutting)
	slow    bool   // the client reads nothing before the handler has returned
	length  bool   // it takes a declared length
	log     string // a word of the log message
	without func(d driver) bool
}{
	{name: "panic", handle: func(k *cutting) { k.take(); panic("cut") }, log: "panic"},
	{name: "panic, late", handle: func(k *cutting) { <-k.proceed; panic("cut") }, log: "panic"},
	{name: "abort", handle: func(k *cutting) { k.take(); panic(engine.ErrAbort) }},
	{name: "abort, late", handle: func(k *cutting) { <-k.proceed; panic(engine.ErrAbort) }},
	{name: "Goexit", handle: func(k *cutting) { k.take(); runtime.Goexit() }, log: "Goexit"},
	{name: "Goexit, late", handle: func(k *cutting) { <-k.proceed; runtime.Goexit() }, log: "Goexit"},
	{name: "abort behind a half-close", handle: func(k *cutting) { k.take(); panic(engine.ErrAbort) },
		act: func(k *cutting) { k.client.send("bod"); k.client.closeWrite() }},
	{name: "abort behind a half-close, late", handle: func(k *cutting) { <-k.proceed; panic(engine.ErrAbort) },
		act: func(k *cutting) { k.client.send("body"); k.client.closeWrite(); close(k.proceed) }},
	{name: "the handler closes its socket", handle: func(k *cutting) { k.take(); _ = k.req.Socket().Close() }},
	{name: "a late handler closes its socket", handle: func(k *cutting) { <-k.proceed; _ = k.req.Socket().Close() }},
	{name: "somebody closes the socket", handle: func(k *cutting) {
		socket := k.req.Socket()
		go func() { <-k.proceed; _ = socket.Close() }()
		k.take()
	}, act: func(k *cutting) { close(k.proceed) }},
	{name: "Close, while it waits", handle: (*cutting).take, act: func(k *cutting) { k.closeNow() }},
	{name: "Close, while it blocks", handle: func(k *cutting) { <-k.req.Context().Done() }, act: func(k *cutting) { k.closeNow() }},
	{name: "Close, before it returns", handle: func(k *cutting) { <-k.proceed },
		act: func(k *cutting) { k.closeNow(); close(k.proceed) }},
	{name: "Shutdown, in vain", handle: func(k *cutting) { <-k.req.Context().Done() }, act: func(k *cutting) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
		defer cancel()
		_ = k.Shutdown(ctx)
	}},
	{name: "a timeout of writing", prepare: func(s *engine.Server) { s.Timeouts.Write = soon / 3 },
		handle: func(k *cutting) { _ = pattern(k.res, tooMany) }, slow: true},
	{name: "a deadline of writing", handle: func(k *cutting) {
		k.res.SetWriteDeadline(time.Now().Add(soon / 3))
		_ = pattern(k.res, tooMany)
	}, slow: true},
	{name: "a writer left behind", handle: func(k *cutting) {
		k.left = make(chan struct{})
		go func() {
			defer close(k.left)
			for err := engine.ErrBusy; err == engine.ErrBusy; { // until within's probe is not inside
				err = orPanics(func() error { _, err := k.res.Write(make([]byte, tooMany)); return err })
			}
		}()
		within(func() error { _, err := k.res.TryWrite(nil); return err })
	}, slow: true, without: func(driver) bool { return !fastG }},
	{name: "what TryWrite has kept", handle: func(k *cutting) {
		for sent := true; sent; {
			sent, _ = k.res.TryWrite(make([]byte, 100_000))
		}
		panic(engine.ErrAbort)
	}, slow: true, without: func(d driver) bool { return d.portable }},
	{name: "a file that shrinks", handle: func(k *cutting) {
		if _, err := k.res.SendFile(k.file, 0, tooMany); !errors.Is(err, io.ErrUnexpectedEOF) {
			k.t.Errorf("SendFile: %v", err)
		}
	}, act: func(k *cutting) {
		if _, err := k.client.in.Peek(4096); err != nil { // it has begun to
			k.t.Error(err)
		}
		if err := k.file.Truncate(1 << 20); err != nil {
			k.t.Error(err)
		}
	}},
	{name: "too short", handle: (*cutting).take, length: true},
}

func (k *cutting) take() { _, _ = io.ReadAll(k.req) }

// framings are the ways in which an unfinished answer may be framed.
var framings = []struct{ name, version, length string }{
	{"until close", "1.0", ""}, {"chunked", "1.1", ""}, {"length", "1.1", "100000000"}, {"length, HTTP/1.0", "1.0", "100000000"},
}

func TestCutAnswersDoNotLookWhole(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		for _, way := range ways(d) {
			for i, cut := range cuts {
				if cut.without != nil && cut.without(d) {
					continue
				}
				for _, framing := range framings {
					if cut.length && framing.length == "" {
						continue
					}
					t.Run(way+"/"+cut.name+"/"+framing.name, func(t *testing.T) { testCut(t, d, i, way, framing.version, framing.length) })
				}
			}
		}
	})
}

func testCut(t *testing.T, d driver, which int, way, version, length string) {
	cut := &cuts[which]
	k := &cutting{proceed: make(chan struct{})}
	begun, returned := make(chan struct{}), make(chan struct{})
	if strings.HasPrefix(cut.name, "a file") {
		k.file = bigFile(t)
	}
	dial := listenAs(t, d, way, func(s *server) {
		k.server = s
		if cut.prepare != nil {
			cut.prepare(s.Server)
		}
	}, func(req *engine.Request, res *engine.Response) {
		defer close(returned)
		k.req, k.res = req, res
		if length != "" {
			_ = res.SetHeader("Content-Length", length)
		}
		_, _ = res.WriteString("begun")
		close(begun)
		cut.handle(k)
	})
	var end *endings
	k.client, end = dial()
	k.client.send(strings.Replace(headOf("/", 4), "1.1", version, 1))
	simnet.Receive(t, begun, "the handler")
	switch {
	case cut.act != nil:
		cut.act(k)
	case cut.slow:
		simnet.Receive(t, returned, "the handler to return")
		if k.left != nil {
			simnet.Receive(t, k.left, "the writer to be sent away")
		}
	default:
		k.client.send("body")
		close(k.proceed)
	}
	a, err := k.client.try("POST")
	if err == nil || a.Response != nil && !strings.HasPrefix(a.body, "begun") {
		t.Errorf("the answer looks whole: %v, %d bytes, %v", a.Response, len(a.body), err)
	}
	end.judge(t, k.client, version == "1.0" && length == "")
	_ = k.client.Close()
	simnet.Receive(t, returned, "the handler to return")
	if words := k.log.take(); cut.log != "" && !strings.Contains(words, cut.log) || cut.log == "" && words != "" {
		t.Errorf("logged %q", words)
	}
}

// endings is a connection that notes how it has ended. Under TLS it turns the end of the stream
// into an error, so that only a close_notify reads as an end.
type endings struct {
	net.Conn
	secure bool
	err    error
}

var errUntold = errors.New("the connection has ended without a word of TLS")

func (e *endings) Read(p []byte) (int, error) {
	n, err := e.Conn.Read(p)
	if err != nil && e.err == nil {
		e.err = err
	}
	if err == io.EOF && e.secure {
		err = errUntold
	}
	return n, err
}

// judge fails the test if a cut answer has ended as a complete one does.
func (e *endings) judge(t *testing.T, c *client, reset bool) {
	t.Helper()
	_, told := io.Copy(io.Discard, c.Conn) // at once: a connection that has ended gives its error again
	if e.secure && told == nil {
		t.Error("TLS says that this was the end")
	}
	if reset && !errors.Is(e.err, syscall.ECONNRESET) {
		t.Errorf("the connection has ended with %v", e.err)
	}
}

// ofListener is TLS that the listener, not the server, provides.
const ofListener = "TLS of the listener"

// ways are the kinds of connections; a listener with TLS of its own is always portable.
func ways(d driver) []string {
	if d.portable {
		return []string{"plain", "TLS", ofListener}
	}
	return []string{"plain", "TLS"}
}

// listenAs starts a server, plain or with TLS, its own or its listener's; connections made by dial
// note how they end.
func listenAs(t *testing.T, d driver, way string, prepare func(*server), h engine.Handler) (dial func() (*client, *endings)) {
	s := prepareTLS(t, d, h)
	prepare(s.server)
	config := s.TLS
	if way != "TLS" {
		s.TLS = nil
	}
	if way == ofListener {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		listening := make(chan struct{})
		s.On.Listening = func() { close(listening) }
		go func() { _ = s.Serve(tls.NewListener(l, config)) }()
		simnet.Receive(t, listening, "Serve")
	} else {
		s.listen()
	}
	return func() (*client, *endings) {
		e := &endings{Conn: s.dial().Conn, secure: way != "plain"}
		if !e.secure {
			return newClient(t, e), e
		}
		over := tls.Client(e, s.client)
		if err := over.Handshake(); err != nil {
			t.Fatal(err)
		}
		return newClient(t, over), e
	}
}

// closeWrite tells the server that nothing more will be sent, in TLS where it is spoken.
func (c *client) closeWrite() {
	c.t.Helper()
	conn := c.Conn
	if e, ok := conn.(*endings); ok {
		conn = e.Conn
	}
	if err := conn.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		c.t.Fatal(err)
	}
}

// bigFile returns an open sparse file of tooMany bytes.
func bigFile(t *testing.T) *os.File {
	t.Helper()
	f, err := os.CreateTemp(t.TempDir(), "big")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	if err := f.Truncate(tooMany); err != nil {
		t.Fatal(err)
	}
	return f
}
