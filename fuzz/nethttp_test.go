// gale against net/http: what gale accepts, net/http accepts too and reads in the same way;
// for what only net/http accepts, gale's reason is written down here.

package fuzz

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"net/textproto"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/gale-http/gale/bytesparse"
	"github.com/gale-http/gale/internal/h1"
)

// stricter lists why gale refuses requests that http.ReadRequest accepts, by the
// message of its error.
var stricter = map[string]string{
	"LF without CR":                             "RFC 9112 §2.2 lets a recipient take a bare LF for a line's end; parties that differ here can be played off against each other",
	"CR without LF":                             "RFC 9112 §2.2: a bare CR is invalid or a space",
	"malformed start line":                      "one SP between the parts (RFC 9112 §3); net/http trims and splits",
	"invalid byte in method":                    "a leading CR or blank that net/http trims",
	"invalid byte in request target":            "bytes outside the URI set (RFC 9112 §3.2); net/url encodes some of them",
	"unsupported HTTP version":                  "HTTP/1.x only; http.ReadRequest leaves that to its server",
	"invalid field name":                        "net/http's server judges names later than its reader",
	"invalid byte in field value":               "likewise values",
	"blank before colon":                        "RFC 9112 §5.1",
	"empty field name":                          "RFC 9110 §5.1",
	"folded line":                               "RFC 9112 §5.2 lets a server refuse it",
	"missing Host":                              "RFC 9112 §3.2; http.ReadRequest leaves that to its server",
	"more than one Host":                        "likewise",
	"invalid Host":                              "likewise, and RFC 3986 §3.2.2 to the end",
	"invalid authority in the request target":   "user information, empty hosts, ports that are none (RFC 9110 §4.2)",
	"request target does not suit the method":   "RFC 9112 §3.2; net/http makes an URL of anything",
	"Transfer-Encoding with Content-Length":     "RFC 9112 §6.3: ought to be handled as an error",
	"Transfer-Encoding in HTTP/1.0":             "RFC 9112 §6.1",
	"malformed Transfer-Encoding":               "exactly one word",
	"unknown transfer coding":                   "an empty or HTTP/1.0 one that net/http ignores",
	"more than one Content-Length":              "RFC 9110 §8.6 lets a recipient refuse equal ones",
	"invalid Content-Length":                    "digits only; net/http trims",
	"CONNECT with a body":                       "RFC 9110 §9.3.6",
	"unknown expectation":                       "417 (RFC 9110 §10.1.1)",
	"more than one empty line before a request": "RFC 9112 §2.2 asks for one to be ignored; net/http takes none, or skips them all, by where it stands",
	"too many fields":                           "a limit", "request target too long": "a limit", "head too large": "a limit",
}

// laxer lists why net/http may refuse a request that gale accepts.
func laxer(h *bytesparse.Head, b []byte, err error) string {
	target := string(h.Target.Of(b))
	switch {
	case strings.Contains(err.Error(), "malformed HTTP version"), strings.Contains(err.Error(), "invalid URL escape"),
		strings.Contains(err.Error(), "parse ") && strings.ContainsAny(target, "%[]:"):
		return "the target is not decoded: its escapes, and what is in brackets, are the handler's"
	case strings.Contains(err.Error(), "invalid method"):
		return ""
	case regexp.MustCompile(`first path segment|invalid port|missing protocol|invalid URI`).MatchString(err.Error()):
		return "targets for which net/url has rules of its own"
	case strings.Contains(err.Error(), "bad Content-Length"), strings.Contains(err.Error(), "malformed MIME header"):
		return ""
	}
	return ""
}

