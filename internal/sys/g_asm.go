//go:build (amd64 || arm64) && !purego

// The identity of a goroutine, read in one instruction.

package sys

// G returns the address of the running goroutine's descriptor: equal for two
// calls exactly when both were made by the same live goroutine. It is an
// identity to compare, never a pointer to follow. It does not allocate.
func G() uintptr

// HasG tells whether G works on this platform. Where it does not, G returns
// zero and a wait always takes the goroutine's way.
const HasG = true
