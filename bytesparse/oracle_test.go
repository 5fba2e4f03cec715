package bytesparse

import (
	"regexp"
	"strings"
)

// The oracle: a second, strict implementation of the rules of RFC 9110 and 9112, as
// regular expressions over whole lines. It is slow and as simple as possible, and shares
// nothing with the parser but the input.

const (
	tokenRE  = "[!#$%&'*+.^_`|~0-9A-Za-z-]+"
	targetRE = `[0-9A-Za-z._~:/?\[\]@!$&'()*+,;=%-]+`
)

var (
	requestRE = regexp.MustCompile(`^(` + tokenRE + `) (` + targetRE + `) HTTP/1\.([0-9])$`)
	statusRE  = regexp.MustCompile(`(?s-m)^HTTP/1\.([0-9]) ([1-9][0-9][0-9])(?: (.*))?$`)
	fieldRE   = regexp.MustCompile(`(?s-m)^(` + tokenRE + `):(.*)$`)
)

type kind int

const (
	request kind = iota
	response
	trailers
)

func (k kind) String() string { return [...]string{"request", "response", "trailers"}[k] }

// verdict is the outcome for a message: incomplete, refused, or its size and parts.
type verdict struct {
	n       int
	refused bool
	start   [3]string   // method, target, minor; or minor, status, reason
	fields  [][2]string // names and values in order
}

// judge returns the verdict of the rules on data.
func judge(k kind, data string) verdict {
	var lines []string
	begin := 0
	for i := 0; ; i++ {
		if i == len(data) {
			return verdict{}
		}
		c := data[i]
		if c >= ' ' && c != 0x7f || c == '\t' {
			continue
		}
		if c == '\r' && i+1 == len(data) {
			return verdict{}
		}
		if c != '\r' || data[i+1] != '\n' {
			return verdict{refused: true}
		}
		if i == begin { // the empty line
			return judgeLines(k, lines, i+2)
		}
		lines = append(lines, data[begin:i])
		i++
		begin = i + 1
	}
}

func judgeLines(k kind, lines []string, n int) verdict {
	v := verdict{n: n}
	refused := verdict{refused: true}
	if k != trailers {
		if len(lines) == 0 {
			return refused
		}
		re := requestRE
		if k == response {
			re = statusRE
		}
		m := re.FindStringSubmatch(lines[0])
		if m == nil {
			return refused
		}
		copy(v.start[:], m[1:])
		at := 2 // where the minor version stands
		if k == response {
			at = 0
		}
		if v.start[at] != "0" {
			v.start[at] = "1"
		}
		lines = lines[1:]
	}
	for i, l := range lines {
		if folded := l[0] == ' ' || l[0] == '\t'; folded && k == response && i > 0 {
			v.fields[len(v.fields)-1][1] += "  " + l
			continue
		}
		m := fieldRE.FindStringSubmatch(l)
		if m == nil {
			return refused
		}
		v.fields = append(v.fields, [2]string{m[1], m[2]})
	}
	for i := range v.fields {
		v.fields[i][1] = strings.Trim(v.fields[i][1], " \t")
	}
	return v
}

// parse returns the parser's verdict on data, in the oracle's terms. It copies the data first,
// because responses are unfolded in place.
func parse(h *Head, k kind, data []byte) (verdict, error) {
	b := append(make([]byte, 0, len(data)), data...)
	return parseInPlace(h, k, b)
}

func parseInPlace(h *Head, k kind, b []byte) (verdict, error) {
	var n int
	var err error
	switch k {
	case request:
		n, err = h.ParseRequest(b, nil)
	case response:
		n, err = h.ParseResponse(b, nil)
	default:
		n, err = h.ParseTrailers(b, nil)
	}
	v := verdict{n: n, refused: err != nil}
	if n == 0 {
		return v, err
	}
	minor := string('0' + rune(h.Minor))
	switch k {
	case request:
		v.start = [3]string{string(h.Name.Of(b)), string(h.Target.Of(b)), minor}
	case response:
		status := string([]byte{'0' + byte(h.Status/100), '0' + byte(h.Status/10%10), '0' + byte(h.Status%10)})
		v.start = [3]string{minor, status, string(h.Reason.Of(b))}
	}
	for _, f := range h.Fields {
		v.fields = append(v.fields, [2]string{string(f.NameOf(b)), string(f.ValueOf(b))})
	}
	return v, nil
}

// differ describes how two verdicts differ, "" if they do not.
func differ(got, want verdict) string {
	switch {
	case got.refused != want.refused:
		return "one refuses"
	case got.n != want.n:
		return "sizes differ"
	case got.start != want.start:
		return "start lines differ"
	case len(got.fields) != len(want.fields):
		return "field counts differ"
	}
	for i, f := range got.fields {
		if f != want.fields[i] {
			return "field " + f[0] + " differs"
		}
	}
	return ""
}

// samples are messages of each kind to be mutated: short and long names, heads shorter and
// longer than a block, all kinds of white space, no fields, obs-text.
var samples = map[kind][]string{
	request: {
		"GET / HTTP/1.1\r\n\r\n",
		"GET /hello HTTP/1.1\r\nHost: localhost:8080\r\n\r\n",
		"PROPFIND /a%20b?c=d&e=[f] HTTP/1.0\r\nHost:h\r\nX:\r\nTE: \t trailers\t \r\n\r\n",
		"POST /submit HTTP/1.1\r\nhost: example.com\r\nContent-Length: 12\r\nTransfer-Encoding: x\r\n" +
			"If-Unmodified-Since: \xc3\xa9t\xc3\xa9\r\nX-A-Name-That-Nobody-Knows-At-All: y\r\n\r\n",
		"M-SEARCH * HTTP/1.1\r\nCookie: a=b\r\nCookie: c=d\r\nUpgrade-Insecure-Requests: 1\r\na: b\r\n\r\nnext",
	},
	response: {
		"HTTP/1.1 200 OK\r\n\r\n",
		"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nServer: x\r\n\r\nrest",
		"HTTP/1.0 204\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nSet-Cookie: a\r\nSet-Cookie: b\r\n\r\n",
		"HTTP/1.1 200 \r\nX-Folded: one\r\n two\r\n\tthree\r\n  \r\nAge:1\r\n\r\n",
	},
	trailers: {
		"\r\n",
		"X: y\r\n\r\n",
		"Checksum: 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\r\nETag: \"a\"\r\n\r\n0\r\n",
	},
}
