// The one conversion that the language does by copying and the engine does not.

package engine

import "unsafe"

// bytesOf returns the bytes of s, which must not be written to.
func bytesOf(s string) []byte {
	// SAFETY: what writes the body only reads it: it is copied or handed to the
	// kernel before the call returns, and never kept.
	return unsafe.Slice(unsafe.StringData(s), len(s))
}
