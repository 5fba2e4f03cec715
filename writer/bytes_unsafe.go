// Fields taken from received messages: bytes, which are copied only once.

package writer

import (
	"unsafe"

	"github.com/gale-http/gale/bytesparse"
)

// RemoveBehind removes the lines called name, except those among the first n lines. It does
// not retain name.
func (h *Headers) RemoveBehind(n int, name []byte) {
	// SAFETY: the functions called read the name and retain nothing of it.
	s := unsafe.String(unsafe.SliceData(name), len(name))
	id := bytesparse.LookupField(s)
	if i := h.next(n, id, s); i >= 0 {
		h.removeFrom(i, id, s)
	}
}

// AddBytes is Add for bytes, which it copies: for forwarding received fields.
func (h *Headers) AddBytes(name, value []byte) error {
	// SAFETY: Add copies its arguments, so the strings do not outlive the call, except in
	// an error, which is therefore created again from copies.
	err := h.Add(unsafe.String(unsafe.SliceData(name), len(name)), unsafe.String(unsafe.SliceData(value), len(value)))
	if err != nil {
		return h.Add(string(name), string(value))
	}
	return nil
}
