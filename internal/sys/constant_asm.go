//go:build (amd64 || arm64) && !purego

// Which strings can never change: those in the program's read-only data. Any other string may be
// made of memory that is used again (unsafe.String), so its bytes must be looked at, whatever its
// address is.

package sys

import "unsafe"

// readOnly returns the bounds of the read-only data.
func readOnly() (from, to uintptr)

var constFrom, constTo = readOnly()

// Constant returns the address of a string constant of the program, a number that stands for its
// bytes as long as the program runs. It returns 0 for an empty string, and for any that is not
// known to be a constant. It does not allocate.
func Constant(s string) uintptr {
	// SAFETY: the address is only compared.
	at := uintptr(unsafe.Pointer(unsafe.StringData(s)))
	if at < constFrom || at >= constTo || len(s) == 0 {
		return 0
	}
	return at
}
