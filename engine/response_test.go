// What the methods of requests and responses return to a handler: misuse, order, lifetimes. The
// transcripts show what they send.

package engine_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/gale-http/gale/engine"
	"github.com/gale-http/gale/internal/simnet"
	"github.com/gale-http/gale/pool"
	"github.com/gale-http/gale/writer"
)

// serveOne has one request served by h and returns all that came until the
// connection was closed by the client's closing its side.
func serveOne(t *testing.T, d driver, text string, h engine.Handler) string {
	t.Helper()
	s := start(t, d, h)
	c := s.dial()
	c.send(text)
	c.halfClose()
	return c.cut()
}

func TestSettersRefuse(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		got := serveOne(t, d, request("/"), func(_ *engine.Request, res *engine.Response) {
			var field *writer.FieldError
			for _, bad := range [][2]string{
				{"X\r\nY", "v"}, {"", "v"}, {"X Y", "v"}, {"X:", "v"}, {"X\x00", "v"}, {"\xc3\xa4", "v"},
				{"X", "a\r\nb"}, {"X", "a\nb"}, {"X", "a\rb"}, {"X", "a\x00b"}, {"X", "a\x01b"}, {"X", "a\x7fb"},
			} {
				if err := res.SetHeader(bad[0], bad[1]); !errors.As(err, &field) {
					t.Errorf("SetHeader(%q, %q): %v", bad[0], bad[1], err)
				}
				if err := res.AddTrailers(bad[0], bad[1]); !errors.As(err, &field) {
					t.Errorf("AddTrailers(%q, %q): %v", bad[0], bad[1], err)
				}
				if err := res.WriteHead(404, "", "Good", "1", bad[0], bad[1]); !errors.As(err, &field) {
					t.Errorf("WriteHead(%q, %q): %v", bad[0], bad[1], err)
				}
			}
			if res.GetHeader("X") != nil {
				t.Errorf("X is %q", res.GetHeader("X"))
			}
			var status *engine.StatusError
			for _, code := range []int{-1, 0, 99, 1000} {
				if err := res.SetStatus(code); !errors.As(err, &status) || status.Code != code || err.Error() == "" {
					t.Errorf("SetStatus(%d): %v", code, err)
				}
			}
			for _, reason := range []string{"a\r\nb", "a\nb", "a\x00"} {
				if err := res.SetStatusMessage(reason); !errors.As(err, &status) || status.Reason != reason || err.Error() == "" {
					t.Errorf("SetStatusMessage(%q): %v", reason, err)
				}
				if err := res.WriteHead(200, reason); !errors.As(err, &status) {
					t.Errorf("WriteHead(%q): %v", reason, err)
				}
			}
			if res.WriteHead(200, "", "odd") == nil || res.AddTrailers("odd") == nil {
				t.Error("a name without a value is accepted")
			}
			res.RemoveHeader("Good")
			_ = res.SetStatus(200)
			_, _ = res.WriteString("fine")
		})
		if !strings.HasPrefix(got, "HTTP/1.1 200 OK\r\nDate: ") || strings.Contains(got, "X") || !strings.HasSuffix(got, "\r\n4\r\nfine\r\n0\r\n\r\n") {
			t.Errorf("got %q", got)
		}
	})
}

// TestOrder: what can no longer be done once the head, or all, has been sent.
func TestOrder(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		check := func(what string, err, want error) {
			t.Helper()
			if err != want {
				t.Errorf("%s: %v, want %v", what, err, want)
			}
		}
		got := serveOne(t, d, request("/"), func(_ *engine.Request, res *engine.Response) {
			_ = res.SetHeader("X-Old", "1")
			_ = res.SetStatus(201)
			if res.HeadersSent() {
				t.Error("headers are sent before they are")
			}
			_, _ = res.WriteString("one")
			if !res.HeadersSent() || res.Status() != 201 {
				t.Errorf("sent %v, status %d", res.HeadersSent(), res.Status())
			}
			check("SetStatus", res.SetStatus(404), engine.ErrHeadSent)
			check("SetStatusMessage", res.SetStatusMessage("x"), engine.ErrHeadSent)
			check("SetHeader", res.SetHeader("X-New", "1"), engine.ErrHeadSent)
			check("WriteHead", res.WriteHead(404, "", "X-New", "1"), engine.ErrHeadSent)
			check("WriteContinue", res.WriteContinue(), engine.ErrHeadSent)
			res.RemoveHeader("X-Old")
			check("AddTrailers", res.AddTrailers("X-Sum", "1"), nil)
			check("End", res.EndString("two"), nil)
			check("End again", res.End(nil), engine.ErrEnded)
			check("AddTrailers behind the end", res.AddTrailers("X-Sum", "2"), engine.ErrEnded)
			check("Flush", res.Flush(), engine.ErrEnded)
			n, err := res.WriteString("three")
			check("Write", err, engine.ErrEnded)
			if n != 0 {
				t.Errorf("Write took %d bytes", n)
			}
		})
		if !strings.HasPrefix(got, "HTTP/1.1 201 Created\r\nX-Old: 1\r\n") || !strings.HasSuffix(got, "3\r\none\r\n3\r\ntwo\r\n0\r\nX-Sum: 1\r\n\r\n") {
			t.Errorf("got %q", got)
		}
	})
}

