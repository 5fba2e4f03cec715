// What a handler may do besides answering: stream, panic, keep things too long, and wait for its
// client to go.

package nethttp_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/gale-http/gale/engine/nethttp"
	"github.com/gale-http/gale/internal/simnet"
)

// TestStreaming: each piece of a chunked body is answered before the next is sent.
func TestStreaming(t *testing.T) {
	echo := func(w http.ResponseWriter, r *http.Request) {
		piece := make([]byte, 16)
		for {
			n, err := r.Body.Read(piece)
			if n > 0 {
				_, _ = w.Write(piece[:n])
				w.(http.Flusher).Flush()
			}
			if err != nil {
				return
			}
		}
	}
	eachDriver(t, func(t *testing.T, d driver) {
		s, _ := serve(t, d, http.HandlerFunc(echo))
		c := dial(t, s.Addr().String())
		send(t, c, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n")
		res, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, piece := range []string{"one", "two", "three"} {
			if piece != "one" {
				send(t, c, fmt.Sprintf("%x\r\n%s\r\n", len(piece), piece))
			}
			got := make([]byte, len(piece))
			if _, err := io.ReadFull(res.Body, got); err != nil || string(got) != piece {
				t.Fatalf("got %q, %v, want %q", got, err, piece)
			}
		}
		send(t, c, "0\r\n\r\n")
		if rest, err := io.ReadAll(res.Body); err != nil || len(rest) > 0 {
			t.Errorf("got %q, %v behind the last piece", rest, err)
		}
	})
}

func panics(http.ResponseWriter, *http.Request) { panic("the handler's own words") }

func TestPanic(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		s, words := serve(t, d, http.HandlerFunc(panics))
		got := converse(t, s.Addr().String(), "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET")
		if want := "500 {Content-Length: 0; Date: *} (length 0, closes) \nclosed\n"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		for _, want := range []string{"the handler's own words", "nethttp_test.panics"} {
			if !strings.Contains(words.String(), want) {
				t.Errorf("the log does not tell %q: %s", want, words)
			}
		}
	})
}

// TestContext: it has the values that net/http's has, ends with the handler, and a goroutine that
// uses it later does not block for ever.
func TestContext(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		contexts := make(chan context.Context, 2)
		h := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			ctx := r.Context()
			if server, ok := ctx.Value(http.ServerContextKey).(*http.Server); !ok || server.Handler == nil {
				t.Error("no server in the context")
			}
			if ctx.Value("another key") != nil || ctx.Err() != nil {
				t.Error("a fresh context has a value, or has ended")
			}
			if _, ok := ctx.Deadline(); ok {
				t.Error("a deadline out of nothing")
			}
			if r.URL.Path == "/looked" {
				child, cancel := context.WithCancelCause(ctx)
				defer cancel(errors.New("the child's end"))
				if ctx.Done() == nil || ctx.Value("another key") != nil || child.Err() != nil {
					t.Error("a context that was looked at is none")
				}
				ctx = child
			}
			contexts <- ctx
		})
		s, _ := serve(t, d, h)
		c := dial(t, s.Addr().String())
		for _, path := range []string{"/", "/looked"} {
			send(t, c, "GET "+path+" HTTP/1.1\r\nHost: a\r\n\r\n")
			ctx := simnet.Receive(t, contexts, "the handler")
			simnet.Receive(t, ctx.Done(), "the context to end with the handler")
			if !errors.Is(ctx.Err(), context.Canceled) {
				t.Errorf("%s: %v", path, ctx.Err())
			}
		}
	})
}

// TestHangUp: the context ends when the client goes, while the handler waits for
// nothing else.
func TestHangUp(t *testing.T) {
	s, _ := serve(t, drivers[0], http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.(http.Flusher).Flush()
		<-r.Context().Done()
		_, _ = io.WriteString(w, "still answered")
	}))
	c := dial(t, s.Addr().String())
	send(t, c, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	in := bufio.NewReader(c)
	res, err := http.ReadResponse(in, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if body, err := io.ReadAll(res.Body); string(body) != "still answered" || err != nil {
		t.Errorf("got %q, %v", body, err)
	}
}

// TestTooLate: whoever still uses the request and response after the handler has returned gets
// errors, and the next request on the connection is not disturbed.
func TestTooLate(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		type kept struct {
			w http.ResponseWriter
			r *http.Request
		}
		late := make(chan kept, 1)
		s, words := serve(t, d, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/keep" {
				site.ServeHTTP(w, r)
				return
			}
			_, _ = io.WriteString(w, "kept")
			late <- kept{w, r}
		}))
		c := dial(t, s.Addr().String())
		in := bufio.NewReader(c)
		get := func(path, want string) {
			t.Helper()
			send(t, c, "POST "+path+" HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello")
			res, err := http.ReadResponse(in, nil)
			if err != nil {
				t.Fatal(err)
			}
			if body, err := io.ReadAll(res.Body); err != nil || string(body) != want {
				t.Fatalf("%s: got %q, %v, want %q", path, body, err, want)
			}
		}
		get("/keep", "kept")
		k := simnet.Receive(t, late, "the handler")
		use := func() {
			if n, err := k.w.Write([]byte("evil")); n != 0 || err == nil {
				t.Errorf("a write that came too late: %d, %v", n, err)
			}
			if n, err := io.WriteString(k.w, "evil"); n != 0 || err == nil {
				t.Errorf("a string that came too late: %d, %v", n, err)
			}
			k.w.Header().Set("X-Evil", "1")
			k.w.WriteHeader(500)
			k.w.(http.Flusher).Flush()
			if n, err := k.r.Body.Read(make([]byte, 8)); n != 0 || !errors.Is(err, http.ErrBodyReadAfterClose) {
				t.Errorf("a read that came too late: %d, %v", n, err)
			}
		}
		use()
		done := make(chan struct{})
		go func() {
			defer close(done)
			for range 100 {
				use()
				runtime.Gosched()
			}
		}()
		for range 100 {
			get("/echo", "hello")
		}
		simnet.Receive(t, done, "the late goroutine")
		if words.String() != "" {
			t.Errorf("logged: %s", words)
		}
	})
}

