package main

import (
	"bufio"
	"bytes"
	"strings"
	"testing"

	"github.com/gale-http/gale/bytesparse"
	"github.com/gale-http/gale/internal/h1"
	"github.com/valyala/fasthttp"
)

// gale against fasthttp: what gale accepts, fasthttp accepts too, with the same parts; for
// what only fasthttp accepts, gale's reason is written down here. (fasthttp is a dependency
// of this module only; the same comparison with net/http is in fuzz/.)

// stricter lists why gale refuses heads that fasthttp accepts, by the message of the
// error. Where RFC 9112 is cited, fasthttp parses leniently or leaves the check to its user.
var stricter = map[string]string{
	"LF without CR":                             "RFC 9112 §2.2: a bare LF may be taken for a line's end, and is by fasthttp",
	"CR without LF":                             "RFC 9112 §2.2: fasthttp lets it stand in values",
	"malformed start line":                      "RFC 9112 §3: fasthttp takes several blanks, and no version at all",
	"invalid byte in method":                    "RFC 9110 §9.1",
	"invalid byte in request target":            "RFC 9112 §3.2: the URI set",
	"unsupported HTTP version":                  "RFC 9112 §2.3",
	"invalid field name":                        "RFC 9110 §5.1",
	"invalid byte in field value":               "RFC 9110 §5.5",
	"blank before colon":                        "RFC 9112 §5.1",
	"empty field name":                          "RFC 9110 §5.1",
	"folded line":                               "RFC 9112 §5.2",
	"missing Host":                              "RFC 9112 §3.2",
	"more than one Host":                        "RFC 9112 §3.2",
	"invalid Host":                              "RFC 9112 §3.2",
	"invalid authority in the request target":   "RFC 9110 §4.2",
	"request target does not suit the method":   "RFC 9112 §3.2",
	"Transfer-Encoding with Content-Length":     "RFC 9112 §6.3",
	"Transfer-Encoding in HTTP/1.0":             "RFC 9112 §6.1",
	"malformed Transfer-Encoding":               "RFC 9112 §6.1",
	"unknown transfer coding":                   "RFC 9112 §6.1",
	"more than one Content-Length":              "RFC 9110 §8.6",
	"invalid Content-Length":                    "RFC 9110 §8.6",
	"CONNECT with a body":                       "RFC 9110 §9.3.6",
	"unknown expectation":                       "RFC 9110 §10.1.1",
	"more than one empty line before a request": "RFC 9112 §2.2: fasthttp skips any number",
	"line break where a message must begin":     "likewise",
	"too many fields":                           "a limit of ours", "request target too long": "a limit of ours", "head too large": "a limit of ours",
}

// laxer lists why fasthttp may refuse a head that gale accepts, by a part of the message
// of its error.
var laxer = map[string]string{
	"unsupported transfer-encoding": "HTTP/1.2 to 1.9 are read as 1.1 (RFC 9110 §2.5)",
	"missing required host header":  "an empty Host is legal (RFC 9112 §3.2)",
	"contain forbidden trailer":     "what Trailer announces is not trusted and so not judged; trailers are kept apart from fields",
}

func isLaxer(err error) bool {
	message, _, _ := strings.Cut(err.Error(), ": buffer size") // followed by the input
	for text := range laxer {
		if strings.Contains(message, text) {
			return true
		}
	}
	return false
}

func FuzzFasthttp(f *testing.F) {
	for _, fields := range []string{
		"", "Host: h\r\n", "Host: h\r\nContent-Length: 5\r\n", "Host: h\r\nContent-Length: 5\r\nContent-Length: 5\r\n", "Host: h\r\nTransfer-Encoding: chunked\r\n",
		"Host: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n", "Host : h\r\n", "Host: h\r\n X: y\r\n", "Host: h\nX: y\r\n", "Host: h\r\nX: a\rb\r\n", "Host: h\r\nX:\x00\r\n",
		"Host: h\r\nX: \xc3\xa9\r\n", "Host: h\r\n: x\r\n", "Host: h\r\nConnection: close\r\nUser-Agent: u\r\nCookie: a=b; c=d\r\nContent-Type: t\r\n", "Host: h\r\nTrailer: X, Host\r\n",
	} {
		for _, line := range []string{"GET / HTTP/1.1", "POST /x?y HTTP/1.1", "GET  / HTTP/1.1", "GET / HTTP/1.9", "OPTIONS * HTTP/1.0", "GET http://h/ HTTP/1.1", "GET /", "CONNECT h:1 HTTP/1.1", "PRI * HTTP/2.0"} {
			f.Add([]byte(line + "\r\n" + fields + "\r\n"))
		}
	}
	f.Add([]byte("0 / HTTP/1.1\r\nHost:\r\n\r\n"))
	f.Add([]byte("\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 3000 {
			return // longer than its buffer
		}
		var c h1.Conn
		var h bytesparse.Head
		n, ev, err := c.NextHead(data, true, &h, nil)
		if n > 0 && ev == h1.NeedMore { // an empty line
			data = data[n:]
			n, ev, err = c.NextHead(data, true, &h, nil)
		}
		var theirs fasthttp.RequestHeader
		theirErr := theirs.Read(bufio.NewReader(bytes.NewReader(data)))
		if ev != h1.HeadDone || err != nil {
			if theirErr == nil && err != nil && err != h1.ErrUnexpectedEOF {
				if message, _, _ := strings.Cut(strings.TrimPrefix(err.Error(), "http: "), " at byte"); stricter[message] == "" {
					t.Fatalf("%q: %v, and fasthttp takes it: why?", data, err)
				}
			}
			return
		}
		if theirErr != nil {
			if !isLaxer(theirErr) {
				t.Fatalf("%q is taken, and fasthttp says %v: why?", data, theirErr)
			}
			return
		}
		if string(theirs.Method()) != string(h.Name.Of(data)) || string(theirs.RequestURI()) != string(h.Target.Of(data)) {
			t.Fatalf("%q: %s %q, fasthttp says %s %q", data, h.Name.Of(data), h.Target.Of(data), theirs.Method(), theirs.RequestURI())
		}
		for _, id := range []bytesparse.FieldID{bytesparse.FieldHost, bytesparse.FieldContentType, bytesparse.FieldUserAgent} {
			if ours := h.Value(data, id); !h.Dup(id) && string(theirs.Peek(id.String())) != string(ours) {
				t.Fatalf("%q: %v is %q, fasthttp says %q", data, id, ours, theirs.Peek(id.String()))
			}
		}
		want := map[h1.BodyFraming]int{h1.Length: int(c.Remaining()), h1.Chunked: -1}[c.Framing()]
		if got := theirs.ContentLength(); got != want && !(c.Framing() == h1.None && got <= 0) && !theirs.IsGet() && !theirs.IsHead() {
			t.Fatalf("%q: length %d, fasthttp says %d", data, want, got)
		}
	})
}
