// From the engine's request to an http.Request: the head is copied into one string, and its fields
// are substrings of that.

package nethttp

import (
	"errors"
	"net/http"
	"net/textproto"
	"strings"

	"github.com/gale-http/gale/bytesparse"
	"github.com/gale-http/gale/engine"
)

var errTrailerName = errors.New("gale: Trailer announces a field that may be none")

var template http.Request

// newRequest returns the request that a handler sees.
func newRequest(req *engine.Request, t *transaction) (*http.Request, error) {
	r := template.WithContext(&t.context) // the only way to set it
	r.Method, r.Proto = req.Method(), "HTTP/1.1"
	r.ProtoMajor, r.ProtoMinor = 1, req.HTTPVersionMinor()
	if r.ProtoMinor == 0 {
		r.Proto = "HTTP/1.0"
	}
	r.ContentLength = req.ContentLength()
	socket := req.Socket()
	r.RemoteAddr, r.TLS = socket.RemoteAddr().String(), socket.TLS()
	host := copyHead(r, req, t.values[:0])
	var err error
	if r.URL, err = parseTarget(&t.url, r.Method, r.RequestURI); err != nil {
		return nil, err
	}
	if r.Host = r.URL.Host; r.Host == "" {
		r.Host = host
	}
	if r.ContentLength < 0 {
		r.TransferEncoding = []string{"chunked"}
		if err := announceTrailers(r); err != nil {
			return nil, err
		}
	}
	if r.Header["Pragma"] != nil && r.Header["Pragma"][0] == "no-cache" && r.Header["Cache-Control"] == nil {
		r.Header["Cache-Control"] = []string{"no-cache"} // as net/http does
	}
	r.Close = closes(r)
	r.Body = http.NoBody
	if r.ContentLength != 0 {
		t.body.init(req, r)
		r.Body = &t.body
	}
	return r, nil
}

// copyHead copies the target and the fields and returns the value of Host, which net/http keeps
// elsewhere. The field values are stored in values if that has room for them.
func copyHead(r *http.Request, req *engine.Request, values []string) (host string) {
	target, size, lines := req.URL(), len(req.URL()), 0
	for name, value := range req.RawHeaders() {
		size += len(name) + len(value)
		lines++
	}
	var text strings.Builder
	text.Grow(size)
	take := func(b []byte) string {
		from := text.Len()
		text.Write(b)
		return text.String()[from:]
	}
	r.RequestURI = take(target)
	r.Header = make(http.Header, lines)
	if lines > cap(values) {
		values = make([]string, 0, lines)
	}
	for name, raw := range req.RawHeaders() {
		id := bytesparse.LookupField(name)
		switch id {
		case bytesparse.FieldHost:
			host = take(raw)
			continue
		case bytesparse.FieldTransferEncoding:
			continue
		}
		key := canonical[id]
		if key == "" {
			key = textproto.CanonicalMIMEHeaderKey(take(name))
		}
		value := take(raw)
		if earlier, ok := r.Header[key]; ok {
			r.Header[key] = append(earlier, value)
			continue
		}
		values = append(values, value)
		r.Header[key] = values[len(values)-1 : len(values) : len(values)]
	}
	return host
}

// canonical holds the well-known names as net/http spells them.
var canonical = func() (names [256]string) {
	for id := range names {
		names[id] = textproto.CanonicalMIMEHeaderKey(bytesparse.FieldID(id).String())
	}
	return names
}()

// announceTrailers puts the names that the Trailer field announces into r.Trailer and removes the
// field, as net/http does.
func announceTrailers(r *http.Request) error {
	for _, list := range r.Header["Trailer"] {
		for name := range strings.SplitSeq(list, ",") {
			switch name = textproto.CanonicalMIMEHeaderKey(textproto.TrimString(name)); name {
			case "":
			case "Transfer-Encoding", "Trailer", "Content-Length":
				return errTrailerName
			default:
				if r.Trailer == nil {
					r.Trailer = make(http.Header)
				}
				r.Trailer[name] = nil
			}
		}
	}
	delete(r.Header, "Trailer")
	return nil
}

// closes reports whether the client wants the connection closed after the response.
func closes(r *http.Request) bool {
	closes, keeps := false, false
	for _, list := range r.Header["Connection"] {
		for option := range strings.SplitSeq(list, ",") {
			option = textproto.TrimString(option)
			closes = closes || strings.EqualFold(option, "close")
			keeps = keeps || strings.EqualFold(option, "keep-alive")
		}
	}
	return closes || r.ProtoMinor == 0 && !keeps
}
