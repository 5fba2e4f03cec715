//go:build linux && amd64

// Repeated string instructions: the processor stops after each repetition, and
// the hardware's counter counts the whole as one.

package steps

// repeats says whether the instruction at the start of code is a string
// instruction under a repeat prefix.
func repeats(code []byte) bool {
	prefixed := false
	for _, c := range code {
		switch {
		case c == 0xf2 || c == 0xf3:
			prefixed = true
		case c == 0x66 || c == 0x67 || c == 0x2e || c == 0x36 || c == 0x3e || c == 0x26 || c == 0x64 || c == 0x65:
		case c&0xf0 == 0x40: // REX
		case c >= 0xa4 && c <= 0xa7, c >= 0xaa && c <= 0xaf, c >= 0x6c && c <= 0x6f:
			return prefixed
		default:
			return false
		}
	}
	return false
}
