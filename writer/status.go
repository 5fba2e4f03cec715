// Package writer formats the parts of an outgoing message: status and request lines,
// header fields, the Date, chunk framing, trailers.
//
// Every AppendX function appends to dst and returns the extended slice, as the
// built-in append does. dst may be nil; nothing is allocated if it has enough
// capacity. [Headers] is the list of outgoing fields of one message, kept in the
// form in which it will be sent. Nothing here reads a clock, does I/O or locks;
// values of the types may be used by one goroutine at a time.
//
// The AppendX functions trust their arguments. [Headers] does not: it refuses
// names and values that would corrupt the framing of the message.
package writer

// Each known status has its whole status line as a constant, so that the common case
// is one copy; the reason phrases are substrings of those lines.

import "iter"

const (
	statusLine200 = "HTTP/1.1 200 OK\r\n"
	// reasonOff is where the reason phrase begins in a status line.
	reasonOff = len("HTTP/1.1 200 ")

	minStatus = 100
	maxKnown  = 511
)

// statusLines holds the status line of each code, from minStatus on, "" for codes
// without a reason phrase. The codes and phrases are the permanent entries of the IANA
// HTTP Status Code Registry (RFC 9110 §16.2.1), and 418, which the registry only
// reserves but the seed's http.STATUS_CODES names.
var statusLines = [maxKnown - minStatus + 1]string{
	100 - minStatus: "HTTP/1.1 100 Continue\r\n",
	101 - minStatus: "HTTP/1.1 101 Switching Protocols\r\n",
	102 - minStatus: "HTTP/1.1 102 Processing\r\n",
	103 - minStatus: "HTTP/1.1 103 Early Hints\r\n",

	200 - minStatus: statusLine200,
	201 - minStatus: "HTTP/1.1 201 Created\r\n",
	202 - minStatus: "HTTP/1.1 202 Accepted\r\n",
	203 - minStatus: "HTTP/1.1 203 Non-Authoritative Information\r\n",
	204 - minStatus: "HTTP/1.1 204 No Content\r\n",
	205 - minStatus: "HTTP/1.1 205 Reset Content\r\n",
	206 - minStatus: "HTTP/1.1 206 Partial Content\r\n",
	207 - minStatus: "HTTP/1.1 207 Multi-Status\r\n",
	208 - minStatus: "HTTP/1.1 208 Already Reported\r\n",
	226 - minStatus: "HTTP/1.1 226 IM Used\r\n",

	300 - minStatus: "HTTP/1.1 300 Multiple Choices\r\n",
	301 - minStatus: "HTTP/1.1 301 Moved Permanently\r\n",
	302 - minStatus: "HTTP/1.1 302 Found\r\n",
	303 - minStatus: "HTTP/1.1 303 See Other\r\n",
	304 - minStatus: "HTTP/1.1 304 Not Modified\r\n",
	305 - minStatus: "HTTP/1.1 305 Use Proxy\r\n",
	307 - minStatus: "HTTP/1.1 307 Temporary Redirect\r\n",
	308 - minStatus: "HTTP/1.1 308 Permanent Redirect\r\n",

	400 - minStatus: "HTTP/1.1 400 Bad Request\r\n",
	401 - minStatus: "HTTP/1.1 401 Unauthorized\r\n",
	402 - minStatus: "HTTP/1.1 402 Payment Required\r\n",
	403 - minStatus: "HTTP/1.1 403 Forbidden\r\n",
	404 - minStatus: "HTTP/1.1 404 Not Found\r\n",
	405 - minStatus: "HTTP/1.1 405 Method Not Allowed\r\n",
	406 - minStatus: "HTTP/1.1 406 Not Acceptable\r\n",
	407 - minStatus: "HTTP/1.1 407 Proxy Authentication Required\r\n",
	408 - minStatus: "HTTP/1.1 408 Request Timeout\r\n",
	409 - minStatus: "HTTP/1.1 409 Conflict\r\n",
	410 - minStatus: "HTTP/1.1 410 Gone\r\n",
	411 - minStatus: "HTTP/1.1 411 Length Required\r\n",
	412 - minStatus: "HTTP/1.1 412 Precondition Failed\r\n",
	413 - minStatus: "HTTP/1.1 413 Content Too Large\r\n",
	414 - minStatus: "HTTP/1.1 414 URI Too Long\r\n",
	415 - minStatus: "HTTP/1.1 415 Unsupported Media Type\r\n",
	416 - minStatus: "HTTP/1.1 416 Range Not Satisfiable\r\n",
	417 - minStatus: "HTTP/1.1 417 Expectation Failed\r\n",
	418 - minStatus: "HTTP/1.1 418 I'm a teapot\r\n",
	421 - minStatus: "HTTP/1.1 421 Misdirected Request\r\n",
	422 - minStatus: "HTTP/1.1 422 Unprocessable Content\r\n",
	423 - minStatus: "HTTP/1.1 423 Locked\r\n",
	424 - minStatus: "HTTP/1.1 424 Failed Dependency\r\n",
	425 - minStatus: "HTTP/1.1 425 Too Early\r\n",
	426 - minStatus: "HTTP/1.1 426 Upgrade Required\r\n",
	428 - minStatus: "HTTP/1.1 428 Precondition Required\r\n",
	429 - minStatus: "HTTP/1.1 429 Too Many Requests\r\n",
	431 - minStatus: "HTTP/1.1 431 Request Header Fields Too Large\r\n",
	451 - minStatus: "HTTP/1.1 451 Unavailable For Legal Reasons\r\n",

	500 - minStatus: "HTTP/1.1 500 Internal Server Error\r\n",
	501 - minStatus: "HTTP/1.1 501 Not Implemented\r\n",
	502 - minStatus: "HTTP/1.1 502 Bad Gateway\r\n",
	503 - minStatus: "HTTP/1.1 503 Service Unavailable\r\n",
	504 - minStatus: "HTTP/1.1 504 Gateway Timeout\r\n",
	505 - minStatus: "HTTP/1.1 505 HTTP Version Not Supported\r\n",
	506 - minStatus: "HTTP/1.1 506 Variant Also Negotiates\r\n",
	507 - minStatus: "HTTP/1.1 507 Insufficient Storage\r\n",
	508 - minStatus: "HTTP/1.1 508 Loop Detected\r\n",
	510 - minStatus: "HTTP/1.1 510 Not Extended\r\n",
	511 - minStatus: "HTTP/1.1 511 Network Authentication Required\r\n",
}

