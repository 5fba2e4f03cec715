// Connections that a handler takes over: tunnels, other protocols, proxies to them.

package nethttp_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gale-http/gale/engine"
	"github.com/gale-http/gale/engine/nethttp"
	"github.com/gale-http/gale/internal/simnet"
)

// echoing takes the connection over, answers 101 and sends back what comes, as a
// server of another protocol does.
func echoing(t testing.TB) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") != "echo" {
			http.Error(w, "echo only", http.StatusUpgradeRequired)
			return
		}
		conn, buf, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Errorf("Hijack: %v", err)
			return
		}
		defer conn.Close()
		if n, err := w.Write([]byte("x")); n != 0 || !errors.Is(err, http.ErrHijacked) {
			t.Errorf("Write behind Hijack: %d, %v", n, err)
		}
		if _, _, err := w.(http.Hijacker).Hijack(); !errors.Is(err, http.ErrHijacked) {
			t.Errorf("Hijack behind Hijack: %v", err)
		}
		fmt.Fprintf(buf, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
		fmt.Fprintf(buf, "buffered %d;", buf.Reader.Buffered())
		_ = buf.Flush()
		_, _ = io.Copy(conn, buf)
	}
}

const upgrade = "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n"

// upgraded asks for the echo, with early bytes behind the request, and returns the
// reader of what follows the head of the answer.
func upgraded(t testing.TB, c net.Conn, early string) *bufio.Reader {
	t.Helper()
	send(t, c, upgrade+early)
	in := bufio.NewReader(c)
	res, err := http.ReadResponse(in, nil)
	if err != nil || res.StatusCode != http.StatusSwitchingProtocols || res.Header.Get("Upgrade") != "echo" {
		t.Fatalf("got %v, %v", res, err)
	}
	return in
}

func readN(t testing.TB, in io.Reader, n int) string {
	t.Helper()
	b := make([]byte, n)
	if k, err := io.ReadFull(in, b); err != nil {
		t.Fatalf("after %q: %v", b[:k], err)
	}
	return string(b)
}

func TestHijack(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		s, words := serve(t, d, echoing(t))
		for _, early := range []string{"", "early", strings.Repeat("e", 3000)} {
			c := dial(t, s.Addr().String())
			in := upgraded(t, c, early)
			want := fmt.Sprintf("buffered %d;%s", len(early), early)
			if got := readN(t, in, len(want)); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
			for i := range 100 {
				text := strings.Repeat("x", i*i) + "."
				send(t, c, text)
				if got := readN(t, in, len(text)); got != text {
					t.Fatalf("got %q, want %q", got, text)
				}
			}
			if err := c.(*net.TCPConn).CloseWrite(); err != nil {
				t.Fatal(err)
			}
			if rest, err := io.ReadAll(in); err != nil || len(rest) > 0 {
				t.Errorf("at the end: %q, %v", rest, err)
			}
		}
		if words.String() != "" {
			t.Errorf("logged: %s", words)
		}
	})
}

// TestHijackOutlives: the handler returns and a goroutine goes on with the connection.
func TestHijackOutlives(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		s, _ := serve(t, d, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			conn, buf, err := w.(http.Hijacker).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			go func() {
				defer conn.Close()
				_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
				_, _ = io.Copy(conn, buf)
			}()
		}))
		c := dial(t, s.Addr().String())
		in := upgraded(t, c, "")
		for range 100 {
			send(t, c, "hello")
			if got := readN(t, in, 5); got != "hello" {
				t.Fatalf("got %q", got)
			}
		}
	})
}

// TestHijackAfterWrite: what was written before is sent before.
func TestHijackAfterWrite(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		s, _ := serve(t, d, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "10")
			_, _ = io.WriteString(w, "hello")
			conn, _, err := w.(http.Hijacker).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			_, _ = io.WriteString(conn, "world")
		}))
		got := converse(t, s.Addr().String(), "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET")
		if !strings.HasSuffix(got, "(length 10) helloworld\nclosed\n") {
			t.Errorf("got %q", got)
		}
	})
}

