package writer

// Start lines against net/http's table and the grammar.

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// RFC 9110 §16.2.1 and seed http.STATUS_CODES: net/http's table is the oracle; it
// keeps the phrases of RFC 2616 and 4918 where RFC 9110 §15 renamed them.
func TestStatusTextRFC9110Section15(t *testing.T) {
	renamed := map[int]string{
		413: "Content Too Large",
		414: "URI Too Long",
		416: "Range Not Satisfiable",
		422: "Unprocessable Content",
	}
	for code := -1; code <= 1100; code++ {
		want := http.StatusText(code)
		if r, ok := renamed[code]; ok {
			want = r
		}
		if got := StatusText(code); got != want {
			t.Errorf("StatusText(%d) = %q, want %q", code, got, want)
		}
	}
}

func TestStatusCodesSeedSTATUS_CODES(t *testing.T) {
	n, last := 0, 0
	for code, text := range StatusCodes() {
		if code <= last || text == "" || text != StatusText(code) {
			t.Errorf("StatusCodes yields %d %q after %d", code, text, last)
		}
		n, last = n+1, code
	}
	want := 0
	for code := range 1000 {
		if StatusText(code) != "" {
			want++
		}
	}
	if n != want || n < 60 {
		t.Errorf("StatusCodes yields %d codes, want %d", n, want)
	}
	for code := range StatusCodes() { // may be left early
		if code == 101 {
			return
		}
	}
}

// RFC 9112 §4: HTTP-version SP status-code SP [ reason-phrase ] CRLF.
func TestAppendStatusLineRFC9112Section4(t *testing.T) {
	for _, c := range []struct {
		code         int
		reason, want string
	}{
		{200, "", "HTTP/1.1 200 OK\r\n"},
		{200, "Very well", "HTTP/1.1 200 Very well\r\n"},
		{404, "", "HTTP/1.1 404 Not Found\r\n"},
		{404, "Gone fishing", "HTTP/1.1 404 Gone fishing\r\n"},
		{299, "", "HTTP/1.1 299 \r\n"},
		{306, "", "HTTP/1.1 306 \r\n"},
		{599, "", "HTTP/1.1 599 \r\n"},
		{999, "Late", "HTTP/1.1 999 Late\r\n"},
		{100, "", "HTTP/1.1 100 Continue\r\n"},
		{511, "", "HTTP/1.1 511 Network Authentication Required\r\n"},
		{512, "", "HTTP/1.1 512 \r\n"},
		{99, "", "HTTP/1.1 500 \r\n"},
		{1000, "", "HTTP/1.1 500 \r\n"},
		{-3500, "x", "HTTP/1.1 500 x\r\n"},
	} {
		if got := string(AppendStatusLine([]byte("before|"), c.code, c.reason)); got != "before|"+c.want {
			t.Errorf("AppendStatusLine(%d, %q) = %q, want %q", c.code, c.reason, got, c.want)
		}
	}
	for code := 100; code <= 999; code++ {
		want := fmt.Sprintf("HTTP/1.1 %d %s\r\n", code, StatusText(code))
		if got := string(AppendStatusLine(nil, code, "")); got != want {
			t.Errorf("AppendStatusLine(%d) = %q, want %q", code, got, want)
		}
	}
}

// RFC 9112 §3: method SP request-target SP HTTP-version CRLF.
func TestAppendRequestLineRFC9112Section3(t *testing.T) {
	for _, c := range []struct{ method, target, want string }{
		{"GET", "/", "GET / HTTP/1.1\r\n"},
		{"OPTIONS", "*", "OPTIONS * HTTP/1.1\r\n"},
		{"CONNECT", "example.com:443", "CONNECT example.com:443 HTTP/1.1\r\n"},
		{"GET", "/" + strings.Repeat("a", 9000), "GET /" + strings.Repeat("a", 9000) + " HTTP/1.1\r\n"},
	} {
		if got := string(AppendRequestLine([]byte("|"), c.method, c.target)); got != "|"+c.want {
			t.Errorf("AppendRequestLine(%q, %q) = %q", c.method, c.target, got)
		}
	}
}
