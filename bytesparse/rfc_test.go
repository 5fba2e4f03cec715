package bytesparse

import (
	"errors"
	"strings"
	"testing"
)

// One table per section of RFC 9110 and 9112 that says what a head may be. A
// case without a reason must be accepted; the others are refused for that
// reason at that byte.

type rfcCase struct {
	in     string
	reason Reason
	at     int
}

func runCases(t *testing.T, k kind, cases []rfcCase) {
	t.Helper()
	var h Head
	for _, c := range cases {
		in := c.in
		if !strings.HasSuffix(in, "\r\n\r\n") && !strings.Contains(in, "\r\n\r\n") {
			in += "\r\n\r\n"
		}
		v, err := parse(&h, k, []byte(in))
		var e *Error
		switch {
		case c.reason == ReasonNone:
			if err != nil || v.n == 0 {
				t.Errorf("%q: %v, want it accepted", in, err)
			}
		case !errors.As(err, &e) || e.Reason != c.reason || e.Offset != c.at:
			t.Errorf("%q: %v, want %v at byte %d", in, err, c.reason, c.at)
		}
	}
}

func TestRFC9112_2_2_LineEnds(t *testing.T) {
	runCases(t, request, []rfcCase{
		{"GET / HTTP/1.1\nHost: a", ReasonBareLF, 14},
		{"GET / HTTP/1.1\r\nHost: a\nB: c", ReasonBareLF, 23},
		{"GET / HTTP/1.1\r\nHost: a\n\n", ReasonBareLF, 23},
		{"GET / HTTP/1.1\r\nHost: a\rB: c", ReasonBareCR, 23},
		{"GET / HTTP/1.1\r\nHost: a\r\r\n", ReasonBareCR, 23},
		{"GET / HTTP/1.1\rHost: a", ReasonBareCR, 14},
		{"GET /\rHTTP/1.1", ReasonBareCR, 5},
		{"GET /\nHTTP/1.1", ReasonBareLF, 5},
		{"GET\n/ HTTP/1.1", ReasonBareLF, 3},
		{"\nGET / HTTP/1.1", ReasonBareLF, 0},
		{"GET / HTTP/1.1\r\nHo\nst: a", ReasonBareLF, 18},
		{"GET / HTTP/1.1\r\nHo\rst: a", ReasonBareCR, 18},
		{"\r\nGET / HTTP/1.1", ReasonStartLine, 0}, // the one that is allowed is the message machine's to drop
		{"GET / HTTP/1.1\r\n Host: a", ReasonObsFold, 16},
		{"GET / HTTP/1.1\r\n\tHost: a", ReasonObsFold, 16},
	})
	runCases(t, response, []rfcCase{
		{"HTTP/1.1 200 OK\nA: b", ReasonBareLF, 15},
		{"HTTP/1.1 200 OK\rA: b", ReasonBareCR, 15},
		{"HTTP/1.1 200\nA: b", ReasonBareLF, 12},
		{"HTTP/1.1 200 OK\r\n Host: a", ReasonObsFold, 17},
	})
}

func TestRFC9112_2_3_Version(t *testing.T) {
	runCases(t, request, []rfcCase{
		{"GET / HTTP/1.0", 0, 0},
		{"GET / HTTP/1.1", 0, 0},
		{"GET / HTTP/1.2", 0, 0},
		{"GET / HTTP/1.9", 0, 0},
		{"GET / HTTP/2.0", ReasonVersion, 6},
		{"GET / HTTP/0.9", ReasonVersion, 6},
		{"GET / HTTP/9.9", ReasonVersion, 6},
		{"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", ReasonVersion, 6},
		{"GET / http/1.1", ReasonStartLine, 6},
		{"GET / HTTp/1.1", ReasonStartLine, 9},
		{"GET / HTTP/1.10", ReasonStartLine, 14},
		{"GET / HTTP/11", ReasonStartLine, 12},
		{"GET / HTTP/1", ReasonStartLine, 12},
		{"GET / HTTP/2", ReasonStartLine, 12},
		{"GET / HTTP/1.", ReasonStartLine, 13},
		{"GET / HTTP/1.x", ReasonStartLine, 13},
		{"GET / HTTP/1,1", ReasonStartLine, 12},
		{"GET / HTTP/+1.1", ReasonStartLine, 11},
		{"GET / HTTPS/1.1", ReasonStartLine, 10},
		{"GET / HTTP 1.1", ReasonStartLine, 10},
		{"GET / HTTP/ 1.1", ReasonStartLine, 11},
		{"GET / ICY", ReasonStartLine, 6},
	})
	runCases(t, response, []rfcCase{
		{"HTTP/1.0 200 OK", 0, 0},
		{"HTTP/1.7 200 OK", 0, 0},
		{"HTTP/2.0 200 OK", ReasonVersion, 0},
		{"HTTP/2 200 OK", ReasonStartLine, 6},
		{"http/1.1 200 OK", ReasonStartLine, 0},
		{"ICY 200 OK", ReasonStartLine, 0},
	})
}