// TestSwitchThenHijack: WriteHeader(101) before Hijack, as some libraries have it.
func TestSwitchThenHijack(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		s, _ := serve(t, d, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Connection", "Upgrade")
			w.Header().Set("Upgrade", "echo")
			w.WriteHeader(http.StatusSwitchingProtocols)
			conn, buf, err := w.(http.Hijacker).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			_, _ = io.Copy(conn, buf)
		}))
		c := dial(t, s.Addr().String())
		in := upgraded(t, c, "early")
		if got := readN(t, in, 5); got != "early" {
			t.Errorf("got %q", got)
		}
	})
}

// TestProxyUpgrade: a reverse proxy passes another protocol through, both ways.
func TestProxyUpgrade(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		back, _ := serve(t, d, echoing(t))
		standard := serveStandard(t, echoing(t))
		front, _ := serve(t, d, proxyTo(t, standard))
		both, _ := serve(t, d, proxyTo(t, back.Addr().String()))
		for way, addr := range map[string]string{
			"gale to net/http": front.Addr().String(),
			"net/http to gale": serveStandard(t, proxyTo(t, back.Addr().String())),
			"gale to gale":     both.Addr().String(),
		} {
			c := dial(t, addr)
			in := upgraded(t, c, "")
			if got := readN(t, in, 11); got != "buffered 0;" {
				t.Errorf("%s: got %q", way, got)
			}
			for i := range 50 {
				text := strings.Repeat("x", i*i) + "."
				send(t, c, text)
				if got := readN(t, in, len(text)); got != text {
					t.Fatalf("%s: got %q, want %q", way, got, text)
				}
			}
			_ = c.Close()
		}
	})
}

// TestConnect: with ConnectRequest set, CONNECT reaches the http.Handler, which may refuse it, or
// tunnel.
func TestConnect(t *testing.T) {
	target := serveStandard(t, site)
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect || r.URL.Host != r.Host || r.URL.Path != "" || r.URL.Scheme != "" {
			t.Errorf("%s %#v, host %q", r.Method, r.URL, r.Host)
		}
		if r.URL.Host != target {
			http.Error(w, "not there", http.StatusForbidden)
			return
		}
		up, err := net.Dial("tcp", r.URL.Host)
		if err != nil {
			t.Error(err)
			return
		}
		conn, buf, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = io.WriteString(conn, "HTTP/1.1 200 Connection established\r\n\r\n")
		go func() {
			_, _ = io.Copy(up, buf)
			_ = up.(*net.TCPConn).CloseWrite()
		}()
		_, _ = io.Copy(conn, up)
		_, _ = conn.Close(), up.Close()
	})
	eachDriver(t, func(t *testing.T, d driver) {
		s := &engine.Server{
			Handler:  nethttp.Handler(h),
			On:       engine.Events{ConnectRequest: nethttp.Handler(h)},
			Portable: d.portable,
			Dispatch: d.dispatch,
		}
		if err := s.Listen("tcp", "127.0.0.1:0"); err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		got := converse(t, s.Addr().String(), "CONNECT elsewhere:80 HTTP/1.1\r\nHost: elsewhere:80\r\n\r\n", "CONNECT")
		if !strings.HasPrefix(got, "403 ") || !strings.HasSuffix(got, "not there\n\nclosed\n") {
			t.Errorf("got %q", got)
		}
		c := dial(t, s.Addr().String())
		send(t, c, "CONNECT "+target+" HTTP/1.1\r\nHost: "+target+"\r\n\r\nGET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
		in := bufio.NewReader(c)
		res, err := http.ReadResponse(in, &http.Request{Method: "CONNECT"})
		if err != nil || res.StatusCode != 200 {
			t.Fatalf("got %v, %v", res, err)
		}
		if text, err := io.ReadAll(in); err != nil || !strings.HasSuffix(string(text), "\r\n\r\nhello") {
			t.Errorf("through the tunnel: %q, %v", text, err)
		}
	})
}

