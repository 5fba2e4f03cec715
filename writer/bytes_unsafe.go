// Fields out of messages that have been received: bytes, which are copied once.

package writer

import (
	"unsafe"

	"github.com/gale-http/gale/bytesparse"
)

// RemoveBehind removes the lines called name that stand behind the first n.
func (h *Headers) RemoveBehind(n int, name []byte) {
	// SAFETY: what is called looks at the name, and keeps nothing of it.
	s := unsafe.String(unsafe.SliceData(name), len(name))
	id := bytesparse.LookupField(s)
	if i := h.next(n, id, s); i >= 0 {
		h.removeFrom(i, id, s)
	}
}

// AddBytes is Add for bytes, which are copied: for who forwards messages.
func (h *Headers) AddBytes(name, value []byte) error {
	// SAFETY: Add copies what it is given, and the strings do not outlive the call but in
	// an error, which is made anew.
	err := h.Add(unsafe.String(unsafe.SliceData(name), len(name)), unsafe.String(unsafe.SliceData(value), len(value)))
	if err != nil {
		return h.Add(string(name), string(value))
	}
	return nil
}
