// From http.Header to the engine's fields. They are copied when the head is fixed, so that later
// changes by the handler have no effect, as in net/http.

package nethttp

import (
	"errors"
	"net/http"
	"net/textproto"
	"slices"
	"strings"

	"github.com/gale-http/gale/bytesparse"
)

var errOver = errors.New("gale: the handler has returned, or has taken the connection over")

// fixHead fixes the status and the fields. Only a Content-Type detected from the first body bytes,
// and Connection: close, may still be added.
func (w *response) fixHead(status int) {
	w.status = status
	_ = w.out.SetStatus(status)
	if status == http.StatusSwitchingProtocols {
		w.switching = w.interimFields()
		return
	}
	w.inspectFields()
	var few [16]string
	keys := sortedKeys(few[:0], w.header)
	for _, key := range keys {
		w.replaceField(key)
	}
	for _, key := range keys {
		if !w.omits(key) {
			w.addField(key)
		}
	}
}

// inspectFields notes what the fields say about the body.
func (w *response) inspectFields() {
	h := w.header
	if text := h.Get("Content-Length"); text != "" {
		n, ok := bytesparse.ParseUint([]byte(text))
		if ok && n >= 0 {
			w.length = n
		} else {
			delete(h, "Content-Length")
		}
	}
	w.chunked = h.Get("Transfer-Encoding") != ""
	if w.chunked {
		w.length = -1
	}
	_, w.typed = h["Content-Type"]
	w.typed = w.typed || w.chunked || h.Get("Content-Encoding") != ""
	if date, ok := h["Date"]; ok && len(date) == 0 {
		w.out.SetSendDate(false)
	}
	w.trailing = hasTrailers(h)
	for _, list := range h["Trailer"] {
		w.trailing = true
		for name := range strings.SplitSeq(list, ",") {
			name = textproto.CanonicalMIMEHeaderKey(textproto.TrimString(name))
			if name != "" && name != "Content-Length" && name != "Transfer-Encoding" && name != "Trailer" {
				if w.announced == nil {
					w.announced = make(map[string]bool)
				}
				w.announced[name] = true
			}
		}
	}
}

// omits reports whether the field called key is kept out of the head.
func (w *response) omits(key string) bool {
	switch key {
	case "Content-Length":
		return w.chunked || !w.bodyAllowed()
	case "Transfer-Encoding":
		return !w.bodyAllowed()
	case "Content-Type":
		return w.status == http.StatusNotModified
	}
	return strings.HasPrefix(key, http.TrailerPrefix)
}

// interimFields returns the fields of an interim response, as name, value, name, value.
func (w *response) interimFields() []string {
	var fields []string
	for _, key := range sortedKeys(nil, w.header) {
		if key == "Content-Length" || key == "Transfer-Encoding" || !bytesparse.IsToken(key) {
			continue
		}
		for _, value := range w.header[key] {
			fields = append(fields, key, cleanValue(value))
		}
	}
	return fields
}

// replaceField removes what the engine's handler has set under the name that the field called key
// is going to have, before it called this one; a key that is not canonical adds to it. There is
// hardly ever anything, so the search costs nothing, however many fields there are.
func (w *response) replaceField(key string) {
	if len(w.header[key]) > 0 && !w.omits(key) && key == textproto.CanonicalMIMEHeaderKey(key) {
		w.out.RemoveHeader(key)
	}
}

// addField passes the field called key to the engine. An invalid name is left out, an invalid value
// is cleaned.
func (w *response) addField(key string) {
	for _, value := range w.header[key] {
		if w.out.AddHeader(key, value) != nil && bytesparse.IsToken(key) {
			_ = w.out.AddHeader(key, cleanValue(value))
		}
	}
}

// cleanValue returns v with spaces for the bytes that no field value may have, trimmed.
func cleanValue(v string) string {
	clean := []byte(v)
	for i, c := range clean {
		if c < ' ' && c != '\t' || c == 0x7f {
			clean[i] = ' '
		}
	}
	return textproto.TrimString(string(clean))
}

// sendHead completes the head, given the first body bytes and whether they are the last. The engine
// sends it together with them.
func (w *response) sendHead(first []byte, last bool) {
	if w.headSent {
		return
	}
	w.headSent = true
	if !w.duplex && !w.body.allowsKeepAlive(last) {
		_ = w.out.SetHeader("Connection", "close")
	}
	if !w.typed && len(first) > 0 {
		_ = w.out.SetHeader("Content-Type", http.DetectContentType(first[:min(len(first), sniffSize)]))
	}
}

// hasTrailers reports whether h has trailers under http.TrailerPrefix, which are not announced.
func hasTrailers(h http.Header) bool {
	for key := range h {
		if strings.HasPrefix(key, http.TrailerPrefix) {
			return true
		}
	}
	return false
}

// addTrailers passes all trailers to the engine, which drops them if the body is not chunked.
func (w *response) addTrailers() {
	if !w.trailing {
		return
	}
	for _, key := range sortedKeys(nil, w.header) {
		name, found := strings.CutPrefix(key, http.TrailerPrefix)
		if !found && !w.announced[key] {
			continue
		}
		for _, value := range w.header[key] {
			if w.out.AddTrailers(name, value) != nil {
				_ = w.out.AddTrailers(name, cleanValue(value))
			}
		}
	}
}

// sortedKeys appends the keys of h to keys, sorted.
func sortedKeys(keys []string, h http.Header) []string {
	for key := range h {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