// TestDeadlines: a read and a write that would wait for ever end at the deadline that
// the handler, or another goroutine, sets.
func TestDeadlines(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		results := make(chan error, 1)
		s, _ := serve(t, d, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			control := http.NewResponseController(w)
			var err error
			switch r.URL.Path {
			case "/read":
				_ = control.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
				_, err = io.ReadAll(r.Body)
			case "/read-past":
				_ = control.SetReadDeadline(time.Now().Add(-time.Second))
				_, err = io.ReadAll(r.Body)
			case "/write":
				_ = control.SetWriteDeadline(time.Now().Add(10 * time.Millisecond))
				_, err = io.Copy(w, zeros{})
			case "/read-elsewhere":
				go func() { _ = control.SetReadDeadline(time.Now()) }()
				_, err = io.ReadAll(r.Body)
			case "/write-elsewhere":
				go func() { _ = control.SetWriteDeadline(time.Now()) }()
				_, err = io.Copy(w, zeros{})
			}
			results <- err
		}))
		for _, path := range []string{"/read", "/read-past", "/write", "/read-elsewhere", "/write-elsewhere"} {
			c := dial(t, s.Addr().String())
			send(t, c, "POST "+path+" HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabc")
			err := simnet.Receive(t, results, "the deadline")
			var timeout net.Error
			if !errors.As(err, &timeout) || !timeout.Timeout() {
				t.Errorf("%s: %v", path, err)
			}
		}
	})
}

// TestReaderIsStopped: a goroutine that waits for a body when the handler returns gets an error,
// and the answer arrives.
func TestReaderIsStopped(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		results := make(chan error, 1)
		s, _ := serve(t, d, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			reading := make(chan struct{})
			go func() {
				_, err := io.ReadFull(r.Body, make([]byte, 3))
				close(reading)
				if err == nil {
					_, err = r.Body.Read(make([]byte, 3))
				}
				results <- err
			}()
			<-reading
			_, _ = io.WriteString(w, "done")
		}))
		c := dial(t, s.Addr().String())
		send(t, c, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\n\r\nabc")
		res, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatal(err)
		}
		if body, err := io.ReadAll(res.Body); string(body) != "done" || err != nil {
			t.Errorf("got %q, %v", body, err)
		}
		if err := simnet.Receive(t, results, "the reader"); err == nil {
			t.Error("the reader has read what was never sent")
		}
	})
}

// TestAddresses: where the client is, and where it came in.
func TestAddresses(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		s, _ := serve(t, d, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
			if !ok || local.String() != r.Host {
				t.Errorf("the local address is %v, want %s", local, r.Host)
			}
			if r.TLS != nil {
				t.Error("TLS, out of nothing")
			}
			_, _ = io.WriteString(w, r.RemoteAddr)
		}))
		c := dial(t, s.Addr().String())
		send(t, c, "GET / HTTP/1.1\r\nHost: "+s.Addr().String()+"\r\n\r\n")
		res, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatal(err)
		}
		if body, _ := io.ReadAll(res.Body); string(body) != c.LocalAddr().String() {
			t.Errorf("the remote address is %q, want %v", body, c.LocalAddr())
		}
	})
}

// TestCloseNotify: the older way to hear of a client that goes.
func TestCloseNotify(t *testing.T) {
	s, _ := serve(t, drivers[0], http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		<-w.(interface{ CloseNotify() <-chan bool }).CloseNotify()
		_, _ = io.WriteString(w, "gone")
	}))
	c := dial(t, s.Addr().String())
	send(t, c, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	_ = c.(*net.TCPConn).CloseWrite()
	if text, err := io.ReadAll(c); err != nil || !strings.HasSuffix(string(text), "gone") {
		t.Errorf("got %q, %v", text, err)
	}
}
