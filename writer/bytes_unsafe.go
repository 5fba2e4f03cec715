// Fields out of messages that have been received: bytes, which are copied once.

package writer

import "unsafe"

// RemoveBytes is Remove for bytes.
func (h *Headers) RemoveBytes(name []byte) {
	// SAFETY: Remove looks at the name, and keeps nothing of it.
	h.Remove(unsafe.String(unsafe.SliceData(name), len(name)))
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