func TestRFC9112_3_RequestLine(t *testing.T) {
	runCases(t, request, []rfcCase{
		{"M / HTTP/1.1", 0, 0},
		{"GET / HTTP/1.1 ", ReasonStartLine, 14},
		{"GET / HTTP/1.1\t", ReasonStartLine, 14},
		{"GET  / HTTP/1.1", ReasonStartLine, 4},
		{"GET /  HTTP/1.1", ReasonStartLine, 6},
		{"GET / x HTTP/1.1", ReasonStartLine, 6},
		{"GET HTTP/1.1", ReasonStartLine, 12},
		{"GET  HTTP/1.1", ReasonStartLine, 4},
		{"GET", ReasonStartLine, 3},
		{"GET ", ReasonStartLine, 4},
		{"GET /", ReasonStartLine, 5},
		{"GET / ", ReasonStartLine, 6},
		{"GET\t/ HTTP/1.1", ReasonMethod, 3},
		{"GET /\tHTTP/1.1", ReasonTarget, 5},
		{" GET / HTTP/1.1", ReasonMethod, 0},
		{"\tGET / HTTP/1.1", ReasonMethod, 0},
	})
}

func TestRFC9112_3_1_Method(t *testing.T) {
	runCases(t, request, []rfcCase{
		{"get / HTTP/1.1", 0, 0},
		{"WHATEVER / HTTP/1.1", 0, 0},
		{"!#$%&'*+-.^_`|~09AZaz / HTTP/1.1", 0, 0},
		{strings.Repeat("M", 300) + " / HTTP/1.1", 0, 0},
		{"G@T / HTTP/1.1", ReasonMethod, 1},
		{"GET: / HTTP/1.1", ReasonMethod, 3},
		{"(GET) / HTTP/1.1", ReasonMethod, 0},
		{"G\xc9T / HTTP/1.1", ReasonMethod, 1},
		{"G\x00T / HTTP/1.1", ReasonMethod, 1},
		{"GET\x7f / HTTP/1.1", ReasonMethod, 3},
		{"\x16\x03\x01\x02\x00", ReasonMethod, 0}, // TLS on a plain port
	})
}

func TestRFC9112_3_2_Target(t *testing.T) {
	runCases(t, request, []rfcCase{
		{"GET /a-._~b/c%20d?e=f&g=h;i,j:k@l!m$n'o(p)q*r+s[t] HTTP/1.1", 0, 0},
		{"GET http://user@example.com:80/?q HTTP/1.1", 0, 0},
		{"OPTIONS * HTTP/1.1", 0, 0},
		{"CONNECT [::1]:443 HTTP/1.1", 0, 0},
		{"GET /% HTTP/1.1", 0, 0}, // escapes are the handler's
		{"GET /a#b HTTP/1.1", ReasonTarget, 6},
		{"GET /a\"b HTTP/1.1", ReasonTarget, 6},
		{"GET /a<b HTTP/1.1", ReasonTarget, 6},
		{"GET /a>b HTTP/1.1", ReasonTarget, 6},
		{"GET /a\\b HTTP/1.1", ReasonTarget, 6},
		{"GET /a^b HTTP/1.1", ReasonTarget, 6},
		{"GET /a`b HTTP/1.1", ReasonTarget, 6},
		{"GET /a{b HTTP/1.1", ReasonTarget, 6},
		{"GET /a|b HTTP/1.1", ReasonTarget, 6},
		{"GET /a}b HTTP/1.1", ReasonTarget, 6},
		{"GET /a\x7fb HTTP/1.1", ReasonTarget, 6},
		{"GET /a\x00b HTTP/1.1", ReasonTarget, 6},
		{"GET /a\x80b HTTP/1.1", ReasonTarget, 6},
		{"GET /a\xffb HTTP/1.1", ReasonTarget, 6},
		{"GET /\xc3\xa9 HTTP/1.1", ReasonTarget, 5},
	})
}