// FuzzNetHTTP compares what gale and net/http make of a request head.
func FuzzNetHTTP(f *testing.F) {
	for _, s := range fieldSeeds {
		f.Add([]byte("GET / HTTP/1.1\r\nHost: h\r\n" + s))
	}
	for _, s := range conversations {
		f.Add([]byte(s))
	}
	for _, s := range smuggled {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var c h1.Conn
		var h bytesparse.Head
		n, ev, err := 0, h1.NeedMore, error(nil)
		for rest := data; ; rest = rest[n:] {
			if n, ev, err = c.NextHead(rest, true, &h, nil); ev != h1.NeedMore || n == 0 {
				data = rest
				break
			}
		}
		theirs, theirErr := http.ReadRequest(bufio.NewReader(bytes.NewReader(data)))
		if ev != h1.HeadDone || err != nil {
			if theirErr == nil && err != nil && err != h1.ErrUnexpectedEOF {
				message, _, _ := strings.Cut(strings.TrimPrefix(err.Error(), "http: "), " at byte")
				if stricter[message] == "" {
					t.Fatalf("%q: %v, and net/http takes it: why?", data, err)
				}
			}
			return
		}
		if theirErr != nil {
			if laxer(&h, data, theirErr) == "" {
				t.Fatalf("%q is taken, and net/http says %v: why?", data, theirErr)
			}
			return
		}
		if theirs.Method != string(h.Name.Of(data)) || theirs.RequestURI != string(h.Target.Of(data)) || theirs.ProtoMinor != int(h.Minor) && h.Minor != 1 {
			t.Fatalf("%q: %s %q, net/http says %s %q", data, h.Name.Of(data), h.Target.Of(data), theirs.Method, theirs.RequestURI)
		}
		if host := string(h1.Authority(data, &h)); theirs.Host != host && !strings.Contains(host, "%") && theirs.Method != "CONNECT" {
			t.Fatalf("%q: for %q, net/http says %q", data, host, theirs.Host)
		}
		sameFields(t, &h, data, theirs)
		if length := map[h1.BodyFraming]int64{h1.Chunked: -1, h1.Length: c.Remaining()}[c.Framing()]; theirs.ContentLength != length {
			t.Fatalf("%q: length %d, net/http says %d", data, length, theirs.ContentLength)
		}
		sameBody(t, &c, data, n, theirs.Body)
	})
}

// sameFields compares the fields; net/http moves some of them elsewhere.
func sameFields(t *testing.T, h *bytesparse.Head, data []byte, theirs *http.Request) {
	ours := http.Header{}
	for _, f := range h.Fields {
		name := textproto.CanonicalMIMEHeaderKey(string(f.NameOf(data)))
		ours[name] = append(ours[name], string(f.ValueOf(data)))
	}
	for _, name := range []string{"Host", "Transfer-Encoding", "Trailer", "Pragma", "Cache-Control"} {
		delete(ours, name)
		theirs.Header.Del(name)
	}
	if len(ours) != len(theirs.Header) {
		t.Fatalf("%q: %q, net/http says %q", data, ours, theirs.Header)
	}
	for name, values := range ours {
		if !slices.Equal(values, theirs.Header[name]) {
			t.Fatalf("%q: %s is %q, net/http says %q", data, name, values, theirs.Header[name])
		}
	}
}

// sameBody compares the bodies, as far as gale accepts them.
func sameBody(t *testing.T, c *h1.Conn, data []byte, n int, theirs io.Reader) {
	var body []byte
	room := make([]byte, 64)
	for rest := data[n:]; !c.Done(); {
		k, n, err := c.Decode(room, rest, nil)
		if body = append(body, room[:k]...); err == nil && k+n == 0 {
			var ev h1.Event
			if n, ev, err = c.Next(rest, true, nil, nil); ev == h1.Data {
				body = append(body, rest[:n]...)
			}
		}
		if rest = rest[n:]; err != nil {
			return // net/http may be laxer, or not have got there
		}
	}
	read, err := io.ReadAll(theirs)
	if err != nil && strings.Contains(err.Error(), "chunk length too large") {
		return // see FuzzChunked
	}
	if err != nil && c.Framing() == h1.Chunked && !bytes.Equal(read, body) || err == nil && !bytes.Equal(read, body) {
		t.Fatalf("%q: body %q, net/http reads %q, %v", data, body, read, err)
	}
}
