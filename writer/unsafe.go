//go:build !purego && (amd64 || arm64)

package writer

import "unsafe"

// Names and values are short: comparing them by words, the last one overlapping,
// costs less than the way to memequal and back. The twin is equal.go.

// sameLine tells whether the line in b at i, whose name is as long as name and
// whose value as long as value, says just that. The caller has seen to it that
// b ends with the line.
func sameLine(b []byte, i int, name, value string) bool {
	// SAFETY: the line lies in b from i on, name first, value two bytes behind it.
	p := unsafe.Add(unsafe.Pointer(unsafe.SliceData(b)), i)
	return same(p, unsafe.Pointer(unsafe.StringData(name)), len(name)) && // SAFETY: as above
		same(unsafe.Add(p, len(name)+2), unsafe.Pointer(unsafe.StringData(value)), len(value)) // SAFETY: as above
}

// same tells whether the n bytes at p are those at q.
func same(p, q unsafe.Pointer, n int) bool {
	// SAFETY: all loads lie within n bytes of p and of q. Both architectures load
	// unaligned words.
	switch {
	case n >= 8:
		n -= 8
		for k := 0; k < n; k += 8 {
			if *(*uint64)(unsafe.Add(p, k)) != *(*uint64)(unsafe.Add(q, k)) { // SAFETY: as above
				return false
			}
		}
		return *(*uint64)(unsafe.Add(p, n)) == *(*uint64)(unsafe.Add(q, n)) // SAFETY: as above
	case n >= 4:
		return *(*uint32)(p) == *(*uint32)(q) && *(*uint32)(unsafe.Add(p, n-4)) == *(*uint32)(unsafe.Add(q, n-4)) // SAFETY: as above
	}
	for k := range n {
		if *(*byte)(unsafe.Add(p, k)) != *(*byte)(unsafe.Add(q, k)) { // SAFETY: as above
			return false
		}
	}
	return true
}