// TestOtherGoroutine: a handler may have all its work done by another goroutine.
func TestOtherGoroutine(t *testing.T) {
	elsewhere := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		done := make(chan any)
		go func() {
			defer func() { done <- recover() }()
			site.ServeHTTP(w, r)
		}()
		if value := <-done; value != nil {
			panic(value)
		}
	})
	standard := serveStandard(t, site)
	eachDriver(t, func(t *testing.T, d driver) {
		s, _ := serve(t, d, elsewhere)
		for _, path := range []string{"/hello", "/echo", "/large", "/many", "/flush", "/copy", "/trailers", "/abort", "/status?code=304"} {
			text := "POST " + path + " HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
			want := converse(t, standard, text, "POST")
			if got := converse(t, s.Addr().String(), text, "POST"); got != want {
				t.Errorf("%s:\ngale:\n%snet/http:\n%s", path, got, want)
			}
		}
	})
}

// TestLargeUpload: more than any buffer holds, read slowly, in bounded pieces.
func TestLargeUpload(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		s, _ := serve(t, d, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			n, err := io.Copy(io.Discard, r.Body)
			fmt.Fprint(w, n, err)
		}))
		c := &http.Client{Timeout: simnet.Patience}
		defer c.CloseIdleConnections()
		for _, length := range []int64{8 << 20, -1} {
			r, err := http.NewRequest("PUT", "http://"+s.Addr().String(), io.LimitReader(zeros{}, 8<<20))
			if err != nil {
				t.Fatal(err)
			}
			r.ContentLength = length
			res, err := c.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(res.Body)
			_ = res.Body.Close()
			if string(body) != "8388608 <nil>" {
				t.Errorf("got %q", body)
			}
		}
	})
}

// TestInvalidStatus: as in net/http, a status that is none is the handler's bug.
func TestInvalidStatus(t *testing.T) {
	s, words := serve(t, drivers[0], http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(99) }))
	got := converse(t, s.Addr().String(), "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET")
	if !strings.HasPrefix(got, "500 ") || !strings.Contains(words.String(), "status 99") {
		t.Errorf("got %q, logged %s", got, words)
	}
}

var registerOnce = sync.OnceFunc(func() { http.HandleFunc("/default-mux", handlers["/hello"]) })

// TestDefaultMux: nil stands for http.DefaultServeMux.
func TestDefaultMux(t *testing.T) {
	s, _ := serve(t, drivers[0], nil)
	registerOnce()
	got := converse(t, s.Addr().String(), "GET /default-mux HTTP/1.1\r\nHost: a\r\n\r\nOPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "GET", "OPTIONS")
	if !strings.Contains(got, "hello\n200 {Content-Length: 0; ") {
		t.Errorf("got %q", got)
	}
}

// FuzzTarget: the short way to a URL comes to what package url says.
func FuzzTarget(f *testing.F) {
	for _, seed := range []string{"/", "/a?b", "/a?", "//x", "/a%20b", "*", "a:1", "http://h/p", "A://@", "/@:$&+=~", "/a?b?c", "?", "/\x7f"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, target string) {
		if strings.ContainsFunc(target, func(c rune) bool { return c <= ' ' || c >= 0x7f || c == '#' }) {
			return // the engine refuses it
		}
		want, failed := url.ParseRequestURI(target)
		got, err := nethttp.ParseTarget(new(url.URL), "GET", target)
		if (err == nil) != (failed == nil) {
			t.Fatalf("%q: %v, package url says %v", target, err, failed)
		}
		if err == nil && !reflect.DeepEqual(got, want) {
			t.Errorf("%q: got %#v, want %#v", target, got, want)
		}
	})
}
