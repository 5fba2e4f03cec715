// Cases from outside: what RFC 9112, RFC 9110 and known smuggling techniques say, written against
// the wire and not against the code. Each is the bytes sent and what must come back: the statuses
// of the answers in order, and whether the connection is then still good for a request. Each is
// sent whole, and byte by byte.

package engine_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/gale-http/gale/engine"
)

// outside is a case. A line feed stands for CRLF, ␊ for a line feed alone.
type outside struct {
	name string
	send string
	want string // statuses, then "open" or "closed"; a|b is either, c? is c or nothing
}

// crlf makes CRLF of line feeds, and line feeds of ␊.
func crlf(s string) string {
	return strings.NewReplacer("\n", "\r\n", "␊", "\n").Replace(s)
}

const (
	get  = "GET / HTTP/1.1\nHost: a\n\n"
	evil = "GET /evil HTTP/1.1\nHost: a\n\n"
)

var outsides = []outside{
	// RFC 9112 §2.2: message parsing.
	{"one empty line before a request", "\n" + get, "200 open"},
	{"a bare LF before a request", "␊" + get, "400 closed"},
	{"a space before the request line", " " + get, "400 closed"},
	{"a bare LF behind the request line", "GET / HTTP/1.1␊Host: a\n\n", "400 closed"},
	{"a bare LF at the end of the head", "GET / HTTP/1.1\nHost: a\n␊" + evil, "400 closed"},
	{"a bare LF between fields", "GET / HTTP/1.1\nHost: a␊X: b\n\n", "400 closed"},
	{"a bare CR in a value", "GET / HTTP/1.1\nHost: a\nX: a\rb\n\n", "400 closed"},
	{"a bare CR before a field", "GET / HTTP/1.1\nHost: a\n\rX: b\n\n", "400 closed"},
	{"CR CR LF at the end", "GET / HTTP/1.1\nHost: a\n\r\n\n", "400 closed"},
	{"a field before the first by white space", "GET / HTTP/1.1\n Host: a\n\n", "400 closed"},
	{"a tab before the first field", "GET / HTTP/1.1\n\tX: a\nHost: a\n\n", "400 closed"},
	{"NUL in a value", "GET / HTTP/1.1\nHost: a\nX: a\x00b\n\n", "400 closed"},
	{"NUL in a name", "GET / HTTP/1.1\nHost: a\nX\x00: b\n\n", "400 closed"},
	{"NUL in the target", "GET /\x00 HTTP/1.1\nHost: a\n\n", "400 closed"},
	{"DEL in a value", "GET / HTTP/1.1\nHost: a\nX: a\x7fb\n\n", "400 closed"},
	{"a tab in a value", "GET / HTTP/1.1\nHost: a\nX: a\tb\n\n", "200 open"},
	{"TLS instead of HTTP", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n\n", "400 closed"},
	{"the preface of HTTP/2", "PRI * HTTP/2.0\n\nSM\n\n", "505 closed"},

	// RFC 9112 §3: the request line.
	{"two spaces behind the method", "GET  / HTTP/1.1\nHost: a\n\n", "400 closed"},
	{"two spaces before the version", "GET /  HTTP/1.1\nHost: a\n\n", "400 closed"},
	{"a tab in the request line", "GET\t/ HTTP/1.1\nHost: a\n\n", "400 closed"},
	{"a space behind the version", "GET / HTTP/1.1 \nHost: a\n\n", "400 closed"},
	{"no version: HTTP/0.9", "GET /\n\n", "400 closed"},
	{"no target", "GET HTTP/1.1\nHost: a\n\n", "400 closed"},
	{"an empty target", "GET  HTTP/1.1\nHost: a\n\n", "400 closed"},
	{"a space in the target", "GET /a b HTTP/1.1\nHost: a\n\n", "400 closed"},
	{"a fragment", "GET /a#b HTTP/1.1\nHost: a\n\n", "400 closed"},
	{"obs-text in the target", "GET /\xe9 HTTP/1.1\nHost: a\n\n", "400 closed"},
	{"a relative target", "GET a HTTP/1.1\nHost: a\n\n", "400 closed"},
	{"a query alone", "GET ?a HTTP/1.1\nHost: a\n\n", "400 closed"},
	{"lower-case http", "GET / http/1.1\nHost: a\n\n", "400 closed"},
	{"HTTP/1.", "GET / HTTP/1.\nHost: a\n\n", "400 closed"},
	{"HTTP/1.10", "GET / HTTP/1.10\nHost: a\n\n", "400 closed"},
	{"HTTP/01.1", "GET / HTTP/01.1\nHost: a\n\n", "400 closed"},
	{"HTTP/2.0", "GET / HTTP/2.0\nHost: a\n\n", "505 closed"},
	{"HTTP/0.9", "GET / HTTP/0.9\nHost: a\n\n", "505 closed"},
	{"HTTP/1.9 is served as 1.1", "GET / HTTP/1.9\nHost: a\n\n", "200 open"},
	{"HTTPS/1.1", "GET / HTTPS/1.1\nHost: a\n\n", "400 closed"},
	{"a method in lower case is another method", "get / HTTP/1.1\nHost: a\n\n", "200 open"},
	{"a method that is no token", "G(T / HTTP/1.1\nHost: a\n\n", "400 closed"},
	{"an empty method", " / HTTP/1.1\nHost: a\n\n", "400 closed"},
	{"a long method", strings.Repeat("M", 300) + " / HTTP/1.1\nHost: a\n\n", "200 open"},

	// RFC 9112 §3.2: targets and Host.
	{"absolute-form", "GET http://b/x HTTP/1.1\nHost: a\n\n", "200 open"},
	{"absolute-form without Host", "GET http://b/x HTTP/1.1\n\n", "400 closed"},
	{"absolute-form with userinfo", "GET http://u:p@b/ HTTP/1.1\nHost: b\n\n", "400 closed"},
	{"absolute-form without an authority", "GET http:///x HTTP/1.1\nHost: b\n\n", "400 closed"},
	{"absolute-form of https", "GET https://b/x HTTP/1.1\nHost: b\n\n", "200 open"},
	{"OPTIONS *", "OPTIONS * HTTP/1.1\nHost: a\n\n", "200 open"},
	{"GET *", "GET * HTTP/1.1\nHost: a\n\n", "400 closed"},
	{"OPTIONS of a path", "OPTIONS / HTTP/1.1\nHost: a\n\n", "200 open"},
	{"authority-form to GET", "GET a:80 HTTP/1.1\nHost: a\n\n", "400 closed"},
	{"CONNECT of a path", "CONNECT / HTTP/1.1\nHost: a\n\n", "400 closed"},
	{"CONNECT without a port", "CONNECT a HTTP/1.1\nHost: a\n\n", "400 closed"},
	{"no Host", "GET / HTTP/1.1\n\n", "400 closed"},
	{"no Host in HTTP/1.0", "GET / HTTP/1.0\n\n", "200 closed"},
	{"two equal Hosts", "GET / HTTP/1.1\nHost: a\nHost: a\n\n", "400 closed"},
	{"two Hosts in HTTP/1.0", "GET / HTTP/1.0\nHost: a\nHost: b\n\n", "400 closed"},
	{"a list of Hosts", "GET / HTTP/1.1\nHost: a, b\n\n", "400 closed"},
	{"Host with a path", "GET / HTTP/1.1\nHost: a/b\n\n", "400 closed"},
	{"Host with userinfo", "GET / HTTP/1.1\nHost: u@a\n\n", "400 closed"},
	{"Host with a bad port", "GET / HTTP/1.1\nHost: a:b\n\n", "400 closed"},
	{"Host with an empty port", "GET / HTTP/1.1\nHost: a:\n\n", "200 open"},
	{"Host of IPv6", "GET / HTTP/1.1\nHost: [::1]:80\n\n", "200 open"},
	{"Host of half an IPv6", "GET / HTTP/1.1\nHost: [::1\n\n", "400 closed"},
	{"an empty Host", "GET / HTTP/1.1\nHost:\n\n", "200 open"},
	{"Host with white space", "GET / HTTP/1.1\nHost: a b\n\n", "400 closed"},

	// RFC 9112 §5: fields.
	{"a space before the colon", "GET / HTTP/1.1\nHost: a\nX : b\n\n", "400 closed"},
	{"a tab before the colon", "GET / HTTP/1.1\nHost: a\nX\t: b\n\n", "400 closed"},
	{"no name", "GET / HTTP/1.1\nHost: a\n: b\n\n", "400 closed"},
	{"no colon", "GET / HTTP/1.1\nHost: a\nX\n\n", "400 closed"},
	{"an obs-fold", "GET / HTTP/1.1\nHost: a\nX: a\n b\n\n", "400 closed"},
	{"an obs-fold of white space", "GET / HTTP/1.1\nHost: a\nX: a\n \n\n", "400 closed"},
	{"a folded Transfer-Encoding", "POST / HTTP/1.1\nHost: a\nTransfer-Encoding:\n chunked\n\n0\n\n", "400 closed"},
	{"a name that is no token", "GET / HTTP/1.1\nHost: a\nX(Y): b\n\n", "400 closed"},
	{"obs-text in a name", "GET / HTTP/1.1\nHost: a\nX\xe9: b\n\n", "400 closed"},
	{"obs-text in a value", "GET / HTTP/1.1\nHost: a\nX: \xe9\n\n", "200 open"},
	{"an empty value", "GET / HTTP/1.1\nHost: a\nX:\n\n", "200 open"},
	{"white space round a value", "GET / HTTP/1.1\nHost: a\nX: \t b \t \n\n", "200 open"},

	// RFC 9112 §6: lengths.
	{"a length with a sign", "POST / HTTP/1.1\nHost: a\nContent-Length: +3\n\nabc", "400 closed"},
	{"a negative length", "POST / HTTP/1.1\nHost: a\nContent-Length: -1\n\n", "400 closed"},
	{"a hexadecimal length", "POST / HTTP/1.1\nHost: a\nContent-Length: 0x3\n\nabc", "400 closed"},
	{"an empty length", "POST / HTTP/1.1\nHost: a\nContent-Length:\n\n", "400 closed"},
	{"a length with a space in it", "POST / HTTP/1.1\nHost: a\nContent-Length: 1 2\n\nabc", "400 closed"},
	{"a list of equal lengths", "POST / HTTP/1.1\nHost: a\nContent-Length: 3, 3\n\nabc", "400 closed"},
	{"two equal lengths", "POST / HTTP/1.1\nHost: a\nContent-Length: 3\nContent-Length: 3\n\nabc", "400 closed"},
	{"a length beyond 64 bits", "POST / HTTP/1.1\nHost: a\nContent-Length: 18446744073709551619\n\nabc", "400 closed"},
	{"a length beyond 63 bits", "POST / HTTP/1.1\nHost: a\nContent-Length: 9223372036854775808\n\nabc", "400 closed"},
	{"a length with leading zeros", "POST / HTTP/1.1\nHost: a\nContent-Length: 0003\n\nabc", "200 open"},
	{"a length with a comma", "POST / HTTP/1.1\nHost: a\nContent-Length: 3,\n\nabc", "400 closed"},
	{"a fractional length", "POST / HTTP/1.1\nHost: a\nContent-Length: 3.0\n\nabc", "400 closed"},
	{"a length in other digits", "POST / HTTP/1.1\nHost: a\nContent-Length: \xd9\xa3\n\nabc", "400 closed"},
	{"TE.CL", "POST / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\nContent-Length: 3\n\n0\n\n" + evil, "400 closed"},
	{"CL.TE", "POST / HTTP/1.1\nHost: a\nContent-Length: 6\nTransfer-Encoding: chunked\n\n0\n\nG", "400 closed"},
	{"CL: 0 with TE", "POST / HTTP/1.1\nHost: a\nContent-Length: 0\nTransfer-Encoding: chunked\n\n0\n\n", "400 closed"},
	{"TE with a vertical tab", "POST / HTTP/1.1\nHost: a\nTransfer-Encoding: \x0bchunked\n\n0\n\n", "400 closed"},
	{"TE: xchunked", "POST / HTTP/1.1\nHost: a\nTransfer-Encoding: xchunked\n\n0\n\n", "501 closed"},
	{"TE: chunked in quotes", "POST / HTTP/1.1\nHost: a\nTransfer-Encoding: \"chunked\"\n\n0\n\n", "400|501 closed"},
	{"TE: identity", "POST / HTTP/1.1\nHost: a\nTransfer-Encoding: identity\n\n", "501 closed"},
	{"TE: empty", "POST / HTTP/1.1\nHost: a\nTransfer-Encoding:\n\n", "400 closed"},
	{"TE: gzip, chunked", "POST / HTTP/1.1\nHost: a\nTransfer-Encoding: gzip, chunked\n\n0\n\n", "501 closed"},
	{"TE: chunked, gzip", "POST / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked, gzip\n\n0\n\n", "400|501 closed"},
	{"TE: chunked, chunked", "POST / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked, chunked\n\n0\n\n", "400 closed"},
	{"TE: chunked twice", "POST / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\nTransfer-Encoding: chunked\n\n0\n\n", "400 closed"},
	{"TE: chunked and identity", "POST / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\nTransfer-Encoding: identity\n\n0\n\n", "400|501 closed"},
	{"TE: chunked;q=1", "POST / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked;q=1\n\n0\n\n", "400|501 closed"},
	{"TE: CHUNKED", "POST / HTTP/1.1\nHost: a\nTransfer-Encoding: CHUNKED\n\n0\n\n", "200 open"},
	{"TE: chunked with white space round it", "POST / HTTP/1.1\nHost: a\nTransfer-Encoding: \t chunked \t\n\n0\n\n", "200 open"},
	{"TE in HTTP/1.0", "POST / HTTP/1.0\nHost: a\nTransfer-Encoding: chunked\n\n0\n\n", "400 closed"},
	{"Transfer_Encoding is another field", "POST / HTTP/1.1\nHost: a\nTransfer_Encoding: chunked\nContent-Length: 3\n\nabc", "200 open"},
	{"a body to GET is no request", "GET / HTTP/1.1\nHost: a\nContent-Length: " + fmt.Sprint(len(crlf(evil))) + "\n\n" + evil, "200 open"},
	{"a body to HEAD is no request", "HEAD / HTTP/1.1\nHost: a\nContent-Length: " + fmt.Sprint(len(crlf(evil))) + "\n\n" + evil, "200 open"},
	{"a body to OPTIONS is no request", "OPTIONS / HTTP/1.1\nHost: a\nContent-Length: " + fmt.Sprint(len(crlf(evil))) + "\n\n" + evil, "200 open"},
	{"a body to an unknown method is no request", "BREW / HTTP/1.1\nHost: a\nContent-Length: " + fmt.Sprint(len(crlf(evil))) + "\n\n" + evil, "200 open"},

	// RFC 9112 §7.1: chunks. The handler reads the body.
	{"chunks", "POST /read HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n3\nabc\n00A\n0123456789\na\n0123456789\n0\n\n", "200 open"},
	{"a chunk size with 0x", "POST /read HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n0x3\nabc\n0\n\n", "400 closed"},
	{"a chunk size with a sign", "POST /read HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n+3\nabc\n0\n\n", "400 closed"},
	{"a negative chunk size", "POST /read HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n-3\nabc\n0\n\n", "400 closed"},
	{"an empty chunk size", "POST /read HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n\nabc\n0\n\n", "400 closed"},
	{"a chunk size that overflows", "POST /read HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n10000000000000003\nabc\n0\n\n", "400 closed"},
	{"a chunk size beyond 63 bits", "POST /read HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n8000000000000000\nabc\n0\n\n", "400 closed"},
	{"a chunk size with a space before it", "POST /read HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n 3\nabc\n0\n\n", "400 closed"},
	{"a chunk size with a letter", "POST /read HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n3g\nabc\n0\n\n", "400 closed"},
	{"a chunk size with an underscore", "POST /read HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n0_3\nabc\n0\n\n", "400 closed"},
	{"a chunk without its CRLF", "POST /read HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n3\nabc0\n\n", "400 closed"},
	{"a chunk with more than it says", "POST /read HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n3\nabcd\n0\n\n", "400 closed"},
	{"a chunk that ends with LF", "POST /read HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n3\nabc␊0\n\n", "400 closed"},
	{"a size line that ends with LF", "POST /read HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n3␊abc\n0\n\n", "400 closed"},
	{"a size line that ends with CR and something", "POST /read HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n3\rXabc\n0\n\n", "400 closed"},
	{"an extension", "POST /read HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n3;a;b=c;d=\"e;\\\"\"\nabc\n0;x\n\n", "200 open"},
	{"an extension without a name", "POST /read HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n3;\nabc\n0\n\n", "400 closed"},
	{"an extension with a bare LF", "POST /read HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n3;a␊b\nabc\n0\n\n", "400 closed"},
	{"an extension with a NUL", "POST /read HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n3;a=\x00\nabc\n0\n\n", "400 closed"},
	{"an extension in half a string", "POST /read HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n3;a=\"b\nabc\n0\n\n", "400 closed"},
	{"a long extension", "POST /read HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n3;a=" + strings.Repeat("b", 300) + "\nabc\n0\n\n", "400 closed"},
	{"many small chunks", "POST /read HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n" + strings.Repeat("1\na\n", 2000) + "0\n\n", "200 open"},
	{"too many small chunks with extensions", "POST /read HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n" + strings.Repeat("1;abcdefghijklmnopqrstuvwxyz\na\n", 2000) + "0\n\n", "400 closed"},
	{"trailers", "POST /read HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n0\nX: a\nY: b\n\n", "200 open"},
	{"a trailer with a space before the colon", "POST /read HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n0\nX : a\n\n", "400 closed"},
	{"a folded trailer", "POST /read HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n0\nX: a\n b\n\n", "400 closed"},
	{"a trailer with a bare LF", "POST /read HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n0\nX: a␊\n", "400 closed"},
	{"a trailer that is a length", "POST /read HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n0\nContent-Length: 50\n\n" + get, "200 200 open"},
	{"a trailer that is a request", "POST /read HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n0\n" + evil, "400 closed"},
	{"long trailers", "POST /read HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n0\nX: " + strings.Repeat("a", 9000) + "\n\n", "431 closed"},
	{"an unread body in chunks, then a request", "POST / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n3\nabc\n0\n\n" + get, "200 200 open"},

	// RFC 9112 §9.3 and §9.6: persistence.
	{"close", "GET / HTTP/1.1\nHost: a\nConnection: close\n\n" + evil, "200 closed"},
	{"Close", "GET / HTTP/1.1\nHost: a\nConnection: ClOsE\n\n" + evil, "200 closed"},
	{"close in a list", "GET / HTTP/1.1\nHost: a\nConnection: x ,\t close,y\n\n" + evil, "200 closed"},
	{"close in a second line", "GET / HTTP/1.1\nHost: a\nConnection: x\nConnection: close\n\n" + evil, "200 closed"},
	{"closed is no close", "GET / HTTP/1.1\nHost: a\nConnection: closed, xclose, close-\n\n", "200 open"},
	{"close and keep-alive", "GET / HTTP/1.1\nHost: a\nConnection: keep-alive, close\n\n", "200 closed"},
	{"empty elements", "GET / HTTP/1.1\nHost: a\nConnection: , ,close, ,\n\n", "200 closed"},
	{"keep-alive in HTTP/1.0", "GET / HTTP/1.0\nConnection: x, Keep-Alive\n\n", "200 open"},
	{"close and keep-alive in HTTP/1.0", "GET / HTTP/1.0\nConnection: keep-alive\nConnection: close\n\n", "200 closed"},
	{"Proxy-Connection means nothing", "GET / HTTP/1.0\nProxy-Connection: keep-alive\n\n", "200 closed"},
	{"1.0 then 1.1", "GET / HTTP/1.0\nConnection: keep-alive\n\n" + get, "200 200 open"},
	{"ten, then an error, then another", strings.Repeat(get, 10) + "BAD\n\n" + evil, strings.Repeat("200 ", 10) + "400 closed"},
	{"an error of the second's body", "POST /read HTTP/1.1\nHost: a\nContent-Length: 1\n\nxPOST /read HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\nx\n" + evil, "200 400 closed"},

	// RFC 9110 §10.1.1: Expect.
	{"100-continue in another case", "POST /read HTTP/1.1\nHost: a\nExpect: 100-CONTINUE\nContent-Length: 1\n\nx", "100? 200 open"},
	{"100-continue with something else", "POST /read HTTP/1.1\nHost: a\nExpect: 100-continue, x\nContent-Length: 1\n\nx", "417 open|closed"},
	{"100-continue twice", "POST /read HTTP/1.1\nHost: a\nExpect: 100-continue\nExpect: 100-continue\nContent-Length: 1\n\nx", "100? 200|417 open|closed"},
	{"100-continues", "POST /read HTTP/1.1\nHost: a\nExpect: 100-continues\nContent-Length: 1\n\nx", "417 open|closed"},
	{"Expect in HTTP/1.0", "POST /read HTTP/1.0\nExpect: 100-continue\nContent-Length: 1\n\nx", "200 closed"},

	// RFC 9110 §7.8: Upgrade.
	{"Upgrade that nobody takes", "GET / HTTP/1.1\nHost: a\nConnection: Upgrade\nUpgrade: websocket\n\n" + get, "200 200 open"},
	{"Upgrade: h2c", "GET / HTTP/1.1\nHost: a\nConnection: Upgrade, HTTP2-Settings\nUpgrade: h2c\nHTTP2-Settings: AAMAAABkAAQAAP__\n\n", "200 open"},
	{"Upgrade in HTTP/1.0", "GET / HTTP/1.0\nConnection: Upgrade\nUpgrade: websocket\n\n", "200 closed"},

	// Long everything, against the defaults.
	{"a long target", "GET /" + strings.Repeat("a", 17<<10) + " HTTP/1.1\nHost: a\n\n", "414 closed"},
	{"a target that never ends", "GET /" + strings.Repeat("a", 70<<10), "414 closed"},
	{"a method that never ends", strings.Repeat("A", 70<<10), "400|414|431 closed"},
	{"a long value", "GET / HTTP/1.1\nHost: a\nX: " + strings.Repeat("a", 70<<10) + "\n\n", "431 closed"},
	{"a value that never ends", "GET / HTTP/1.1\nHost: a\nX: " + strings.Repeat("a", 70<<10), "431 closed"},
	{"a long name", "GET / HTTP/1.1\nHost: a\n" + strings.Repeat("a", 70<<10) + ": x\n\n", "431 closed"},
	{"1001 fields", "GET / HTTP/1.1\nHost: a\n" + strings.Repeat("X: a\n", 1000) + "\n", "431 closed"},
	{"1000 fields", "GET / HTTP/1.1\nHost: a\n" + strings.Repeat("X: a\n", 999) + "\n", "200 open"},
	{"60 KiB of head", "GET / HTTP/1.1\nHost: a\nX: " + strings.Repeat("a", 60<<10) + "\n\n", "200 open"},
	{"empty lines for ever", strings.Repeat("\n", 100), "400 closed"},
}

// fromOutside answers with what a request was; a request for /evil was smuggled.
func fromOutside(req *engine.Request, res *engine.Response) {
	if strings.HasPrefix(string(req.URL()), "/evil") {
		_ = res.SetStatus(599)
		return
	}
	if string(req.URL()) == "/read" {
		if _, err := readAll(req); err != nil {
			return
		}
	}
	_ = res.EndString(req.Method())
}

// TestFromOutside plays them all.
func TestFromOutside(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		s := start(t, d, fromOutside)
		for _, o := range outsides {
			for _, little := range []bool{false, true} {
				text := crlf(o.send)
				if little && (len(text) > 4000 || d.loops > 1) {
					continue
				}
				got := meet(s, text, little)
				if !slices.Contains(alternatives(o.want), got) {
					t.Errorf("%s (byte by byte: %v):\ngot  %s\nwant %s", o.name, little, got, o.want)
				}
			}
		}
	})
}