// knownLine returns the whole status line of code, "" when code has no reason phrase.
func knownLine(code int) string {
	if i := uint(code - minStatus); i < uint(len(statusLines)) {
		return statusLines[i]
	}
	return ""
}

// StatusText returns the reason phrase of a status code (seed:
// http.STATUS_CODES), "" for a code that has none.
func StatusText(code int) string {
	if line := knownLine(code); line != "" {
		return line[reasonOff : len(line)-2]
	}
	return ""
}

// StatusCodes iterates over the status codes that have a reason phrase, in ascending
// order, with their phrases (seed: http.STATUS_CODES).
func StatusCodes() iter.Seq2[int, string] {
	return func(yield func(int, string) bool) {
		for i, line := range statusLines {
			if line != "" && !yield(i+minStatus, line[reasonOff:len(line)-2]) {
				return
			}
		}
	}
}

// AppendStatusLine appends a status line (RFC 9112 §4), CRLF included. The version
// is always HTTP/1.1: it states the sender's capability, not what the message uses
// (RFC 9110 §2.5). An empty reason means StatusText(code); if that is empty too, the
// line ends in the space that the grammar requires.
//
// reason must be free of control bytes. code should be 100 to 999; any other code
// cannot be expressed in a status line and becomes 500.
func AppendStatusLine(dst []byte, code int, reason string) []byte {
	if reason == "" {
		if code == 200 {
			return append(dst, statusLine200...)
		}
		if line := knownLine(code); line != "" {
			return append(dst, line...)
		}
	}
	if code < 100 || code > 999 {
		code = 500
	}
	dst = append(dst, "HTTP/1.1 "...)
	dst = append(dst, byte('0'+code/100), byte('0'+code/10%10), byte('0'+code%10), ' ')
	dst = append(dst, reason...)
	return append(dst, "\r\n"...)
}

// AppendRequestLine appends a request line (RFC 9112 §3), CRLF included, as
// HTTP/1.1. method must be a token, target free of spaces and control bytes.
func AppendRequestLine(dst []byte, method, target string) []byte {
	dst = append(dst, method...)
	dst = append(dst, ' ')
	dst = append(dst, target...)
	return append(dst, " HTTP/1.1\r\n"...)
}
