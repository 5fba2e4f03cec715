//go:build (amd64 || arm64) && !purego

// Which strings can never change: those in the program's read-only data. Any other may
// have been made of memory that is used again (unsafe.String), and must be looked at,
// whatever its address is.

package sys

import "unsafe"

// readOnly returns where the read-only data begins and ends.
func readOnly() (from, to uintptr)

var constFrom, constTo = readOnly()

// Constant returns the address of a constant of the program, a number that stands for
// its bytes as long as the program runs; 0 for a string that is none, or empty, as far as
// is known. It does not allocate.
func Constant(s string) uintptr {
	// SAFETY: the address is only compared.
	at := uintptr(unsafe.Pointer(unsafe.StringData(s)))
	if at < constFrom || at >= constTo || len(s) == 0 {
		return 0
	}
	return at
}
