//go:build linux && amd64

// Repeated string instructions: the processor stops after each repetition, and
// the hardware's counter counts the whole as one.

package steps

// prefix reports whether c is an instruction prefix.
func prefix(c byte) bool {
	switch c {
	case 0xf2, 0xf3, 0x66, 0x67, 0x2e, 0x36, 0x3e, 0x26, 0x64, 0x65:
		return true
	}
	return c&0xf0 == 0x40 // REX
}

// repeats reports whether the instruction at the start of code is a string instruction
// with a repeat prefix.
func repeats(code []byte) bool {
	prefixed := false
	for _, c := range code {
		switch {
		case c == 0xf2 || c == 0xf3:
			prefixed = true
		case prefix(c):
		case c >= 0xa4 && c <= 0xa7, c >= 0xaa && c <= 0xaf, c >= 0x6c && c <= 0x6f:
			return prefixed
		default:
			return false
		}
	}
	return false
}
