// The same requests through net/http's own Transport and through the bridge: what the client sees
// and what the server receives must be the same.

package nethttp_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	"github.com/gale-http/gale/agent"
	"github.com/gale-http/gale/agent/nethttp"
	"github.com/gale-http/gale/internal/simnet"
)

// differential is a server that responds with what it was asked.
func differential() http.Handler {
	m := http.NewServeMux()
	m.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var fields []string
		for name, values := range r.Header {
			if name != "User-Agent" {
				fields = append(fields, name+"="+strings.Join(values, "|"))
			}
		}
		slices.Sort(fields)
		w.Header()["X-Multi"] = []string{"1", "2"}
		fmt.Fprintln(w, r.Method, r.RequestURI, r.Host, r.ContentLength, r.TransferEncoding, r.Close, fields, len(body), r.Trailer)
	})
	for _, code := range []int{301, 302, 303, 307, 308} {
		m.HandleFunc(fmt.Sprint("/", code), func(w http.ResponseWriter, r *http.Request) {
			http.SetCookie(w, &http.Cookie{Name: "c", Value: fmt.Sprint(code)})
			w.Header().Set("Location", "/landed?"+r.URL.RawQuery)
			w.WriteHeader(code)
		})
	}
	for _, code := range []int{204, 304, 404, 500} {
		m.HandleFunc(fmt.Sprint("/", code), func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(code) })
	}
	m.HandleFunc("/loop", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/loop", http.StatusFound) })
	m.HandleFunc("/zip", func(w http.ResponseWriter, r *http.Request) {
		text := []byte(strings.Repeat("words ", 10_000) + fmt.Sprint(r.Header["Accept-Encoding"]))
		if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			_, _ = z.Write(text)
			_ = z.Close()
			return
		}
		_, _ = w.Write(text)
	})
	m.HandleFunc("/badzip", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		fmt.Fprint(w, "no gzip at all")
	})
	m.HandleFunc("/trailers", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Trailer", "X-Known, X-Missing")
		fmt.Fprint(w, "body")
		w.Header().Set("X-Known", "1")
		w.Header().Set(http.TrailerPrefix+"X-Unknown", "2")
	})
	m.HandleFunc("/hints", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Link", "</a>")
		w.WriteHeader(http.StatusEarlyHints)
		w.WriteHeader(http.StatusProcessing)
		fmt.Fprint(w, "body")
	})
	m.HandleFunc("/refuses", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusExpectationFailed) })
	m.HandleFunc("/large", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 1<<20)) })
	m.HandleFunc("/stalls", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "begin")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	m.HandleFunc("/never", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	for path, raw := range map[string]string{
		"/cut": "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc", "/cutchunk": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
		"/untilclose": "HTTP/1.1 200 Fine\r\n\r\nabc", "/old": "HTTP/1.0 200 OK\r\n\r\nabc", "/nothing": "", "/garbage": "SSH-2.0-x\r\n\r\n",
		"/closes":    "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nConnection: x, Close\r\nTrailer: X-T\r\nContent-Length: 1\r\n\r\na",
		"/204length": "HTTP/1.1 204 No Content\r\nConnection: close\r\nContent-Length: 5\r\n\r\n",
		"/odd":       "HTTP/1.1 299\r\nConnection: close\r\nContent-Length: 0\r\nx-lower: a\r\n\r\n", "/two": "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
	} {
		m.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			c, buf, err := http.NewResponseController(w).Hijack()
			if err != nil {
				return
			}
			defer c.Close()
			_, _ = buf.WriteString(raw)
			_ = buf.Flush()
		})
	}
	return m
}

// kind names the kind of err, as far as callers distinguish kinds.
func kind(err error) string {
	var timeout net.Error
	var op *url.Error
	switch {
	case err == nil:
		return "none"
	case errors.Is(err, context.Canceled):
		return "cancelled"
	case errors.As(err, &timeout) && timeout.Timeout():
		return "timeout"
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "unexpected EOF"
	case errors.As(err, &op) && strings.Contains(err.Error(), "redirects"):
		return "redirects"
	}
	return "error"
}

// observe makes a request and describes everything observable about it.
func observe(c *http.Client, r *http.Request, readFirst int) string {
	var b bytes.Buffer
	trace := &httptrace.ClientTrace{
		GetConn: func(hostPort string) {
			_, port, _ := net.SplitHostPort(hostPort)
			fmt.Fprint(&b, "get ", port != "", " ")
		},
		Got1xxResponse: func(code int, header textproto.MIMEHeader) error {
			fmt.Fprint(&b, "1xx ", code, header, " ")
			return nil
		},
	}
	res, err := c.Do(r.WithContext(httptrace.WithClientTrace(r.Context(), trace)))
	if err != nil {
		fmt.Fprint(&b, "Do: ", kind(err))
		return b.String()
	}
	defer res.Body.Close()
	var body []byte
	if readFirst == 0 {
		body, err = io.ReadAll(res.Body)
	} else {
		body, err = io.ReadAll(io.LimitReader(res.Body, int64(readFirst)))
		_ = res.Body.Close()
		if _, again := res.Body.Read(make([]byte, 1)); again == nil {
			fmt.Fprint(&b, "a closed body is read; ")
		}
	}
	names := slices.Sorted(maps.Keys(res.Header))
	fmt.Fprint(&b, res.Status, " ", res.Proto, " length ", res.ContentLength, " coding ", res.TransferEncoding, " close ", res.Close, " unzipped ", res.Uncompressed, " at ", res.Request.URL.Path, " ")
	for _, name := range names {
		if name != "Date" {
			fmt.Fprint(&b, name, "=", res.Header[name], " ")
		}
	}
	fmt.Fprintf(&b, "trailers %v, %d bytes %.600q, %s", res.Trailer, len(body), body, kind(err))
	return b.String()
}