func TestRFC9112_4_StatusLine(t *testing.T) {
	runCases(t, response, []rfcCase{
		{"HTTP/1.1 200 OK", 0, 0},
		{"HTTP/1.1 200 ", 0, 0},
		{"HTTP/1.1 200", 0, 0},
		{"HTTP/1.1 100 Continue", 0, 0},
		{"HTTP/1.1 999  two blanks,\ta tab and \xe9", 0, 0},
		{"HTTP/1.1 099 X", ReasonStatus, 9},
		{"HTTP/1.1 20 OK", ReasonStatus, 11},
		{"HTTP/1.1 20", ReasonStatus, 11},
		{"HTTP/1.1 2000 OK", ReasonStatus, 12},
		{"HTTP/1.1 200\tOK", ReasonStatus, 12},
		{"HTTP/1.1 2x0 OK", ReasonStatus, 10},
		{"HTTP/1.1 +20 OK", ReasonStatus, 9},
		{"HTTP/1.1 :00 OK", ReasonStatus, 9},
		{"HTTP/1.1 2/0 OK", ReasonStatus, 10},
		{"HTTP/1.1 20: OK", ReasonStatus, 11},
		{"HTTP/1.1  200 OK", ReasonStatus, 9},
		{"HTTP/1.1\t200 OK", ReasonStartLine, 8},
		{"HTTP/1.1", ReasonStartLine, 8},
		{"HTTP/1.1 ", ReasonStatus, 9},
		{"HTTP/1.1200 OK", ReasonStartLine, 8},
		{"HTTP/1.1 200 O\x00K", ReasonFieldValue, 14},
		{"HTTP/1.1 200 O\x7fK", ReasonFieldValue, 14},
		{"\r\nHTTP/1.1 200 OK", ReasonStartLine, 0},
	})
}

func TestRFC9112_5_FieldLines(t *testing.T) {
	const l = "GET / HTTP/1.1\r\n" // 16 bytes
	cases := []rfcCase{
		{l + "Host:a", 0, 0},
		{l + "Host: \t a \t ", 0, 0},
		{l + "Host:", 0, 0},
		{l + "!#$%&'*+-.^_`|~09AZaz: a", 0, 0},
		{l + "A: b: c", 0, 0},
		{l + "A:\ta\tb\x80\xff", 0, 0},
		{l + ": a", ReasonEmptyName, 16},
		{l + ":", ReasonEmptyName, 16},
		{l + "Host : a", ReasonSpaceBeforeColon, 20},
		{l + "Host\t: a", ReasonSpaceBeforeColon, 20},
		{l + "Host \t : a", ReasonSpaceBeforeColon, 20},
		{l + "Host a", ReasonFieldName, 20},
		{l + "Host a: b", ReasonFieldName, 20},
		{l + "Host ", ReasonFieldName, 20},
		{l + "Host", ReasonFieldName, 20},
		{l + "Host\r\nA: b", ReasonFieldName, 20},
		{l + "Ho@t: a", ReasonFieldName, 18},
		{l + "H\xc3\xb6st: a", ReasonFieldName, 17},
		{l + "Host\x00: a", ReasonFieldName, 20},
		{l + "Host\x7f: a", ReasonFieldName, 20},
		{l + "\x00: a", ReasonFieldName, 16},
		{l + "(Host): a", ReasonFieldName, 16},
		{l + "\"Host\": a", ReasonFieldName, 16},
		{l + "A[]: a", ReasonFieldName, 17},
		{l + "X-Something-Quite-Long{}: a", ReasonFieldName, 38},
		{l + strings.Repeat("a", maxName) + ": b", 0, 0},
		{l + strings.Repeat("a", maxName+1) + ": b", ReasonFieldName, 16 + maxName},
		{l + strings.Repeat("a", maxName+1), ReasonFieldName, 16 + maxName},
	}
	for c := range 0x20 {
		if c != '\t' && c != '\r' && c != '\n' {
			cases = append(cases, rfcCase{l + "A: b" + string(rune(c)) + "d", ReasonFieldValue, 20})
		}
	}
	cases = append(cases, rfcCase{l + "A: b\x7fd", ReasonFieldValue, 20})
	runCases(t, request, cases)
}