// meet sends text and returns the statuses of the answers, and whether the connection
// is still good. Every answer must have a date, and an error that closes must say so.
func meet(s *server, text string, little bool) string {
	c := s.dial()
	defer c.Close()
	method := "GET"
	if strings.HasPrefix(text, "HEAD ") {
		method = "HEAD"
	}
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		for ; little && len(text) > 0; text = text[1:] {
			if _, err := io.WriteString(c, text[:1]); err != nil {
				return
			}
		}
		// A last request proves that the connection is good.
		_, _ = io.WriteString(c, text+"PROBE / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
		_ = c.Conn.(*net.TCPConn).CloseWrite() // it may be closed already
	}()
	defer func() { <-sent }()
	var seen []string
	for closing := true; ; method = "GET" {
		res, err := http.ReadResponse(c.in, &http.Request{Method: method})
		if err != nil {
			if !closing {
				seen = append(seen, "without a word")
			}
			return strings.Join(append(seen, "closed"), " ")
		}
		closing = res.Close || res.Request.Method == "HEAD"
		body, err := io.ReadAll(res.Body)
		if string(body) == "PROBE" {
			return strings.Join(append(seen, "open"), " ")
		}
		seen = append(seen, fmt.Sprint(res.StatusCode))
		if err != nil || res.Header.Get("Date") == "" && res.StatusCode >= 200 {
			seen = append(seen, fmt.Sprintf("broken: %v %v", err, res.Header))
		}
	}
}

// alternatives spells out what an expectation allows: a|b, and c? for c or nothing.
func alternatives(want string) []string {
	all := []string{""}
	for word := range strings.FieldsSeq(want) {
		var next []string
		for _, before := range all {
			for choice := range strings.SplitSeq(strings.TrimSuffix(word, "?"), "|") {
				next = append(next, strings.TrimSpace(before+" "+choice))
			}
			if strings.HasSuffix(word, "?") {
				next = append(next, before)
			}
		}
		all = next
	}
	return all
}