// TestContentLengthIsKept: a body whose length is not the declared one is an error for the handler,
// and the client cannot take it for a complete one.
func TestContentLengthIsKept(t *testing.T) {
	type result struct{ write, end error }
	for _, c := range []struct {
		name        string
		write, end  string
		want        result
		body        string // what of the body may have left
		keptWaiting bool
	}{
		{"exact", "he", "llo", result{}, "hello", false},
		{"all by Write", "hello", "", result{}, "hello", false},
		{"too short", "he", "", result{nil, engine.ErrTooShort}, "he", true},
		{"nothing", "", "", result{nil, engine.ErrTooShort}, "", true},
		{"too long at once", "hello!", "", result{engine.ErrTooLong, engine.ErrTooLong}, "", true},
		{"too long at last", "hello", "!", result{nil, engine.ErrTooLong}, "hello", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			eachDriver(t, func(t *testing.T, d driver) {
				results := make(chan result, 1)
				got := serveOne(t, d, request("/"), func(_ *engine.Request, res *engine.Response) {
					var r result
					_ = res.SetHeader("Content-Length", "5")
					if c.write != "" {
						_, r.write = res.WriteString(c.write)
					}
					r.end = res.EndString(c.end)
					results <- r
				})
				if r := simnet.Receive(t, results, "the handler"); r != c.want {
					t.Errorf("got %v, want %v", r, c.want)
				}
				_, body, _ := strings.Cut(got, "\r\n\r\n")
				if body != c.body {
					t.Errorf("the body was %q, want %q", body, c.body)
				}
			})
		})
	}
}

// TestBadContentLength: an invalid length is an error while the handler can still correct it, and a
// 500 if it does not.
func TestBadContentLength(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		for _, values := range [][]string{{"x"}, {"-1"}, {"5 "}, {"0x5"}, {"5", "5"}, {"5", "6"}, {""}} {
			set := func(res *engine.Response) {
				_ = res.SetHeader("Content-Length", values...)
			}
			got := serveOne(t, d, request("/"), func(_ *engine.Request, res *engine.Response) {
				if set(res); res.GetHeader("Content-Length") == nil {
					_ = res.EndString("hello") // refused by the setter: that is as good
					return
				}
				if err := res.EndString("hello"); err == nil {
					t.Errorf("%q: End took it", values)
				}
				res.RemoveHeader("Content-Length")
				if err := res.EndString("hello"); err != nil {
					t.Errorf("%q: End of the mended answer: %v", values, err)
				}
			})
			if !strings.HasPrefix(got, "HTTP/1.1 200 OK\r\n") || !strings.HasSuffix(got, "\r\nContent-Length: 5\r\n\r\nhello") {
				t.Errorf("%q: mended, got %q", values, got)
			}
			got = serveOne(t, d, request("/"), func(_ *engine.Request, res *engine.Response) {
				if set(res); res.GetHeader("Content-Length") == nil {
					_ = res.SetStatus(500)
				}
				_, _ = res.WriteString("hello")
			})
			if statusOf(got) != "500" {
				t.Errorf("%q: not mended, got %q", values, got)
			}
		}
	})
}

// TestRequest: the accessors that the transcripts do not show.
func TestRequest(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		s := start(t, d, func(req *engine.Request, res *engine.Response) {
			length := req.ContentLength()
			if n, err := req.Read(nil); n != 0 || err != nil {
				t.Errorf("an empty Read: %d, %v", n, err)
			}
			trailers := 0
			for range req.Trailers() {
				trailers++
			}
			body, err := readAll(req)
			if n, again := req.Read(make([]byte, 1)); n != 0 || again != io.EOF || err != nil {
				t.Errorf("Read behind the end: %d, %v", n, again)
			}
			for name, value := range req.RawTrailers() {
				body = fmt.Appendf(body, " %s=%s", name, value)
			}
			_ = res.EndString(fmt.Sprintf("%d.%d %d %d %q %q %q %s", req.HTTPVersionMajor(), req.HTTPVersionMinor(), length, trailers,
				req.Header("x-a"), req.Header("X-EMPTY"), req.Header("absent"), body))
		})
		c := s.dial()
		c.send("GET / HTTP/1.1\r\nHost: a\r\nX-A: 1\r\nx-a: 2\r\nX-Empty:\r\n\r\n")
		c.expect(200, `1.1 0 0 "1, 2" "" "" `)
		c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody")
		c.expect(200, `1.1 4 0 "" "" "" body`)
		c.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\nX-Sum: 1\r\nx-sum: 2\r\n\r\n")
		c.expect(200, `1.1 -1 0 "" "" "" body X-Sum=1 x-sum=2`)
		c.send("GET / HTTP/1.0\r\n\r\n")
		c.expect(200, `1.0 0 0 "" "" "" `)
	})
}

