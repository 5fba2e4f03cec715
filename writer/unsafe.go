//go:build !purego && (amd64 || arm64)

package writer

import "unsafe"

// Most names and values are constants of the program, which are equal if their addresses
// and lengths are. The others are short: comparing them by words, the last one overlapping,
// costs less than a call of memequal. The counterpart is equal.go.

// follows reports whether the next line of the previous message was made of the same
// constants: then nothing needs to be looked up, validated or copied.
func (h *Headers) follows(name, value string) bool {
	k := h.n
	if uint(k) >= uint(len(h.lines)) {
		return false
	}
	l := &h.lines[k]
	// SAFETY: the addresses are only compared.
	return uintptr(unsafe.Pointer(unsafe.StringData(name))) == l.nameAt && len(name) == l.name &&
		uintptr(unsafe.Pointer(unsafe.StringData(value))) == l.valueAt && len(value) == l.value // SAFETY: as above
}

// again takes the next line of the previous message back into use if it has the same name
// and value, and reports whether it did. Most responses of a server have the same fields
// in the same order.
func (h *Headers) again(name, value string) bool {
	k := h.n
	if k >= len(h.lines) {
		return false
	}
	l := &h.lines[k]
	if l.name != len(name) || l.value != len(value) || !l.only {
		return false
	}
	// SAFETY: the line lies within the arena, which the slice expression checks.
	if !sameLine(unsafe.Pointer(unsafe.SliceData(h.arena[l.off:l.end])), name, value) {
		return false
	}
	h.n++
	return true
}

// sameLine reports whether the line at p has that name and value. SAFETY: p must be the
// start of a line whose name and value have the lengths of name and value.
func sameLine(p unsafe.Pointer, name, value string) bool {
	// SAFETY: all loads lie within the n bytes at p and at q: first those of the name, then
	// those of the value, two bytes after it. Both architectures load unaligned words.
	q, n := unsafe.Pointer(unsafe.StringData(name)), len(name)
	for behind := false; ; behind = true {
		switch {
		case n >= 8:
			last := n - 8
			for i := 0; i < last; i += 8 {
				if *(*uint64)(unsafe.Add(p, i)) != *(*uint64)(unsafe.Add(q, i)) { // SAFETY: as above
					return false
				}
			}
			if *(*uint64)(unsafe.Add(p, last)) != *(*uint64)(unsafe.Add(q, last)) { // SAFETY: as above
				return false
			}
		case n >= 4:
			if *(*uint32)(p) != *(*uint32)(q) || *(*uint32)(unsafe.Add(p, n-4)) != *(*uint32)(unsafe.Add(q, n-4)) { // SAFETY: as above
				return false
			}
		default:
			for i := range n {
				if *(*byte)(unsafe.Add(p, i)) != *(*byte)(unsafe.Add(q, i)) { // SAFETY: as above
					return false
				}
			}
		}
		if behind {
			return true
		}
		p, q, n = unsafe.Add(p, n+2), unsafe.Pointer(unsafe.StringData(value)), len(value) // SAFETY: as above
	}
}
