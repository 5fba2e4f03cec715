// Fields out of messages that have been received: bytes, which are copied once.

package writer

import "unsafe"

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
