// Transparent gzip, as in net/http's Transport: if the caller has not set Accept-Encoding,
// gzip is requested, and the response is decoded without the caller noticing.

package nethttp

import (
	"compress/gzip"
	"io"
	"net/http"
	"strings"
)

// asksGzip reports whether the transport requests gzip for r on its own.
func (t *Transport) asksGzip(r *http.Request) bool {
	return !t.DisableCompression && r.Method != http.MethodHead && r.Header["Accept-Encoding"] == nil && r.Header["Range"] == nil
}

// unzip decodes a response for which the transport requested gzip.
func unzip(out *http.Response) {
	if !strings.EqualFold(out.Header.Get("Content-Encoding"), "gzip") || out.Body == http.NoBody {
		return
	}
	out.Header.Del("Content-Encoding")
	out.Header.Del("Content-Length")
	out.ContentLength, out.Uncompressed = -1, true
	out.Body = &unzipped{body: out.Body}
}

// unzipped is a body that is decoded while it is read.
type unzipped struct {
	body io.ReadCloser
	zip  *gzip.Reader // made by the first Read
	err  error
}

// Read implements io.Reader.
func (u *unzipped) Read(p []byte) (int, error) {
	if u.err != nil {
		return 0, u.err
	}
	if u.zip == nil {
		if u.zip, u.err = gzip.NewReader(u.body); u.err != nil {
			return 0, u.err
		}
	}
	n, err := u.zip.Read(p)
	if err == io.EOF { // of the gzip stream; the end of the body, with its trailers, follows
		_, _ = io.Copy(io.Discard, u.body)
	}
	u.err = err
	return n, err
}

// Close implements io.Closer.
func (u *unzipped) Close() error { return u.body.Close() }
