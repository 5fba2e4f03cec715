// Fields taken from received messages: bytes, which are copied only once.

package writer

import "unsafe"

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