func TestRFC9112_5_2_ObsFold(t *testing.T) {
	runCases(t, request, []rfcCase{
		{"GET / HTTP/1.1\r\nA: b\r\n c", ReasonObsFold, 22},
		{"GET / HTTP/1.1\r\nA: b\r\n\tc", ReasonObsFold, 22},
		{"GET / HTTP/1.1\r\nA: b\r\n : c", ReasonObsFold, 22},
	})
	runCases(t, trailers, []rfcCase{
		{"A: b\r\n c", ReasonObsFold, 6},
		{" A: b", ReasonObsFold, 0},
	})
	runCases(t, response, []rfcCase{
		{"HTTP/1.1 200 OK\r\nA: b\r\n c\x00", ReasonFieldValue, 25},
		{"HTTP/1.1 200 OK\r\nA: b\r\n c\rd", ReasonBareCR, 25},
		{"HTTP/1.1 200 OK\r\nA: b\r\n c\nd", ReasonBareLF, 25},
		{"HTTP/1.1 200 OK\r\nA\r\n : c", ReasonSpaceBeforeColon, 18},
	})
	for _, c := range []struct{ in, value, raw string }{
		{"b\r\n c", "b   c", "b   c"},
		{"b\r\n\tc", "b  \tc", "b  \tc"},
		{"\r\n b", "b", "   b"},
		{"b\r\n ", "b", "b   "},
		{"b\r\n \r\n\t\r\n c", "b     \t   c", "b     \t   c"},
	} {
		const l = "HTTP/1.1 200 OK\r\nA:"
		b := []byte(l + c.in + "\r\nZ: z\r\n\r\n")
		var h Head
		n, err := h.ParseResponse(b, nil)
		if n != len(b) || len(h.Fields) != 2 || string(h.Fields[0].ValueOf(b)) != c.value ||
			string(h.Fields[1].ValueOf(b)) != "z" || !strings.HasPrefix(string(b[len(l):]), c.raw+"\r\nZ") {
			t.Errorf("%q: %d, %v, %q", c.in, n, err, b)
		}
	}
}

func TestRFC9112_7_1_2_Trailers(t *testing.T) {
	runCases(t, trailers, []rfcCase{
		{"\r\n\r\n", 0, 0},
		{"A: b", 0, 0},
		{"A: b\r\nC: d", 0, 0},
		{"GET / HTTP/1.1", ReasonFieldName, 3},
		{": b", ReasonEmptyName, 0},
		{"A : b", ReasonSpaceBeforeColon, 1},
		{"A: b\nC: d", ReasonBareLF, 4},
		{"A: b\x00", ReasonFieldValue, 4},
		{"\nA: b", ReasonBareLF, 0},
		{"\rA: b", ReasonBareCR, 0},
	})
}

func TestLimits(t *testing.T) {
	head := func(fields, target int) []byte {
		return []byte("GET /" + strings.Repeat("t", target-1) + " HTTP/1.1\r\n" + strings.Repeat("A: b\r\n", fields) + "\r\n")
	}
	for _, c := range []struct {
		lim            *Limits
		fields, target int
		reason         Reason
		at             int
	}{
		{nil, 1000, 16384, 0, 0},
		{nil, 1001, 1, ReasonTooManyFields, 16 + 6*1000},
		{nil, 0, 16385, ReasonTargetTooLong, 4 + 16384},
		{&Limits{}, 1000, 16384, 0, 0},
		{&Limits{}, 1001, 1, ReasonTooManyFields, 16 + 6*1000},
		{&Limits{Fields: 3}, 3, 1, 0, 0},
		{&Limits{Fields: 3}, 4, 1, ReasonTooManyFields, 16 + 6*3},
		{&Limits{Target: 5}, 1, 5, 0, 0},
		{&Limits{Target: 5}, 1, 6, ReasonTargetTooLong, 9},
		{&Limits{Fields: -1, Target: -1}, 65535, 100000, 0, 0},
		{&Limits{Fields: -1}, 65536, 1, ReasonTooManyFields, 16 + 6*65535},
		{&Limits{Fields: 1 << 20}, 65536, 1, ReasonTooManyFields, 16 + 6*65535},
	} {
		var h Head
		b := head(c.fields, c.target)
		n, err := h.ParseRequest(b, c.lim)
		if c.reason == ReasonNone {
			if n != len(b) || len(h.Fields) != c.fields {
				t.Errorf("%+v, %d fields, target of %d: %v", c.lim, c.fields, c.target, err)
			}
			continue
		}
		if e, ok := err.(*Error); !ok || e.Reason != c.reason || e.Offset != c.at {
			t.Errorf("%+v, %d fields, target of %d: %v, want %v at byte %d", c.lim, c.fields, c.target, err, c.reason, c.at)
		}
	}
	var h Head
	if _, err := h.ParseTrailers([]byte("A: b\r\nC: d\r\n\r\n"), &Limits{Fields: 1}); err == nil {
		t.Error("trailers know no limit")
	}
}
