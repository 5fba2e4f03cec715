// The request, encoded once. It has only what HTTP/1.1 requires and what the user asked for.
// The user's fields are validated here, because nothing after this would do so.

package main

import (
	"fmt"
	"strings"

	"github.com/gale-http/gale/bytesparse"
	"github.com/gale-http/gale/writer"
)

// encodeRequest returns the bytes of one request, and whether it asks for the
// connection to be closed.
func encodeRequest(opt *options, t *target) (b []byte, closes bool, err error) {
	switch {
	case !bytesparse.IsToken(opt.method):
		return nil, false, fmt.Errorf("-m %q: not a method", opt.method)
	case opt.method == "CONNECT":
		return nil, false, fmt.Errorf("-m CONNECT: a tunnel cannot be loaded with requests")
	}
	b = writer.AppendRequestLine(nil, opt.method, t.path)
	if !opt.has("Host") {
		b = writer.AppendField(b, "Host", t.host)
	}
	if t.auth != "" && !opt.has("Authorization") {
		b = writer.AppendField(b, "Authorization", t.auth)
	}
	hosts := 0
	for _, h := range opt.headers {
		if err := h.check(); err != nil {
			return nil, false, err
		}
		if strings.EqualFold(h.name, "Host") {
			hosts++
		}
		closes = closes || h.closes()
		b = writer.AppendField(b, h.name, h.value)
	}
	if hosts > 1 {
		return nil, false, fmt.Errorf("-H Host: more than once")
	}
	if opt.hasBody || opt.method == "POST" || opt.method == "PUT" || opt.method == "PATCH" {
		b = append(b, "Content-Length: "...)
		b = append(writer.AppendUint(b, uint64(len(opt.body))), "\r\n"...)
	}
	b = append(b, "\r\n"...)
	return append(b, opt.body...), closes, nil
}

func (opt *options) has(name string) bool {
	for _, h := range opt.headers {
		if strings.EqualFold(h.name, name) {
			return true
		}
	}
	return false
}

func (h header) check() error {
	switch {
	case !bytesparse.IsToken(h.name):
		return fmt.Errorf("-H %q: not a field name", h.name)
	case !bytesparse.IsFieldValue(h.value):
		return fmt.Errorf("-H %s: a control byte in the value", h.name)
	case strings.EqualFold(h.name, "Content-Length"), strings.EqualFold(h.name, "Transfer-Encoding"):
		return fmt.Errorf("-H %s: the length is that of -b", h.name)
	case strings.EqualFold(h.name, "Host") && !bytesparse.ValidHost([]byte(h.value)):
		return fmt.Errorf("-H Host: invalid host %q", h.value)
	}
	return nil
}