// TestPathAndQuery: whatever form the target has (RFC 9112 §3.2).
func TestPathAndQuery(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		s := start(t, d, func(req *engine.Request, res *engine.Response) {
			_ = res.EndString(fmt.Sprintf("%s %s %v", req.Path(), req.Query(), req.Query() != nil))
		})
		c := s.dial()
		for line, want := range map[string]string{
			"GET /a%20b?c=d?e":              "/a%20b c=d?e true",
			"GET /a":                        "/a  false",
			"GET //admin?":                  "//admin  true",
			"GET http://other/admin?x":      "/admin x true",
			"GET http://other":              "/  false",
			"OPTIONS *":                     "*  false",
			"OPTIONS http://other?only":     "/ only true",
			"POST https://u.v:8443/w/?y=/z": "/w/ y=/z true",
		} {
			c.send(line + " HTTP/1.1\r\nHost: a\r\n\r\n")
			c.expect(200, want)
		}
	})
}

// TestWriteHeadChangesNothing where it fails before the fields.
func TestWriteHeadChangesNothing(t *testing.T) {
	got := serveOne(t, drivers[0], request("/"), func(_ *engine.Request, res *engine.Response) {
		_ = res.SetStatusMessage("As before")
		var status *engine.StatusError
		for _, err := range []error{res.WriteHead(404, "a\nb", "X", "1"), res.WriteHead(99, "c", "X", "1")} {
			if !errors.As(err, &status) {
				t.Errorf("WriteHead: %v", err)
			}
		}
		if err := res.WriteHead(404, "d", "X"); err == nil {
			t.Error("a name without a value was taken")
		}
		_ = res.AddHeader("Set-Cookie", "a=1")
		_ = res.AddHeader("set-cookie", "b=2")
		var bad *writer.FieldError
		if err := res.AddHeader("X", "a\r\nb"); !errors.As(err, &bad) {
			t.Errorf("AddHeader: %v", err)
		}
		_ = res.EndString("")
		if err := res.AddHeader("X", "1"); err != engine.ErrHeadSent {
			t.Errorf("AddHeader behind the head: %v", err)
		}
	})
	if !strings.HasPrefix(got, "HTTP/1.1 200 As before\r\nSet-Cookie: a=1\r\nset-cookie: b=2\r\n") || strings.Contains(got, "X:") {
		t.Errorf("got %q", got)
	}
}

// TestStringsMayBeKept, and so may the bytes of a request until its handler returns,
// whatever is read meanwhile.
func TestStringsMayBeKept(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		methods := make(chan string, 2)
		s := start(t, d, func(req *engine.Request, res *engine.Response) {
			url, value := req.URL(), req.Header("X-Value")
			joined := req.Header("X-Joined")
			var small [100]byte // so that the body passes through the memory that the head is in
			n, err := 0, error(nil)
			for err == nil {
				var k int
				k, err = req.Read(small[:])
				n += k
			}
			if n != 100_000 || err != io.EOF {
				t.Errorf("the body: %d, %v", n, err)
			}
			for name := range req.Headers() {
				_ = req.Header(string(name))
			}
			if string(url) != "/some/where" || string(value) != "kept" || string(joined) != "1, 2" {
				t.Errorf("got %q, %q and %q behind the body", url, value, joined)
			}
			methods <- req.Method()
		})
		c := s.dial()
		for _, method := range []string{"BREW", "WHEN"} {
			c.send(method + " /some/where HTTP/1.1\r\nHost: a\r\nX-Value: kept\r\nX-Joined: 1\r\nX-Joined: 2\r\nContent-Length: 100000\r\n\r\n")
			c.send(strings.Repeat("x", 100_000))
			c.expect(200, "")
		}
		if first, second := simnet.Receive(t, methods, "a method"), simnet.Receive(t, methods, "a method"); first != "BREW" || second != "WHEN" {
			t.Errorf("methods %q and %q", first, second)
		}
	})
}

// TestViewsArePoisoned: with the tag galedebug, bytes that are kept too long show it.
func TestViewsArePoisoned(t *testing.T) {
	if !pool.Debug {
		t.Skip("memory is poisoned with the tag galedebug only")
	}
	eachDriver(t, func(t *testing.T, d driver) {
		kept := make(chan []byte, 3)
		s := start(t, d, func(req *engine.Request, res *engine.Response) {
			kept <- req.URL()
			kept <- req.Header("X-Value")
			kept <- req.Header("X-Joined")
		})
		c := s.dial()
		c.send("GET /path HTTP/1.1\r\nHost: a\r\nX-Value: value\r\nX-Joined: 1\r\nX-Joined: 2\r\n\r\n")
		c.expect(200, "")
		s.closeNow()
		for range 3 {
			if b := simnet.Receive(t, kept, "a view"); !bytes.Equal(b, bytes.Repeat([]byte{0xdb}, len(b))) {
				t.Errorf("a kept view still reads %q", b)
			}
		}
	})
}