func TestSameAsNetHTTP(t *testing.T) {
	s := httptest.NewServer(differential())
	defer s.Close()
	text := func() io.Reader { return strings.NewReader("some words") }
	unknown := func() io.Reader { return io.MultiReader(strings.NewReader("some words")) }
	nothing := func() io.Reader { return io.MultiReader() }
	type change = func(r *http.Request)
	header := func(name string, values ...string) change {
		return func(r *http.Request) { r.Header[name] = values }
	}
	for _, c := range []struct {
		name, method, path string
		body               func() io.Reader
		change             change
		read               int           // > 0: read so many bytes, then Close
		limit              time.Duration // timeout of the client; extended on a machine too slow to reach the interesting part
	}{
		{name: "GET", method: "GET", path: "/a?b=c"}, {name: "HEAD", method: "HEAD", path: "/a"}, {name: "DELETE", method: "DELETE", path: "/a"},
		{name: "POST", method: "POST", path: "/", body: text}, {name: "POST of unknown length", method: "POST", path: "/", body: unknown},
		{name: "POST of nothing", method: "POST", path: "/", body: func() io.Reader { return http.NoBody }}, {name: "POST without a body", method: "POST", path: "/"},
		{name: "POST of unknown nothing", method: "POST", path: "/", body: nothing}, {name: "GET of unknown nothing", method: "GET", path: "/", body: nothing},
		{name: "DELETE of unknown length", method: "DELETE", path: "/", body: unknown}, {name: "HEAD of unknown nothing", method: "HEAD", path: "/", body: nothing},
		{name: "GET of one byte", method: "GET", path: "/", body: func() io.Reader { return io.MultiReader(strings.NewReader("1")) }},
		{name: "GET of unknown nothing in chunks", method: "GET", path: "/", body: nothing, change: func(r *http.Request) { r.TransferEncoding = []string{"chunked"} }},
		{name: "GET of a failing body", method: "GET", path: "/", body: func() io.Reader { return iotest.ErrReader(io.ErrClosedPipe) }},
		{name: "last word on the connection, no trailers", method: "GET", path: "/closes"},
		{name: "204 with a length", method: "GET", path: "/204length"}, {name: "HEAD of a 204 with a length", method: "HEAD", path: "/204length"},
		{name: "OPTIONS *", method: "OPTIONS", path: "/", change: func(r *http.Request) { r.URL.Opaque, r.URL.Path = "", "*" }},
		{name: "own method", method: "BREW", path: "/pot", body: text},
		{name: "fields", method: "GET", path: "/", change: header("X-A", "1", "2")}, {name: "odd names", method: "GET", path: "/", change: header("x-lower", "1")},
		{name: "bad value", method: "GET", path: "/", change: header("X-A", "a\r\nb")}, {name: "bad name", method: "GET", path: "/", change: header("X A", "a")},
		{name: "Host", method: "GET", path: "/", change: func(r *http.Request) { r.Host = "other.example" }},
		{name: "Close", method: "GET", path: "/", change: func(r *http.Request) { r.Close = true }},
		{name: "userinfo", method: "GET", path: "/", change: func(r *http.Request) { r.URL.User = url.UserPassword("me", "mine") }},
		{name: "no user agent", method: "GET", path: "/", change: header("User-Agent", "")},
		{name: "request trailers", method: "POST", path: "/", body: unknown, change: func(r *http.Request) { r.Trailer = http.Header{"X-End": {"1"}} }},
		{name: "wrong length", method: "POST", path: "/", body: text, change: func(r *http.Request) { r.ContentLength = 100 }},
		{name: "301", method: "POST", path: "/301?x", body: text}, {name: "302", method: "POST", path: "/302?x", body: text}, {name: "303", method: "PUT", path: "/303?x", body: text},
		{name: "307", method: "POST", path: "/307?x", body: text}, {name: "308", method: "PUT", path: "/308?x", body: text}, {name: "307 without GetBody", method: "POST", path: "/307", body: unknown},
		{name: "loop", method: "GET", path: "/loop"}, {name: "204", method: "GET", path: "/204"}, {name: "304", method: "GET", path: "/304"}, {name: "404", method: "GET", path: "/404"}, {name: "500", method: "GET", path: "/500"},
		{name: "zip", method: "GET", path: "/zip"}, {name: "zip asked for", method: "GET", path: "/zip", change: header("Accept-Encoding", "gzip")}, {name: "zip of a HEAD", method: "HEAD", path: "/zip"},
		{name: "zip of a range", method: "GET", path: "/zip", change: header("Range", "bytes=0-9")}, {name: "no zip", method: "GET", path: "/zip", change: header("Accept-Encoding", "identity")}, {name: "bad zip", method: "GET", path: "/badzip"},
		{name: "trailers", method: "GET", path: "/trailers"}, {name: "1xx", method: "GET", path: "/hints"},
		{name: "Expect", method: "POST", path: "/", body: text, change: header("Expect", "100-continue")}, {name: "Expect refused", method: "POST", path: "/refuses", body: text, change: header("Expect", "100-continue")},
		{name: "large", method: "GET", path: "/large"}, {name: "closed early", method: "GET", path: "/large", read: 10}, {name: "closed at once", method: "GET", path: "/stalls", read: 1},
		{name: "timeout in the head", method: "GET", path: "/never", limit: 50 * time.Millisecond}, {name: "timeout in the body", method: "GET", path: "/stalls", limit: 50 * time.Millisecond},
		{name: "cut", method: "GET", path: "/cut"}, {name: "cut chunk", method: "GET", path: "/cutchunk"}, {name: "until close", method: "GET", path: "/untilclose"}, {name: "HTTP/1.0", method: "GET", path: "/old"},
		{name: "nothing", method: "POST", path: "/nothing"}, {name: "garbage", method: "GET", path: "/garbage"}, {name: "no reason", method: "GET", path: "/odd"}, {name: "two lengths", method: "GET", path: "/two"},
		{name: "no host", method: "GET", path: "/", change: func(r *http.Request) { r.URL.Host = "" }}, {name: "other scheme", method: "GET", path: "/", change: func(r *http.Request) { r.URL.Scheme = "gopher" }},
		{name: "refused", method: "GET", path: "/", change: func(r *http.Request) { r.URL.Host = "127.0.0.1:1" }},
		{name: "cancelled", method: "GET", path: "/", change: func(r *http.Request) {
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			*r = *r.WithContext(ctx)
		}},
		{name: "cancelled for a reason", method: "GET", path: "/", change: func(r *http.Request) {
			ctx, cancel := context.WithCancelCause(context.Background())
			cancel(io.ErrUnexpectedEOF)
			*r = *r.WithContext(ctx)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := &agent.Agent{KeepAlive: true}
			defer a.Destroy()
			own := http.DefaultTransport.(*http.Transport).Clone()
			defer own.CloseIdleConnections()
			var seen [2][2]string
			var closed [2][2]func() string
			for i, transport := range []http.RoundTripper{own, &nethttp.Transport{Agent: a}} {
				jar, _ := cookiejar.New(nil)
				client := &http.Client{Transport: transport, Jar: jar, Timeout: c.limit}
				for round := 0; round < len(seen[i]); { // the second finds kept sockets and cookies
					var body io.Reader
					if c.body != nil {
						body = c.body()
					}
					r, err := http.NewRequest(c.method, s.URL+c.path, body)
					if err != nil {
						t.Fatal(err)
					}
					if c.change != nil {
						c.change(r)
					}
					closed[i][round] = countClosings(r)
					seen[i][round] = observe(client, r, c.read)
					if c.path == "/stalls" && client.Timeout > 0 && client.Timeout < simnet.Patience && strings.HasPrefix(seen[i][round], "Do: ") {
						client.Timeout *= 2 // it expired before the head came
						continue
					}
					round++
				}
			}
			if seen[0] != seen[1] {
				t.Errorf("net/http:\n%s\n%s\nthe bridge:\n%s\n%s", seen[0][0], seen[0][1], seen[1][0], seen[1][1])
			}
			for round, own := range closed[0] {
				if n, want := closed[1][round](), own(); n != want {
					t.Errorf("bodies were closed %v times, by net/http %v", n, want)
				}
			}
		})
	}
}

// countClosings counts how often the bodies of r are closed. check waits until each was, and
// returns the counts.
func countClosings(r *http.Request) (check func() string) {
	var all []*closings
	count := func(body io.ReadCloser) io.ReadCloser {
		c := &closings{ReadCloser: body, first: make(chan struct{})}
		all = append(all, c)
		return c
	}
	if r.Body != nil && r.Body != http.NoBody {
		r.Body = count(r.Body)
	}
	if get := r.GetBody; get != nil {
		r.GetBody = func() (io.ReadCloser, error) {
			body, err := get()
			if err != nil || body == http.NoBody {
				return body, err
			}
			return count(body), nil
		}
	}
	return func() string {
		var n []int32
		for _, c := range all {
			select {
			case <-c.first:
			case <-time.After(simnet.Patience):
			}
			n = append(n, c.n.Load())
		}
		return fmt.Sprint(n)
	}
}

// closings is a body that counts calls of Close.
type closings struct {
	io.ReadCloser
	n     atomic.Int32
	first chan struct{} // closed when it is closed
}

func (c *closings) Close() error {
	if c.n.Add(1) == 1 {
		close(c.first)
	}
	return c.ReadCloser.Close()
}
